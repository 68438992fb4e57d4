"""A connection driven by hand: bytes that come slowly, a request that breaks off, two requests without a pause.

What is sent are ordinary requests, signed like any other; only their timing is not what an HTTP library would do.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http.client import HTTPException, HTTPResponse
from typing import BinaryIO
from urllib.parse import urlsplit

from conformance.drivers.exchange import Answer, Exchange
from contract.gate import NoAnswer
from contract.operations import Operation

_WAIT_S = 10.0
_PIECES = 8
_NOTICED_S = 0.1
"""Within this a connector has noticed what came, or that nothing more comes."""

Request = tuple[Mapping[str, str], bytes]


class Wire:
    """One connection, and the requests that are to go over it; each method uses it up."""

    def __init__(
        self,
        operation: Operation,
        url: str,
        requests: Sequence[Request],
        now: Callable[[], datetime],
        kept: Callable[[Exchange], Exchange],
    ) -> None:
        self._operation, self._url, self._requests = operation, url, requests
        self._now, self._kept = now, kept

    def slowly(self, seconds: float, label: str) -> Exchange:
        """Send the first request in pieces over so many seconds and return what came."""
        headers, body = self._requests[0]
        raw, started_at, start = self._raw(headers, body), self._now(), time.perf_counter()
        step = -(-len(raw) // _PIECES)
        try:
            with self._connected() as connection:
                for index in range(0, len(raw), step):
                    connection.sendall(raw[index : index + step])
                    time.sleep(seconds / _PIECES)
                with connection.makefile("rb") as stream:
                    answer, detail = _read(stream)
        except OSError as error:
            answer, detail = None, f"the connection failed: {error}"
        return self._exchange(self._requests[0], started_at, time.perf_counter() - start, answer, detail, label)

    def break_off(self) -> None:
        """Send half of the first request and close the connection; nothing can come back."""
        headers, body = self._requests[0]
        try:
            with self._connected() as connection:
                connection.sendall(self._raw(headers, body)[: -len(body) // 2])
                time.sleep(_NOTICED_S)
            time.sleep(_NOTICED_S)
        except OSError:
            return  # who hangs up first does not matter

    def without_a_pause(self) -> list[Exchange]:
        """Send all requests before reading; a connector may close after an answer, so there may be fewer exchanges."""
        started_at, start = self._now(), time.perf_counter()
        exchanges = []
        try:
            with self._connected() as connection, connection.makefile("rb") as stream:
                connection.sendall(b"".join(self._raw(headers, body) for headers, body in self._requests))
                for request in self._requests:
                    answer, detail = _read(stream)
                    elapsed_s = time.perf_counter() - start
                    exchanges.append(self._exchange(request, started_at, elapsed_s, answer, detail, ""))
        except OSError:
            pass  # as above
        return [exchange for exchange in exchanges if exchange.answer]

    def _connected(self) -> socket.socket:
        parts = urlsplit(self._url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        connection = socket.create_connection((host, port), _WAIT_S)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme != "https":
            return connection
        return ssl.create_default_context().wrap_socket(connection, server_hostname=host)

    def _raw(self, headers: Mapping[str, str], body: bytes) -> bytes:
        path = urlsplit(self._url).path
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

    def _exchange(
        self, request: Request, started_at: datetime, elapsed_s: float, answer: Answer | None, detail: str, label: str
    ) -> Exchange:
        headers, body = request
        failure = None if answer else NoAnswer.NO_CONNECTION
        return self._kept(
            Exchange(
                self._operation, "POST", self._url, headers, body, started_at, elapsed_s, answer, failure, detail, label
            )
        )


class _Unclosed(io.RawIOBase):
    """Stands for a socket to `HTTPResponse`, which would close the stream after one answer."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def makefile(self, _mode: str) -> _Unclosed:
        return self

    def readline(self, size: int | None = -1, /) -> bytes:
        return self._stream.readline(-1 if size is None else size)

    def read(self, size: int = -1, /) -> bytes:
        return self._stream.read(size)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what HTTPResponse hands in
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        return len(content)


def _read(stream: BinaryIO) -> tuple[Answer | None, str]:
    response = HTTPResponse(_Unclosed(stream))  # type: ignore[arg-type]  # it needs no more of a socket than makefile
    try:
        response.begin()
        return Answer(response.status, dict(response.headers.items()), response.read()), ""
    except (HTTPException, OSError, ValueError) as error:
        return None, f"no whole answer: {type(error).__name__}"
