"""The connections to one connector: uses a kept one or opens a new one, and ends exchanges without an answer in time.

Only the system limits the number of requests under way: waiting for a free connection would be a closed model.
"""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent import get_hub

from jwo_toolkit.tls import client_context
from load.http_client.connection import Address, Connection
from load.http_client.exchange import Exchange, NoAnswer

_SPARE_FILES = 64
_FILES_PREPARED = 65_536
"""The size of the file table, if the system allows it; it takes half a megabyte of memory."""
_SWEEP_EVERY_S = 0.05
_NEW_AT_ONCE = 4
_TRY_FOR_S = 3.0


class ConnectionPool:
    """Sends exchanges, and passes each to `done` exactly once, with its answer or its failure."""

    def __init__(
        self, url: str, read_for_s: float, crossing_s: float, done: Callable[[Exchange], None], ca_file: str = ""
    ) -> None:
        self.address = _address(url, ca_file)
        self.woke_ns = time.perf_counter_ns()
        self.crossing_ns = int(crossing_s * 1e9)
        self.most = _most_connections()
        self._read_for_ns = int(read_for_s * 1e9)
        self._done = done
        self._serial = 0
        self._new_this_turn = 0
        self._idle: list[Connection] = []
        self._under_way: dict[int, tuple[Exchange, Connection]] = {}
        self._order: deque[tuple[int, int]] = deque()
        self._watcher = get_hub().loop.check()
        self._watcher.start(self._on_loop_wake)
        self._sweeper = gevent.spawn(self._sweep_repeatedly)

    @property
    def under_way(self) -> int:
        """The number of exchanges that have started and not ended."""
        return len(self._under_way)

    @property
    def is_ready(self) -> bool:
        """Whether a request may start before the loop reads answers again.

        Without a kept connection, the pool opens only a few new ones at a time, as an unread answer may free one.
        Otherwise a generator that is late would open connections that it does not need.
        """
        return bool(self._idle) or self._new_this_turn < _NEW_AT_ONCE

    def send(self, exchange: Exchange) -> None:
        """Start an exchange now."""
        exchange.started_ns = time.perf_counter_ns()
        self._serial += 1
        exchange.serial = self._serial
        if len(self._under_way) >= self.most:
            self.failed(exchange, NoAnswer.NO_FILE, fresh=True)
            return
        self._order.append((exchange.started_ns + self._read_for_ns, exchange.serial))
        self._assign_connection(exchange)

    def close(self) -> None:
        """Close every connection, without a result for exchanges under way."""
        self._sweeper.kill()
        self._watcher.stop()
        for connection in [*self._idle, *(busy for _, busy in self._under_way.values())]:
            connection.close()
        self._under_way.clear()

    def answered(self, connection: Connection, exchange: Exchange, *, keep: bool) -> None:
        """Receive an answer from a connection."""
        self._under_way.pop(exchange.serial, None)
        if keep:
            self._idle.append(connection)
        self._done(exchange)

    def failed(self, exchange: Exchange, failure: NoAnswer, *, fresh: bool) -> None:
        """Receive a failure. A request that crossed the close of a kept connection is sent once more, and counted."""
        self._under_way.pop(exchange.serial, None)
        if not fresh and not exchange.resent:
            exchange.resent = True
            self._assign_connection(exchange, new=True)
            return
        exchange.failure = failure
        self._done(exchange)

    def _assign_connection(self, exchange: Exchange, *, new: bool = False) -> None:
        while self._idle and not new:
            connection = self._idle.pop()
            if connection.is_open():
                self._under_way[exchange.serial] = (exchange, connection)
                connection.send(exchange)
                return
        exchange.cold = True
        self._new_this_turn += 1
        connection = Connection(self, exchange)
        if not connection.closed:
            self._under_way[exchange.serial] = (exchange, connection)

    def _on_loop_wake(self) -> None:
        self.woke_ns = time.perf_counter_ns()
        self._new_this_turn = 0

    def _sweep_repeatedly(self) -> None:
        while True:
            gevent.sleep(_SWEEP_EVERY_S)
            self.sweep()

    def sweep(self) -> None:
        """End the exchanges that have waited too long for an answer."""
        now = time.perf_counter_ns()
        while self._order and (self._order[0][0] <= now or self._order[0][1] not in self._under_way):
            _, key = self._order.popleft()
            if key in self._under_way:
                exchange, connection = self._under_way.pop(key)
                connection.close()
                exchange.answered_ns = now
                exchange.failure = NoAnswer.TIMED_OUT
                self._done(exchange)


def _address(url: str, ca_file: str) -> Address:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, _, _, _, sockaddr = next((each for each in found if _accepts_connections(each[0], each[4])), found[0])
    return Address(family, sockaddr, host, client_context(ca_file) if parts.scheme == "https" else None)


def _accepts_connections(family: int, sockaddr: Any) -> bool:  # noqa: ANN401 - an address of any family
    """Return whether an address accepts connections; not every address of a name has a listener."""
    try:
        with socket.socket(family) as trial:
            trial.settimeout(_TRY_FOR_S)
            trial.connect(sockaddr)
    except OSError:
        return False
    return True


def _most_connections() -> int:
    """Raise this process's limit of open files to its maximum, and return it less a reserve."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else 65_536
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    _grow_file_table(min(most, _FILES_PREPARED))
    return max(most - _SPARE_FILES, 1)


def _grow_file_table(files: int) -> None:
    """Grow the system's table of this process's open files now.

    The table doubles when it is full, and a process with threads waits for that: 5 to 10 ms in the middle of a stall,
    when every arrival opens a connection.
    """
    with socket.socket() as any_file:
        os.close(fcntl.fcntl(any_file, fcntl.F_DUPFD_CLOEXEC, files - 1))
