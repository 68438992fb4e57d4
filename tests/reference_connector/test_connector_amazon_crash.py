"""Kill -9 between a call to the platform and its record: the next process repeats the call, which has one effect."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from jwo_toolkit.launcher import launched
from simulator.app import create_app
from simulator.settings import PlatformSettings
from tests.conftest import served
from tests.reference_connector.amazon_shop import ACCESS, OPERATOR, a_cart, retailer_file
from tests.simulator.in_process import ACCOUNT, GATE, KEY, RETAILER, STORE


class Killer:
    """A platform that kills its caller: after it has handled a call, and before the answer arrives."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.path, self.pid = "", 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def kill_first(message: Any) -> None:
            if self.path and scope["path"] == self.path:
                self.path = ""
                os.kill(self.pid, signal.SIGKILL)
            await send(message)

        await self._app(scope, receive, kill_first if scope["type"] == "http" else send)


@pytest.fixture
def platform() -> Iterator[tuple[Killer, httpx.Client]]:
    killer = Killer(create_app(PlatformSettings(base_url="http://127.0.0.1", stores_alone=True, seed=7)))
    with served(killer) as url, httpx.Client(base_url=url, trust_env=False) as http:
        store = {"retailer": RETAILER, "gates": [GATE], "methods": ["card"], "strategy": "none"}
        key = {"accessKeyId": KEY.access_key_id, "secretAccessKey": KEY.secret_access_key}
        assert http.put(f"/portal/stores/{STORE}", json=store).is_success
        assert http.put(f"/portal/accounts/{ACCOUNT}", json={"retailer": RETAILER, **key}).is_success
        yield killer, http


@contextmanager
def connector(folder: Path, url: str, killer: Killer) -> Iterator[httpx.Client]:
    platform = ACCESS | {"endpoint": url}
    named = {
        "RETAILER_FILES": orjson.dumps([str(retailer_file(folder, {STORE: "amazon"}))]).decode(),
        "STORE__PATH": str(folder / "connector.sqlite3"),
        "ADMIN__TOKEN": OPERATOR["Authorization"].removeprefix("Bearer "),
        "PAYMENTS__LEASE_S": "0.5",
        "PAYMENTS__POLL_S": "0.02",
        **{f"PLATFORM__{name.upper()}": str(value) for name, value in platform.items()},
    }
    environment = os.environ | {f"JWO_CONNECTOR_{name}": value for name, value in named.items()}
    with launched("connector", (sys.executable, "-m", "reference_connector"), folder, environment) as started:
        killer.pid = started.process.pid
        with httpx.Client(base_url=started.url(), headers=OPERATOR, trust_env=False) as http:
            yield http


def wait_until(is_so: Any) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_killed_connector_repeats_its_call_with_one_effect(
    platform: tuple[Killer, httpx.Client], tmp_path: Path
) -> None:
    killer, http = platform
    url = str(http.base_url)
    trip = http.post(f"/gates/{GATE}/cards", json={"instrument": "card-1"}).json()["shoppingTripId"]
    killer.path = "/v1/capture/charge"
    with connector(tmp_path, url, killer) as shop:
        shop.post("/v1/order/purchases", json=a_cart(trip, [("SKU-001", "1")]))
        wait_until(lambda: not killer.path)
    with connector(tmp_path, url, killer) as shop:
        wait_until(lambda: shop.get("/ops/charges/captured").json()["charges"])

    entries = http.get(f"/journal?kind=charge&trip={trip}").json()
    assert [(entry["operation"], entry["effect"]) for entry in entries] == [
        ("Adjust Charge", "changed"),
        ("Capture Charge", "changed"),
        ("Capture Charge", "repeated"),
    ]
    assert len({entry["amount"]["amount"] for entry in entries}) == 1
