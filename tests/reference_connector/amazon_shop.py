"""A connector and a real platform that holds its payments, in one process and without sockets."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from jwo_contract.scan_key import to_identity_key
from jwo_contract.values import format_instant
from reference_connector.app import create_app
from reference_connector.platform_calls.caller import PlatformCaller
from reference_connector.platform_calls.settings import PlatformAccess
from reference_connector.settings import SAMPLE_RETAILER, ConnectorSettings
from reference_connector.telemetry import EventLog
from tests.simulator.in_process import KEY, STORE, URL, InProcess, in_process

Steps = list[tuple[str, str]]
OPERATOR = {"Authorization": "Bearer a-token-of-the-operator"}
ACCESS: dict[str, Any] = {
    "access_key_id": KEY.access_key_id,
    "secret_access_key": KEY.secret_access_key,
    "rate_per_s": 0,
}
_QUICK = {"poll_s": 0.002, "backoff_first_s": 0, "attempts_max": 4}
_MOST_TURNS = 400


class Wire(httpx.ASGITransport):
    """A connection to the platform: a body that does not follow its headers is a broken connection."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return await super().handle_async_request(request)
        except AssertionError as error:
            raise httpx.RemoteProtocolError("peer closed the connection", request=request) from error


def retailer_file(folder: Path, models: dict[str, str], rows: str = "") -> Path:
    """Write the sample retailer with a payment model for each of some stores, and with further rows."""
    text = SAMPLE_RETAILER.read_text("utf-8")
    for store, model in models.items():
        head = f'[[store]]\nid = "{store}"\n'
        assert head in text
        text = text.replace(head, f'{head}payment = "{model}"\n')
    file = folder / "retailer.toml"
    file.write_text(text + rows, "utf-8")
    return file


class AmazonShop:
    """A store and its platform. Both have one clock, and each call runs the event loop of both."""

    def __init__(self, platform: InProcess, app: Any, log: io.StringIO) -> None:
        self.platform = platform
        self.log = log
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://connector")

    def run(self, method: str, path: str, **request: Any) -> httpx.Response:
        return self.platform.runner.run(self._http.request(method, path, headers=OPERATOR, **request))

    def sell(self, items: list[Any], trip: str = "", **event: Any) -> str:
        """Let a shopper in with a card, and deliver the cart of the trip; return its id."""
        trip = trip or self.platform.enter()
        self.deliver(a_cart(trip, items, **event))
        return trip

    def deliver(self, cart: dict[str, Any]) -> None:
        answer = self.run("POST", "/v1/order/purchases", json=cart)
        assert answer.status_code == 201, answer.text

    def fault(self, name: str, operation: str, **more: Any) -> None:
        self.platform.post("/faults", {"name": name, "where": {"operation": operation}, **more})

    def charge(self, trip: str, state: str, attempts: int = 0, turn_s: float = 1) -> dict[str, Any]:
        """Let time pass until the charge of a trip has a state, and that many attempts; return it."""

        def is_it(charge: dict[str, Any]) -> bool:
            return charge["shoppingTripId"] == trip and charge["attempts"] >= attempts

        return self._found(f"/ops/charges/{state}", "charges", is_it, turn_s)

    def refund(self, refund_id: str, state: str) -> dict[str, Any]:
        """Let time pass until a refund has a state; return it."""
        return self._found(f"/ops/transfers/{state}", "transfers", lambda one: one["refundRequestId"] == refund_id, 1)

    def _found(self, path: str, members: str, is_it: Callable[[Any], bool], turn_s: float) -> dict[str, Any]:
        for _ in range(_MOST_TURNS):
            found = [one for one in self.run("GET", path).json()[members] if is_it(one)]
            if found:
                return dict(found[0])
            self.platform.clock.ahead += timedelta(seconds=turn_s)
            self.platform.wait(0.002)
        raise AssertionError(f"not in {path}: {self.log.getvalue()[-2000:]}")

    def sign_in(self) -> None:
        """Sign Ada in to the app."""
        assert self.run("POST", "/app/session", json={"shopper": "ada", "pin": "314159"}).is_success

    def enter_with_the_app(self) -> int:
        """Scan a code of the app at the gate; return the status of the answer."""
        self.sign_in()
        code = self.run("POST", "/app/shoppers/ada/scan-key").json()
        scan = {
            "requestId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
            "identityKey": to_identity_key(code["code"]),
            "storeId": STORE,
            "authEvent": {
                "id": "11111111-2222-3333-4444-555555555555",
                "timestamp": format_instant(self.platform.clock.now()),
                "location": "ENTRY",
            },
            "keyChannel": "OPTICAL",
        }
        return self.run("POST", "/v1/identity/identity-keys", json=scan).status_code

    def wait(self, seconds: float) -> None:
        """Let time pass on both sides, and then the outbox work."""
        self.platform.clock.ahead += timedelta(seconds=seconds)
        self.platform.wait(0.02)

    def steps(self, trip: str) -> Steps:
        """The payment calls that the platform handled for a trip: each with its effect."""
        return [(entry["operation"].removesuffix(" Charge"), entry["effect"]) for entry in self.platform.charges(trip)]

    def amounts(self, trip: str) -> list[str]:
        return [entry["amount"]["amount"] for entry in self.platform.charges(trip) if "amount" in entry]

    def events(self, name: str) -> list[dict[str, Any]]:
        lines = map(json.loads, self.log.getvalue().splitlines())
        return [line for line in lines if line["event"] == name]


def a_cart(trip: str, items: list[Any], store: str = STORE, **event: Any) -> dict[str, Any]:
    entered = {
        "id": f"event-{trip}",
        "timestamp": "2026-02-09T11:50:00Z",
        "location": "ENTRY",
        "payloadType": "FINANCIAL",
    }
    return {
        "requestId": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        "idempotentShoppingTripId": trip,
        "storeId": store,
        "shoppingTrip": {
            "startTime": "2026-02-09T11:50:00Z",
            "endTime": "2026-02-09T12:00:00Z",
            "authEvents": [entered | event],
        },
        "cartItems": [{"id": sku, "type": "SKU", "quantity": {"value": value, "unit": "unit"}} for sku, value in items],
    }


@contextmanager
def amazon_shop(
    folder: Path,
    storage: dict[str, Any],
    model: str = "amazon",
    *,
    shows_card: bool = False,
    rows: str = "",
    **settings: Any,
) -> Iterator[AmazonShop]:
    """Run both sides; `rows` are further rows of the retailer, `settings` further settings of the connector."""
    log = io.StringIO()
    with in_process(payment={"burst": 100_000, "retry_after_s": 30}) as platform:
        access = PlatformAccess(endpoint=URL, **ACCESS)
        clock = platform.clock.now
        caller = PlatformCaller(access, block_amazon=True, clock=clock, transport=Wire(platform.app))
        configured = ConnectorSettings(
            **storage,
            platform=access,
            payments=_QUICK | {"shows_card": shows_card},
            retailer_files=(retailer_file(folder, {STORE: model}, rows),),
            **settings,
        )
        app = create_app(configured, clock=clock, log=EventLog(clock, log), platform=caller)
        lifespan = app.router.lifespan_context(app)
        platform.runner.run(lifespan.__aenter__())
        try:
            yield AmazonShop(platform, app, log)
        finally:
            platform.runner.run(lifespan.__aexit__(None, None, None))
