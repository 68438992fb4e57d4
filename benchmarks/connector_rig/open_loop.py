"""Open-loop load on one thread: each request leaves at its planned time, whether or not others are answered.

Its latency counts from the planned time, so that a stall of the server is not hidden. A stall of this client counts
too, so the same schedule also runs against a bare app.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import deque
from typing import NamedTuple, cast

import uvloop

_TICK_S, _WARM_UP_S = 0.0005, 0.5


class Tail(NamedTuple):
    """Sorted seconds of each request: from its planned time to its answer, and from its planned time to its sending."""

    latencies_s: list[float]
    lags_s: list[float]


def at_rate(port: int, path: str, bodies: list[bytes], *, rate: float, connections: int) -> Tail:
    """Send all bodies at a rate per second, and return the times without those of the warm-up."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        return uvloop.run(_Schedule(port, path, bodies, rate).run(connections))
    finally:
        gc.enable()
        gc.unfreeze()


class _Schedule:
    def __init__(self, port: int, path: str, bodies: list[bytes], rate: float) -> None:
        self._port = port
        self._head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n".encode()
        self._bodies = bodies
        self._rate = rate
        self._idle: deque[_Connection] = deque()
        self._next = 0
        self.latencies: list[float] = []
        self.lags: list[float] = []

    async def run(self, connections: int) -> Tail:
        loop = asyncio.get_running_loop()
        self.done: asyncio.Future[None] = loop.create_future()
        for _ in range(connections):
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._port)
            self._idle.append(connection)
        opened = list(self._idle)
        self._started = time.perf_counter()
        self._tick()
        await self.done
        for connection in opened:
            connection.transport.close()
        warm_up = round(_WARM_UP_S * self._rate)
        return Tail(sorted(self.latencies[warm_up:]), sorted(self.lags[warm_up:]))

    def _tick(self) -> None:
        if self._next < len(self._bodies):
            self.send_due()
            asyncio.get_running_loop().call_later(_TICK_S, self._tick)

    def send_due(self) -> None:
        """Send the due requests while there are idle connections; the others wait for an idle connection."""
        due = min(len(self._bodies), int((time.perf_counter() - self._started) * self._rate))
        while self._next < due and self._idle:
            body, planned = self._bodies[self._next], self._started + self._next / self._rate
            self.lags.append(time.perf_counter() - planned)
            self._idle.popleft().send(self._head + b"content-length: %d\r\n\r\n" % len(body) + body, planned)
            self._next += 1

    def answered(self, connection: _Connection, planned: float) -> None:
        """Record the times of one answer."""
        self.latencies.append(time.perf_counter() - planned)
        self._idle.append(connection)
        if len(self.latencies) == len(self._bodies):
            self.done.set_result(None)

    def failed(self, problem: str) -> None:
        """End the run with an error: a measurement with failed requests is not valid."""
        if not self.done.done():
            self.done.set_exception(ConnectionError(problem))


class _Connection(asyncio.Protocol):
    def __init__(self, schedule: _Schedule) -> None:
        self._schedule = schedule
        self._buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def connection_lost(self, _error: Exception | None) -> None:
        self._schedule.failed("the server closed the connection")

    def send(self, message: bytes, planned: float) -> None:
        self._planned = planned
        self.transport.write(message)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]):
            return
        if head[9:10] != b"2":
            self._schedule.failed(head[:30].decode())
        self._buffer = b""
        self._schedule.answered(self, self._planned)
