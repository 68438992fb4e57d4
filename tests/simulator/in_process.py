"""A platform in the process of the test, without a socket: its app, its clock, and signed calls to it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import orjson

from jwo_contract.sigv4 import Key, sign
from simulator.app import create_app
from simulator.settings import PlatformSettings
from tests.simulator.conftest import MovableClock

KEY = Key("retailer-key", "retailer-secret")
URL = "http://platform"
RETAILER, STORE, GATE, ACCOUNT = "corner-retail", "STORE-001", "STORE-001-GATE-1", "123456789012"


class InProcess:
    """A running platform; every call runs its event loop until the answer is there."""

    def __init__(self, runner: asyncio.Runner, app: Any, clock: MovableClock) -> None:
        self.runner = runner
        self.app = app
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL)
        self.clock = clock

    def call(self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        given = headers or {"Content-Type": "application/json"}
        return self.runner.run(self._http.request(method, path, content=content, headers=given))

    def put(self, path: str, body: Any) -> Any:
        answer = self.call("PUT", path, body)
        assert answer.is_success, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None) -> Any:
        answer = self.call("POST", path, body if body is not None else {})
        assert answer.is_success, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        answer = self.call("GET", path, b"")
        assert answer.is_success, answer.text
        return answer.json()

    def signed(self, path: str, body: Any, key: Key = KEY) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        plain = {"Content-Type": "application/json"}
        headers = sign("POST", URL + path, plain, content, key, region="us-east-1", now=self.clock.wall())
        return self.call("POST", path, content, headers)

    def enter(self, instrument: str = "card-1") -> str:
        """Let a shopper in with a card; returns the trip's id."""
        decision = self.post(f"/gates/{GATE}/cards", {"instrument": instrument})
        return str(decision["shoppingTripId"])

    def charges(self, trip: str) -> list[dict[str, Any]]:
        return list(self.get(f"/journal?kind=charge&trip={trip}"))

    def wait(self, seconds: float) -> None:
        """Let the platform's loops run for a number of real seconds."""
        self.runner.run(asyncio.sleep(seconds))


@contextmanager
def in_process(*, own_clock: bool = False, **settings: Any) -> Iterator[InProcess]:
    """Run a platform with a store for cards and an allow-listed account; `settings` are further settings.

    With `own_clock` the platform has its own clock, and `PUT /clock` moves it.
    """
    clock = MovableClock()
    given = {"base_url": URL, "stores_alone": "aws_endpoint_url" not in settings, "seed": 7, **settings}
    app = create_app(PlatformSettings(**given), clock=None if own_clock else clock)
    with asyncio.Runner() as runner:
        lifespan = app.router.lifespan_context(app)
        runner.run(lifespan.__aenter__())
        try:
            platform = InProcess(runner, app, clock)
            setup = {"retailer": RETAILER, "gates": [GATE], "methods": ["card"], "strategy": "none"}
            platform.put(f"/portal/stores/{STORE}", setup)
            key = {"accessKeyId": KEY.access_key_id, "secretAccessKey": KEY.secret_access_key}
            platform.put(f"/portal/accounts/{ACCOUNT}", {"retailer": RETAILER, **key})
            yield platform
        finally:
            runner.run(lifespan.__aexit__(None, None, None))


MISSING = object()


def changed(body: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return a message with members replaced by their dotted paths; `MISSING` removes a member."""
    copy: dict[str, Any] = orjson.loads(orjson.dumps(body))
    for path, value in changes.items():
        *parents, last = path.split(".")
        node: Any = copy
        for step in parents:
            node = node[int(step)] if step.isdigit() else node[step]
        if value is MISSING:
            del node[last]
        else:
            node[int(last) if last.isdigit() else last] = value
    return copy
