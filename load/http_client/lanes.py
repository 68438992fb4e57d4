"""The connections to one connector: takes a kept one, makes a new one, and ends what is not answered in time.

There is no limit on how many requests are under way but the system's: waiting for a free lane would be a closed model.
"""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import gevent
from gevent import get_hub

from load.http_client.connection import Address, Connection
from load.http_client.exchange import Exchange, NoAnswer

_SPARE_FILES = 64
_ROOM_FOR = 65_536
"""Open files that are prepared for, where the system allows them; half a megabyte of its memory."""
_SWEEP_EVERY_S = 0.05
_NEW_AT_ONCE = 4
_TRY_FOR_S = 3.0


class Lanes:
    """Sends exchanges; every one comes back through `done`, answered or failed, exactly once."""

    def __init__(self, url: str, read_for_s: float, crossing_s: float, done: Callable[[Exchange], None]) -> None:
        self.address = _address(url)
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
        self._watcher.start(self._woke)
        self._sweeper = gevent.spawn(self._sweep_for_ever)

    @property
    def under_way(self) -> int:
        """How many exchanges have started and not ended."""
        return len(self._under_way)

    @property
    def is_ready(self) -> bool:
        """Whether a request may start before the loop has looked for answers once more.

        Without a kept connection only a few new ones are made at a time: an answer that is there already, and not yet
        read, frees one. Otherwise a generator that fell behind would open connections that nobody needs.
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
        self._put_on_a_lane(exchange)

    def close(self) -> None:
        """Close every connection; what is under way is not reported."""
        self._sweeper.kill()
        self._watcher.stop()
        for connection in [*self._idle, *(lane for _, lane in self._under_way.values())]:
            connection.close()
        self._under_way.clear()

    def answered(self, connection: Connection, exchange: Exchange, *, keep: bool) -> None:
        """Take an answer from a connection."""
        self._under_way.pop(exchange.serial, None)
        if keep:
            self._idle.append(connection)
        self._done(exchange)

    def failed(self, exchange: Exchange, failure: NoAnswer, *, fresh: bool) -> None:
        """Take a failure; what crossed with the close of a kept connection goes out once more, and is counted."""
        self._under_way.pop(exchange.serial, None)
        if not fresh and not exchange.resent:
            exchange.resent = True
            self._put_on_a_lane(exchange, new=True)
            return
        exchange.failure = failure
        self._done(exchange)

    def _put_on_a_lane(self, exchange: Exchange, *, new: bool = False) -> None:
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

    def _woke(self) -> None:
        self.woke_ns = time.perf_counter_ns()
        self._new_this_turn = 0

    def _sweep_for_ever(self) -> None:
        while True:
            gevent.sleep(_SWEEP_EVERY_S)
            self.sweep()

    def sweep(self) -> None:
        """End the exchanges that are past their time limit for reading."""
        now = time.perf_counter_ns()
        while self._order and (self._order[0][0] <= now or self._order[0][1] not in self._under_way):
            _, key = self._order.popleft()
            if key in self._under_way:
                exchange, connection = self._under_way.pop(key)
                connection.close()
                exchange.answered_ns = now
                exchange.failure = NoAnswer.TIMED_OUT
                self._done(exchange)


def _address(url: str) -> Address:
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    family, _, _, _, sockaddr = next((each for each in found if _listens(each[0], each[4])), found[0])
    return Address(family, sockaddr, host, ssl.create_default_context() if parts.scheme == "https" else None)


def _listens(family: int, sockaddr: Any) -> bool:  # noqa: ANN401 - an address of any family
    """Whether a server accepts connections there: a name may have an address without a listener."""
    try:
        with socket.socket(family) as trial:
            trial.settimeout(_TRY_FOR_S)
            trial.connect(sockaddr)
    except OSError:
        return False
    return True


def _most_connections() -> int:
    """Raise this process's limit of open files as far as it may, and leave some for the rest."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = hard if hard != resource.RLIM_INFINITY else 65_536
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    _grow_file_table(min(most, _ROOM_FOR))
    return max(most - _SPARE_FILES, 1)


def _grow_file_table(files: int) -> None:
    """Make the system's table of this process's open files large now.

    It grows by doubling when a file is opened that has no place in it, and a process with threads waits for that: 5 to
    10 ms in the middle of a stall, when every arrival opens a connection.
    """
    with socket.socket() as any_file:
        os.close(fcntl.fcntl(any_file, fcntl.F_DUPFD_CLOEXEC, files - 1))
