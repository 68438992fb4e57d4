"""Measures whether the time of a refusal shows its reason: keys, sign-ins, cookies and trips, in pairs.

    python benchmarks/probe_timing.py [--pairs 3000]

Each pair sends two requests that get the same answer for different reasons, in random order, to a connector in this
process, without a network. The figure is the ratio of both medians, with the range of the middle 90 % of resampled
ratios. A caller over a network sees less. There is no limit: the connector's tests count hashes and reads instead.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import random
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson
from itsdangerous import URLSafeSerializer
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))

from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from reference_connector.app import create_app
from reference_connector.settings import ConnectorSettings
from reference_connector.telemetry import EventLog, system_clock

Send = Callable[[], Awaitable[int]]
_RESAMPLED = 300
_WARM_UP = 200


class App:
    """The connector, called as a server calls it."""

    def __init__(self, folder: Path) -> None:
        members = {
            "store": {"path": folder / "connector.sqlite3"},
            "admin": {"token": "a-token-that-no-probe-has"},
            "sign_in": {"wrong_pins": 10**9},
            "app_test_keys": True,
        }
        self.app = create_app(ConnectorSettings.model_validate(members), log=EventLog(system_clock, io.StringIO()))

    async def call(self, method: str, path: str, body: bytes = b"", cookie: str = "") -> tuple[int, bytes]:
        """Send a request, and return the status and the body."""
        sent: list[dict[str, object]] = []
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", b"connector"), *([(b"cookie", cookie.encode())] if cookie else [])],
            "scheme": "http",
            "server": ("127.0.0.1", 1),
            "client": ("127.0.0.1", 2),
        }

        async def receive() -> dict[str, object]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return int(str(sent[0]["status"])), b"".join(bytes(each.get("body", b"")) for each in sent)  # type: ignore[call-overload]

    async def status(self, method: str, path: str, body: bytes = b"", cookie: str = "") -> int:
        """Send a request, and return the status."""
        return (await self.call(method, path, body, cookie))[0]


def scan(key: str) -> bytes:
    """Return a Verify Identity Keys request with a new event."""
    event = {"id": str(uuid.uuid4()), "timestamp": f"{system_clock():%Y-%m-%dT%H:%M:%SZ}", "location": "ENTRY"}
    request = {"requestId": str(uuid.uuid4()), "identityKey": key, "storeId": "STORE-001", "authEvent": event}
    return orjson.dumps(request | {"keyChannel": "OPTICAL"})


def cart(trip: str) -> bytes:
    """Return a Create Purchases request."""
    line = {"id": "SKU-001", "type": "SKU", "quantity": {"value": "1.0", "unit": "unit"}}
    times = {"startTime": "2026-02-09T11:50:00Z", "endTime": "2026-02-09T12:00:00Z", "authEvents": []}
    request = {"requestId": str(uuid.uuid4()), "idempotentShoppingTripId": trip, "storeId": "STORE-001"}
    return orjson.dumps(request | {"shoppingTrip": times, "cartItems": [line]})


async def probes(app: App) -> dict[str, tuple[Send, Send]]:
    """Return the pairs; both requests of a pair get the same status."""
    keys = {}
    for kind in ("unknown", "expired", "used", "refused"):
        keys[kind] = orjson.loads((await app.call("GET", f"/app/mint/{kind}"))[1])["identityKey"]
    await app.call("POST", CREATE_PURCHASES.path, cart("trip-1"))

    def identify(kind: str) -> Send:
        return lambda: app.status("POST", VERIFY_IDENTITY_KEYS.path, scan(keys[kind]))

    def sign_in(shopper: str) -> Send:
        return lambda: app.status("POST", "/app/session", orjson.dumps({"shopper": shopper, "pin": "000000"}))

    def session(shopper: str) -> Send:
        forged = f"jwo_session={URLSafeSerializer('another key').dumps([2**40, shopper])!s}"
        return lambda: app.status("GET", "/app/session", b"", forged)

    def trip(trip_id: str) -> Send:
        return lambda: app.status("GET", f"/ops/receipts/{trip_id}")

    return {
        "key: expired / unknown": (identify("expired"), identify("unknown")),
        "key: used / unknown": (identify("used"), identify("unknown")),
        "key: refused / unknown": (identify("refused"), identify("unknown")),
        "sign-in: account / unknown id": (sign_in("ada"), sign_in("eve")),
        "cookie: account / unknown id": (session("ada"), session("eve")),
        "trip without token: known / unknown": (trip("trip-1"), trip("trip-2")),
    }


async def timed(send: Send) -> tuple[float, int]:
    """Send a request; return the seconds and the status."""
    started = time.perf_counter()
    status = await send()
    return time.perf_counter() - started, status


async def measure(pair: tuple[Send, Send], pairs: int) -> tuple[list[float], list[float]]:
    """Send the pairs, each in random order, and return the seconds of both requests."""
    seconds: tuple[list[float], list[float]] = ([], [])
    for number in range(pairs + _WARM_UP):
        statuses = set()
        for side in random.sample((0, 1), 2):
            took, status = await timed(pair[side])
            statuses.add(status)
            if number >= _WARM_UP:
                seconds[side].append(took)
        assert len(statuses) == 1, f"the status shows the reason: {statuses}"
    return seconds


def ratio(seconds: tuple[list[float], list[float]], order: list[int]) -> float:
    """Return the ratio of both medians of some pairs."""
    one, other = ([side[number] for number in order] for side in seconds)
    return statistics.median(one) / statistics.median(other)


async def run(pairs: int) -> None:
    """Measure all pairs and print a table."""
    table = Table("refusals", "median us", "ratio", "90 % of resampled ratios", title=f"{pairs:,} pairs each")
    with tempfile.TemporaryDirectory(prefix="jwo-probe-") as folder:
        app = App(Path(folder))
        async with app.app.router.lifespan_context(app.app):
            for name, pair in (await probes(app)).items():
                seconds = await measure(pair, pairs)
                resampled = sorted(
                    ratio(seconds, random.choices(range(pairs), k=pairs))  # noqa: S311 - statistics
                    for _ in range(_RESAMPLED)
                )
                low, high = resampled[_RESAMPLED // 20], resampled[-_RESAMPLED // 20]
                middle = statistics.median(seconds[1]) * 1e6
                found = ratio(seconds, list(range(pairs)))
                table.add_row(name, f"{middle:,.0f}", f"{found:.3f}", f"{low:.3f} to {high:.3f}")
    Console().print(table)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=3000, help="pairs for each line (default: %(default)s)")
    asyncio.run(run(parser.parse_args().pairs))


if __name__ == "__main__":
    main()
