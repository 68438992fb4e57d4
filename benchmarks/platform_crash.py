"""Kills the platform with SIGKILL many times while people shop, then counts lost carts and carts delivered twice.

Shoppers behave as gates and cameras do: they look up and repeat each step without an acknowledgement. The platform owes
a cart as soon as it has acknowledged the exit. A cart is delivered if the connector has answered 201; a refused cart is
not delivered. At the end, no delivery may be pending or a dead letter. The script sets the store up once: a killed
platform has to keep it.

Run: python benchmarks/platform_crash.py [--kills 10] [--shoppers 8]
"""

from __future__ import annotations

import argparse
import asyncio
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.background import BackgroundTask

from jwo.processes import Child, Processes

_DRAINED_WITHIN_S = 60
STORE, GATES = "STORE-001", tuple(f"GATE-{number}" for number in range(8))


class Connector:
    """A small connector: accepts all visitors, stores all carts, and fails one cart in five at the first attempt."""

    def __init__(self) -> None:
        self.seen: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        """All attempts, by trip."""
        self.taken: Counter[str] = Counter()
        """How often the connector answered 201 to a trip's cart."""
        self.trips_of_event: defaultdict[str, set[str]] = defaultdict(set)
        self.url = ""

    def app(self) -> FastAPI:
        """Return the connector as an app."""
        app = FastAPI()

        @app.post("/v1/identity/identity-keys")
        async def identity(_request: Request) -> dict[str, Any]:
            return {"visitorDetails": {"id": "visitor", "type": "SHOPPER"}}

        @app.post("/v1/order/purchases", status_code=201)
        async def purchases(request: Request) -> Any:  # noqa: ANN401 - an answer, or a failure
            body = orjson.loads(await request.body())
            trip = body["idempotentShoppingTripId"]
            self.seen[trip].append(body)
            for event in body["shoppingTrip"]["authEvents"]:
                self.trips_of_event[event["id"]].add(trip)
            if len(self.seen[trip]) == 1 and random.random() < 0.2:  # noqa: S311 - chance in a test
                return JSONResponse({}, 503)
            answer = {"purchaseId": f"purchase-of-{trip}" if body["cartItems"] else ""}
            return JSONResponse(answer, 201, background=BackgroundTask(self._count, trip))

        return app

    async def _count(self, trip: str) -> None:
        """Count a cart after its 201 was sent."""
        self.taken[trip] += 1


class Platform:
    """The platform as a process that can be killed and started again on the same file."""

    def __init__(self, processes: Processes, folder: Path, aws_url: str, connector_url: str) -> None:
        self._processes = processes
        self._folder = folder
        self._aws_url = aws_url
        self._connector_url = connector_url
        self._starts = 0
        self.child: Child | None = None

    @property
    def url(self) -> str:
        """Return the current address."""
        assert self.child is not None
        return self.child.url

    async def start(self) -> None:
        """Start the platform; the first time, set up its store."""
        self._starts += 1
        settings = {
            "JWO_PLATFORM_AWS_ENDPOINT_URL": self._aws_url,
            "JWO_PLATFORM_DATABASE_PATH": str(self._folder / "platform.sqlite3"),
            "JWO_PLATFORM_DELIVERY__BACKOFF_FIRST_S": "0.2",
            "JWO_PLATFORM_DELIVERY__BACKOFF_MAX_S": "1",
        }
        name = f"platform-{self._starts}"
        self.child = await asyncio.to_thread(self._processes.start, name, ["platform"], settings)
        if self._starts > 1:
            return
        setup = {"retailer": "r", "gates": GATES, "connector": {"url": self._connector_url}}
        async with httpx.AsyncClient(trust_env=False) as http:
            (await http.put(f"{self.url}/portal/stores/{STORE}", json=setup)).raise_for_status()

    def kill(self) -> None:
        """Kill the process with SIGKILL."""
        assert self.child is not None
        self.child.process.send_signal(signal.SIGKILL)
        self.child.process.wait()


class Forgotten(Exception):
    """The platform let a shopper in and then lost the trip."""


class Shopper:
    """Visits the store repeatedly, and records the carts that the platform owes."""

    def __init__(self, platform: Platform, gate: str, owed: dict[str, list[str]]) -> None:
        self._platform = platform
        self._gate = gate
        self._owed = owed
        self._http = httpx.AsyncClient(trust_env=False, timeout=5)
        self.stop = False
        self.forgotten = 0

    async def run(self) -> None:
        """Shop until `stop` is set."""
        number = 0
        while not self.stop:
            number += 1
            try:
                await self._visit(number)
            except Forgotten:
                self.forgotten += 1
        await self._http.aclose()

    async def _visit(self, number: int) -> None:
        decision = await self._until("POST", f"/gates/{self._gate}/scans", {"text": "a key"})
        trip, skus = decision["shoppingTripId"], [f"SKU-{number}-{line}" for line in range(random.randrange(5))]  # noqa: S311 - as above
        for sku in skus:
            await self._pick(trip, sku)
        await self._until("POST", f"/trips/{trip}/leave")
        self._owed[trip] = skus

    async def _pick(self, trip: str, sku: str) -> None:
        """Put an item into the cart; without an acknowledgement, check the cart before the next attempt."""
        while True:
            try:
                answer = await self._http.post(f"{self._platform.url}/trips/{trip}/pick", json={"sku": sku})
                if answer.status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            shown = await self._until("GET", f"/trips/{trip}")
            if sku in [item["id"] for item in shown["cartItems"]]:
                return

    async def _until(self, method: str, path: str, body: Any = None) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        while True:
            try:
                answer = await self._http.request(method, self._platform.url + path, json=body)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 404 and path.startswith("/trips"):
                raise Forgotten
            if answer.status_code == 200 and answer.json().get("opens", True):
                return dict(answer.json())
            await asyncio.sleep(0.05)


async def crash(kills: int, shoppers: int) -> int:
    """Run the test; returns the number of lost trips, and of lost, changed, doubled, pending and dead carts."""
    connector, owed = Connector(), dict[str, list[str]]()
    listener = socket.create_server(("127.0.0.1", 0))
    connector.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(connector.app(), log_level="warning"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    with tempfile.TemporaryDirectory() as name, Processes(Path(name)) as processes:
        aws = await asyncio.to_thread(processes.start, "aws", ["aws"])
        platform = Platform(processes, Path(name), aws.url, connector.url)
        await platform.start()
        people = [Shopper(platform, gate, owed) for gate in GATES[:shoppers]]
        shopping = [asyncio.create_task(one.run()) for one in people]
        for _ in range(kills):
            await asyncio.sleep(random.uniform(0.5, 2.0))  # noqa: S311 - as above
            platform.kill()
            await platform.start()
        for one in people:
            one.stop = True
        await asyncio.gather(*shopping)
        counts = await _drained(platform)
    server.should_exit = True
    await serving
    return _judge(owed, connector, kills, sum(one.forgotten for one in people), counts)


async def _drained(platform: Platform) -> dict[str, int]:
    """Wait up to a minute until no delivery is pending; returns the number of deliveries in each state."""
    deadline = time.monotonic() + _DRAINED_WITHIN_S
    async with httpx.AsyncClient(trust_env=False) as http:
        while True:
            counts = dict((await http.get(f"{platform.url}/deliveries/counts")).json())
            if not counts["pending"] or time.monotonic() > deadline:
                return counts
            await asyncio.sleep(0.1)


def _judge(owed: dict[str, list[str]], connector: Connector, kills: int, forgotten: int, counts: dict[str, int]) -> int:
    lost = [trip for trip in owed if not connector.taken[trip]]
    changed = [
        trip
        for trip, skus in owed.items()
        for cart in connector.seen.get(trip, [])
        if {item["id"]: item["quantity"]["value"] for item in cart["cartItems"]} != dict.fromkeys(skus, "1.0")
    ]
    twice = [event for event, trips in connector.trips_of_event.items() if len(trips) > 1]
    attempts = sum(map(len, connector.seen.values()))
    print(f"kills                        {kills:>8}")
    print(f"exits acknowledged           {len(owed):>8}")
    print(f"attempts at the connector    {attempts:>8}")
    print(f"shoppers inside forgotten    {forgotten:>8}")
    print(f"carts lost                   {len(lost):>8}")
    print(f"carts changed                {len(set(changed)):>8}")
    print(f"entries under two trip ids   {len(twice):>8}")
    print(f"carts still pending          {counts['pending']:>8}")
    print(f"dead letters                 {counts['dead_letter']:>8}")
    left = counts["pending"] + counts["dead_letter"]
    return forgotten + len(lost) + len(set(changed)) + len(twice) + left


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--shoppers", type=int, default=8, choices=range(1, len(GATES) + 1))
    given = parser.parse_args()
    sys.exit(1 if asyncio.run(crash(given.kills, given.shoppers)) else 0)
