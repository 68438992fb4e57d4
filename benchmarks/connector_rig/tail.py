"""Measures the connector alone: with signatures, at shares of its peak rate, and over many requests.

The aim of the tail is at 30 % of the peak, where neither side is at its limit. `sent late` is the delay between the
planned time of a request and its sending; with the bare app it is the generator's own lag. Measured on two cores, three
rounds each:

- On a quiet machine the generator is on time at 70 %, about 19,000 requests a second: 0.1 ms late (p99.9) to the bare
  app. The connector is at its limit there: p99.9 is 22 to 35 ms. Requests wait up to 21 ms of it for one of 256
  connections, since a backlog forms behind each slow commit. At 50 % it is 16 to 25 ms, at 30 % 8 to 13 ms.
- With other processes on the machine the generator falls behind too. At 70 % it sent to the bare app 70 ms to 2 s late,
  so its figures contain its own backlog: tails of 17 to 382 ms. At 30 % it was 0.2 to 3 ms late, and the connector's
  p99.9 was 10 to 25 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from connector_rig.aims import Aim, below
from connector_rig.bodies import CART_PATH, SCAN_PATH, a_cart_of_ten, a_scan
from connector_rig.client import Connection
from connector_rig.hammer import cpu_s, hammer
from connector_rig.open_loop import Tail, at_rate
from connector_rig.servers import ServerProcess
from jwo_contract import sigv4

_KEY = sigv4.Key("AKIDEXAMPLE", "a-secret")
_CALLER = {
    "JWO_CONNECTOR_CALLER__MODE": "sigv4",
    "JWO_CONNECTOR_CALLER__ACCESS_KEY_ID": _KEY.access_key_id,
    "JWO_CONNECTOR_CALLER__SECRET_ACCESS_KEY": _KEY.secret_access_key,
}
_SIGNED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "Verify Identity Keys": (SCAN_PATH, a_scan),
    "Create Purchases, 10 lines": (CART_PATH, a_cart_of_ten),
}
_CONNECTIONS, _JUDGED = 64, 0.3
_SHARES_OF_PEAK = (_JUDGED, 0.5, 0.7)
_QUANTILES = (0.5, 0.99, 0.999, 1.0)


def _scans(count: int) -> Iterator[bytes]:
    return iter([a_scan() for _ in range(count)])


def sigv4_cost(bench: Any, given: argparse.Namespace, console: Console) -> list[Aim]:  # noqa: ANN401 - the Bench that calls
    """Show the cost of checking a signature: each call with and without one."""
    open_one, signed = bench.start("connector-open"), bench.start("connector-sigv4", _CALLER)
    table = Table("SigV4", "CPU us, off", "CPU us, on", "rate /s, off", "rate /s, on", "ratio by CPU")
    for name, (path, make) in _SIGNED.items():
        seconds, bodies = given.seconds, iter([make() for _ in range(round(given.seconds * 8000))])
        plain = hammer(open_one.port, open_one.pid, path, bodies, seconds=seconds, connections=_CONNECTIONS)
        cpu_us, rate = asyncio.run(_signed_round(signed, path, make, seconds))
        rates = f"{plain.rate:,.0f}", f"{rate:,.0f}"
        table.add_row(name, f"{plain.cpu_us:.0f}", f"{cpu_us:.0f}", *rates, f"{cpu_us / plain.cpu_us:.2f}")
    console.print(table)
    return []


async def _signed_round(
    server: ServerProcess, path: str, make: Callable[[], bytes], seconds: float
) -> tuple[float, float]:
    ready = [_signed(path, make()) for _ in range(round(seconds * 1500))]
    queue, done = iter(ready), 0

    async def send_all() -> None:
        nonlocal done
        async with Connection(server.port) as connection:
            for body, headers in queue:
                reply = await connection.post(path, body, headers)
                assert reply.status < 300, reply
                done += 1

    cpu, started = cpu_s(server.pid), time.perf_counter()
    await asyncio.gather(*(send_all() for _ in range(_CONNECTIONS)))
    return (cpu_s(server.pid) - cpu) / done * 1e6, done / (time.perf_counter() - started)


def _signed(path: str, body: bytes) -> tuple[bytes, bytes]:
    url = f"http://127.0.0.1{path}"
    headers = sigv4.sign("POST", url, {"host": "127.0.0.1"}, body, _KEY, region="us-east-1", now=datetime.now(UTC))
    wanted = ("Authorization", "X-Amz-Date")
    return body, b"".join(f"{name}: {headers[name]}\r\n".encode() for name in wanted)


def latency(bench: Any, given: argparse.Namespace, console: Console) -> list[Aim]:  # noqa: ANN401 - as above
    """Send at shares of the peak rate, at planned times, and show the tails; see the module's docstring."""
    server, bare = bench.start("connector-tail"), bench.start("bare")
    peak = statistics.median(_peak(server, given.seconds) for _ in range(3))
    table = Table("share", "/s", "of", "p50 ms", "p99 ms", "p99.9 ms", "max ms", "sent late, p99.9 ms")
    judged = []
    for share, _ in itertools.product(_SHARES_OF_PEAK, range(given.rounds)):
        for name, subject in (("the connector", server), ("a bare app: client and machine", bare)):
            tail = _at_rate(subject.port, peak * share, 2 * given.seconds)
            at = [_quantile_ms(tail.latencies_s, quantile) for quantile in _QUANTILES]
            late = _quantile_ms(tail.lags_s, 0.999)
            figures = (f"{figure:.1f}" for figure in (*at, late))
            table.add_row(f"{share:.0%}", f"{peak * share:,.0f}", name, *figures)
            judged += [at[2]] if subject is server and share == _JUDGED else []
    bare.stop()
    console.print(table)
    return [below(f"p99.9 at {_JUDGED:.0%} of the peak, median of the rounds", 20, statistics.median(judged), " ms")]


def _quantile_ms(ordered_s: list[float], quantile: float) -> float:
    return ordered_s[min(len(ordered_s) - 1, int(quantile * len(ordered_s)))] * 1e3


def _peak(server: ServerProcess, seconds: float) -> float:
    bodies = _scans(round(seconds * 20_000))
    return hammer(server.port, server.pid, SCAN_PATH, bodies, seconds=seconds, connections=_CONNECTIONS).rate


def _at_rate(port: int, rate: float, seconds: float) -> Tail:
    bodies = [a_scan() for _ in range(round(rate * seconds))]
    return at_rate(port, SCAN_PATH, bodies, rate=rate, connections=4 * _CONNECTIONS)


def memory(bench: Any, given: argparse.Namespace, console: Console) -> list[Aim]:  # noqa: ANN401 - as above
    """Show the server's memory over many requests; its caches fill during the first 100,000 or so."""
    server, total = bench.start("connector-memory"), 1_000_000 if given.full else 250_000
    table = Table("requests", "resident MiB")
    sent, sizes = 0, list[float]()
    while sent < total:
        want = min(20_000, total // 10)
        sent += hammer(server.port, server.pid, SCAN_PATH, _scans(want), seconds=60, connections=_CONNECTIONS).requests
        if sent * 10 // total > len(sizes):
            sizes.append(_resident_mib(server.pid))
            table.add_row(f"{sent:,}", f"{sizes[-1]:.1f}")
    console.print(table)
    return [below("memory at the end, as a multiple of the memory half-way", 1.05, sizes[-1] / sizes[len(sizes) // 2])]


def _resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text("ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise LookupError("the process has no VmRSS")
