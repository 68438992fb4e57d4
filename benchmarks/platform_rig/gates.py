"""Measures the delay that the platform adds to a decision: p99 under 5 ms at 500 scans a second, on one core.

There are 2,000 gates in 250 stores. The first measurement sends scans as users do: over HTTP to the control API of a
platform process on its own core. The second one scans in this process, as `jwo shop` does. Scans are due at fixed
times, independent of the platform. The delay is the time from the due time until the decision arrives. It contains the
wait for a busy loop, the network in both directions, all the work of the platform, and the time of the instant
connector, which is small.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import orjson

from jwo.processes import Processes
from jwo_toolkit.garbage_collection import tune_garbage_collector
from platform_rig.figures import Figure, percentile
from platform_rig.rig import GATES, STORES, chain_services, gate_of, instant_server, pin, set_up_chain
from simulator.app import COLLECTOR_THRESHOLDS
from simulator.entry.app_code import Scan

RATE = 500
_WARM_UP = 400
_MOST_MS = 5
_PLATFORM_CORE, _DRIVER_CORE = 0, 1
_ENTRIES = 2
"""Journal entries for each scan: the call and the decision."""
Scanning = Callable[[int], Awaitable[bool]]


async def measure(seconds: int) -> list[Figure]:
    """Measure over HTTP, and in this process."""
    return [*await _over_http(seconds), *await _in_process(seconds)]


async def _over_http(seconds: int) -> list[Figure]:
    pin(os.getpid(), _DRIVER_CORE)
    with instant_server() as connector, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = {
            "JWO_PLATFORM_STORES_ALONE": "true",
            "JWO_PLATFORM_AWS_ENDPOINT_URL": "http://127.0.0.1:9",
            "JWO_PLATFORM_DATABASE_PATH": str(folder / "platform.sqlite3"),
            "JWO_PLATFORM_JOURNAL_PATH": str(folder / "journal.ndjson"),
        }
        with Processes(folder) as processes:
            child = processes.start("platform", ["platform"], settings)
            pin(child.process.pid, _PLATFORM_CORE)
            set_up_chain(child.url, connector)
            control = ControlClient(child.url)
            # A full collection stops this driver for 60 ms, which delays one scan in a hundred.
            tune_garbage_collector(COLLECTOR_THRESHOLDS)
            cpu = _cpu_s(child.process.pid)
            figures = await _timed("over HTTP", control.scan, seconds)
            cpu = _cpu_s(child.process.pid) - cpu
            control.close()
        entries = (folder / "journal.ndjson").read_bytes().count(b"\n")
    share = 100 * cpu / (seconds + _WARM_UP / RATE)
    return [
        *figures,
        Figure("over HTTP: share of one core", share, "%", most=100),
        Figure("over HTTP: entries in the journal", entries, "", least=_ENTRIES * (RATE * seconds + _WARM_UP)),
    ]


async def _in_process(seconds: int) -> list[Figure]:
    with instant_server() as connector, tempfile.TemporaryDirectory() as name:
        pin(os.getpid(), _PLATFORM_CORE)
        services = chain_services(name, connector)
        tune_garbage_collector(COLLECTOR_THRESHOLDS)

        async def scan(number: int) -> bool:
            decision = await services.gates.scan(gate_of(number), Scan.of_text(f"valid_shopper_key {number}"))
            return bool(decision["opens"])

        cpu = time.process_time()
        figures = await _timed("in process", scan, seconds)
        cpu, entries = time.process_time() - cpu, len(services.journal)
        await services.close()
    return [
        *figures,
        Figure("in process: share of one core", 100 * cpu / (seconds + _WARM_UP / RATE), "%", most=100),
        Figure("in process: entries in the journal", entries, "", least=_ENTRIES * (RATE * seconds + _WARM_UP)),
    ]


async def _timed(how: str, scan: Scanning, seconds: int) -> list[Figure]:
    """Scan at fixed times, at all gates in turn."""
    await _scan_at_fixed_times(scan, _WARM_UP)
    whole, opened, took_s = await _scan_at_fixed_times(scan, RATE * seconds)
    return [
        Figure(f"{how}: gates of the chain", STORES * GATES, "", least=2000),
        Figure(f"{how}: scans a second", len(whole) / took_s, "/s", least=0.98 * RATE),
        Figure(f"{how}: gates opened", opened, "", least=len(whole)),
        Figure(f"{how}: added to a decision, p50", percentile(whole, 0.5) * 1000, "ms"),
        Figure(f"{how}: added to a decision, p99", percentile(whole, 0.99) * 1000, "ms", most=_MOST_MS),
        Figure(f"{how}: added to a decision, worst", max(whole) * 1000, "ms"),
    ]


async def _scan_at_fixed_times(scan: Scanning, count: int) -> tuple[list[float], int, float]:
    """Return the seconds from each due time to its decision, the number of opened gates, and the total seconds."""
    whole: list[float] = []
    opened = 0

    async def one(number: int, due: float) -> None:
        nonlocal opened
        opens = await scan(number)
        opened += opens  # a separate statement: `opened += await …` would lose the counts made during the wait
        whole.append(time.perf_counter() - due)

    start, tasks = time.perf_counter() + 0.1, []
    for number in range(count):
        due = start + number / RATE
        if (left := due - time.perf_counter()) > 0:
            await asyncio.sleep(left)
        tasks.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*tasks)
    return whole, opened, time.perf_counter() - start


class ControlClient:
    """Scans over HTTP; it keeps connections open, and opens another one if none is idle."""

    def __init__(self, url: str) -> None:
        self._host, _, port = url.removeprefix("http://").partition(":")
        self._port = int(port)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def scan(self, number: int) -> bool:
        """Show a code at a gate; returns whether it opened."""
        while self._idle and self._idle[-1][0].at_eof():  # the platform closes connections that are idle for seconds
            self._idle.pop()[1].close()
        connection = self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
        reader, writer = connection
        body = b'{"text":"valid_shopper_key %d"}' % number
        writer.write(
            b"POST /gates/%s/scans HTTP/1.1\r\nHost: platform\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (gate_of(number).encode(), len(body), body)
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        decision = orjson.loads(await reader.readexactly(length))
        self._idle.append(connection)
        return bool(decision["opens"])

    def close(self) -> None:
        """Close the idle connections."""
        for _, writer in self._idle:
            writer.close()


def _cpu_s(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
