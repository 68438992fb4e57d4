"""HTTP over connections that end at a deadline, however steadily the other side sends or takes bytes."""

from __future__ import annotations

import math
import ssl
import threading
from collections.abc import Callable, Iterable
from typing import Any

import httpcore
import httpx

from jwo_toolkit.keep_alive import KEEP_IDLE_S

_BLOCK = 65_536


class Deadline(threading.local):
    """The time of a monotonic clock at which the call of this thread must have ended."""

    at = math.inf

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic

    @property
    def is_over(self) -> bool:
        """Whether the time has come."""
        return self._monotonic() >= self.at

    def shorten(self, timeout_s: float | None, error: type[httpcore.TimeoutException]) -> float | None:
        """Return the shorter one of a time-out and the time that is left. Raises the error if none is left."""
        left_s = self.at - self._monotonic()
        if left_s <= 0:
            raise error("the deadline is over")
        shorter_s = min(left_s, math.inf if timeout_s is None else timeout_s)
        return None if shorter_s == math.inf else shorter_s


class BoundedTransport(httpx.HTTPTransport):
    """The usual transport of HTTPX, with a deadline for each whole exchange."""

    def __init__(self, deadline: Deadline, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool.close()
        self._pool = httpcore.ConnectionPool(context, keepalive_expiry=KEEP_IDLE_S, network_backend=_Network(deadline))


class _Network(httpcore.NetworkBackend):
    def __init__(self, deadline: Deadline) -> None:
        self._network = httpcore.SyncBackend()
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.shorten(timeout, httpcore.ConnectTimeout)
        stream = self._network.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._deadline)


class _Stream(httpcore.NetworkStream):
    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._deadline.shorten(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        for start in range(0, len(buffer), _BLOCK):
            left_s = self._deadline.shorten(timeout, httpcore.WriteTimeout)
            self._stream.write(buffer[start : start + _BLOCK], left_s)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = self._deadline.shorten(timeout, httpcore.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as in the base class
        return self._stream.get_extra_info(info)
