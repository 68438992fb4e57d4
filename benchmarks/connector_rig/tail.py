"""Measurements of the connector alone: with signatures, at 70 % of its peak rate, and over many requests."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvloop
from rich.console import Console
from rich.table import Table

from connector_rig.bodies import SCAN_PATH, a_scan
from connector_rig.client import Connection
from connector_rig.hammer import hammer
from contract import sigv4

_KEY = sigv4.Key("AKIDEXAMPLE", "a-secret")
_CALLER = {
    "JWO_CONNECTOR_CALLER__MODE": "sigv4",
    "JWO_CONNECTOR_CALLER__ACCESS_KEY_ID": _KEY.access_key_id,
    "JWO_CONNECTOR_CALLER__SECRET_ACCESS_KEY": _KEY.secret_access_key,
}
_LANES, _SHARE_OF_PEAK = 64, 0.7


def _scans(count: int) -> Iterator[bytes]:
    return iter([a_scan() for _ in range(count)])


def sigv4_cost(bench: Any, given: argparse.Namespace, console: Console) -> None:  # noqa: ANN401 - the Bench that calls
    """Show what checking a signature costs, beside the same call without."""
    open_one, signed = bench.start("connector-open"), bench.start("connector-sigv4", _CALLER)
    table = Table("Verify Identity Keys", "CPU us", "rate /s")
    count = round(given.seconds * 8000)
    plain = hammer(open_one.port, open_one.pid, SCAN_PATH, _scans(count), seconds=given.seconds, connections=_LANES)
    rates = asyncio.run(_signed_rounds(signed.port, signed.pid, given.seconds))
    table.add_row("authentication off", f"{plain.cpu_us:.0f}", f"{plain.rate:,.0f}")
    table.add_row("SigV4 on", f"{rates[0]:.0f}", f"{rates[1]:,.0f}")
    console.print(table)


async def _signed_rounds(port: int, pid: int, seconds: float) -> tuple[float, float]:
    from connector_rig.hammer import cpu_s  # noqa: PLC0415 - beside its one use

    ready = [_signed(port) for _ in range(round(seconds * 1500))]
    queue, done = iter(ready), 0

    async def lane() -> None:
        nonlocal done
        async with Connection(port) as connection:
            for body, headers in queue:
                reply = await connection.post(SCAN_PATH, body, headers)
                assert reply.status == 200, reply
                done += 1

    cpu, started = cpu_s(pid), time.perf_counter()
    await asyncio.gather(*(lane() for _ in range(_LANES)))
    return (cpu_s(pid) - cpu) / done * 1e6, done / (time.perf_counter() - started)


def _signed(_port: int) -> tuple[bytes, bytes]:
    body = a_scan()
    url = f"http://127.0.0.1{SCAN_PATH}"
    headers = sigv4.sign("POST", url, {"host": "127.0.0.1"}, body, _KEY, region="us-east-1", now=datetime.now(UTC))
    wanted = ("Authorization", "X-Amz-Date")
    return body, b"".join(f"{name}: {headers[name]}\r\n".encode() for name in wanted)


def latency(bench: Any, given: argparse.Namespace, console: Console) -> None:  # noqa: ANN401 - as above
    """Send at 70 % of the peak rate, on a schedule of its own, and show the tail."""
    server = bench.start("connector-tail")
    count = round(given.seconds * 20_000)
    peaks = [
        hammer(server.port, server.pid, SCAN_PATH, _scans(count), seconds=given.seconds, connections=_LANES).rate
        for _ in range(3)
    ]
    rate = statistics.median(peaks) * _SHARE_OF_PEAK
    latencies = sorted(uvloop.run(_at_rate(server.port, rate, 4 * given.seconds)))
    table = Table("peak /s", "rate /s", "requests", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "aim p99.9")
    at = lambda share: f"{latencies[min(len(latencies) - 1, int(share * len(latencies)))] * 1e3:.1f}"  # noqa: E731 - one expression
    figures = (statistics.median(peaks), rate, len(latencies))
    table.add_row(*(f"{figure:,.0f}" for figure in figures), at(0.5), at(0.99), at(0.999), at(1), "< 20")
    console.print(table)


async def _at_rate(port: int, rate: float, seconds: float) -> list[float]:
    """Send each request at its planned moment, and count the time from that moment: a late start is not hidden."""
    bodies = [a_scan() for _ in range(round(rate * seconds))]
    started, latencies = time.perf_counter() + 0.2, list[float]()
    numbers = iter(range(len(bodies)))

    async def lane() -> None:
        async with Connection(port) as connection:
            for number in numbers:
                planned = started + number / rate
                await asyncio.sleep(max(0.0, planned - time.perf_counter()))
                reply = await connection.post(SCAN_PATH, bodies[number])
                assert reply.status == 200, reply
                latencies.append(time.perf_counter() - planned)

    await asyncio.gather(*(lane() for _ in range(4 * _LANES)))
    return latencies


def memory(bench: Any, given: argparse.Namespace, console: Console) -> None:  # noqa: ANN401 - as above
    """Show the server's memory over many requests."""
    server, total = bench.start("connector-memory"), 1_000_000 if given.full else 100_000
    table = Table("requests", "resident MiB")
    sent = 0
    while sent < total:
        found = hammer(server.port, server.pid, SCAN_PATH, _scans(100_000), seconds=2, connections=_LANES)
        before, sent = sent, sent + found.requests
        if before * 10 // total != sent * 10 // total:
            table.add_row(f"{sent:,}", f"{_resident_mib(server.pid):.1f}")
    console.print(table)


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("the process has no VmRSS")
