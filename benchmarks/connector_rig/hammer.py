"""Closed-loop load on one thread: each of N connections sends its next request after the answer to the last one.

The client never sleeps. The system would charge the server for waking the client on another core, most of all a server
that answers in batches. A real gate is never on the server's machine.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast

import uvloop


class Round(NamedTuple):
    """One measured round: answered requests, its length, and the server's CPU seconds in it."""

    requests: int
    seconds: float
    cpu_s: float
    latencies_s: list[float]
    statuses: dict[int, int]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    @property
    def cpu_us(self) -> float:
        """The server's CPU microseconds per request; other processes on the core hardly change it."""
        return self.cpu_s / max(1, self.requests) * 1e6


class _Connection(asyncio.Protocol):
    def __init__(self, path: str, bodies: Iterator[bytes], ends_at: float, latencies: list[float]) -> None:
        self._head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n".encode()
        self._bodies = bodies
        self._ends_at = ends_at
        self._latencies = latencies
        self._buffer = b""
        self._sent_at = 0.0
        self.statuses: dict[int, int] = {}
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server closed the connection"))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        start = self._buffer.lower().find(b"content-length:") + 15
        length = int(self._buffer[start : self._buffer.index(b"\r\n", start)])
        if len(self._buffer) < end + 4 + length:
            return
        now = time.perf_counter()
        self._latencies.append(now - self._sent_at)
        status = int(self._buffer[9:12])
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self._buffer = b""
        if now < self._ends_at:
            self._send()
        else:
            self._end()

    def _end(self) -> None:
        self.done.set_result(None)
        self._transport.close()

    def _send(self) -> None:
        body = next(self._bodies, b"")
        if not body:
            self._end()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(self._head + b"content-length: %d\r\n\r\n" % len(body) + body)


def hammer(port: int, pid: int, path: str, bodies: Iterator[bytes], *, seconds: float, connections: int) -> Round:
    """Load a server for some seconds; ends early if the bodies run out."""
    return uvloop.run(_hammer(port, pid, path, bodies, seconds, connections))


async def _hammer(port: int, pid: int, path: str, bodies: Iterator[bytes], seconds: float, connections: int) -> Round:
    loop, latencies = asyncio.get_running_loop(), cast("list[float]", [])
    cpu, started = cpu_s(pid), time.perf_counter()
    opened = [_Connection(path, bodies, started + seconds, latencies) for _ in range(connections)]
    for each in opened:
        await loop.create_connection(lambda each=each: each, "127.0.0.1", port)  # type: ignore[misc] # bound to this connection
    done = asyncio.gather(*(each.done for each in opened))
    _stay_awake(loop, done)
    await done
    elapsed, used = time.perf_counter() - started, cpu_s(pid) - cpu
    statuses: dict[int, int] = {}
    for each in opened:
        for status, count in each.statuses.items():
            statuses[status] = statuses.get(status, 0) + count
    return Round(len(latencies), elapsed, used, latencies, statuses)


def _stay_awake(loop: asyncio.AbstractEventLoop, until: asyncio.Future[list[None]]) -> None:
    if not until.done():
        loop.call_soon(_stay_awake, loop, until)


def cpu_s(pid: int) -> float:
    """Return the CPU seconds that all threads of a process have used; the resolution is a nanosecond."""
    stats = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(stat.read_text("ascii").split()[0]) for stat in stats) / 1e9
