"""Measures the memory of 100,000 shoppers inside at once, each with four items: under 1 GiB."""

from __future__ import annotations

import asyncio
import resource
import tempfile
import time
from decimal import Decimal

from platform_rig.figures import Figure
from platform_rig.rig import chain_services, gate_of, instant_server
from simulator.carts import PIECES, Line
from simulator.composition import StoreServices
from simulator.entry.app_code import Scan

_AT_ONCE = 32


async def measure(people: int) -> list[Figure]:
    """Let all shoppers in and keep them inside; the memory is that of the whole process, with this driver."""
    with instant_server() as url, tempfile.TemporaryDirectory() as folder:
        services = chain_services(
            folder, url, timeout_s=60
        )  # long, because the machine may be busy and only memory is measured
        started = time.perf_counter()
        await _let_in(services, people)
        took, inside = time.perf_counter() - started, len(services.trips.inside())
        most_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        await services.close()
    return [
        Figure("shoppers inside at once, four items each", inside, "", least=people),
        Figure("largest memory of the process", most_mib, "MiB", most=1024),
        Figure("time to let them in", took, "s"),
    ]


async def _let_in(services: StoreServices, people: int) -> None:
    slots = asyncio.Semaphore(_AT_ONCE)

    async def enter(number: int) -> None:
        async with slots:
            decision = await services.gates.scan(gate_of(number), Scan.of_text(f"key {number}"))
            if not decision["opens"]:
                raise SystemExit(f"shopper {number} was not let in: {decision['cause']}")
            trip = await services.trips.find(decision["shoppingTripId"])
            for line in range(4):
                services.trips.take(trip, Line("SKU", f"SKU-{number % 500 + line}", PIECES), Decimal(1))

    for first in range(0, people, 1000):
        await asyncio.gather(*(enter(number) for number in range(first, min(people, first + 1000))))
