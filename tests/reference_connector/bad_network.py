"""A network between a client and a server that cuts, delays and answers by script, on real sockets."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import urlsplit


class Request(NamedTuple):
    """A request that the network received: its path, and all its bytes."""

    path: str
    content: bytes


Fault = Callable[["Exchange"], None]


class Exchange(NamedTuple):
    """One connection, which carries one request."""

    connection: socket.socket
    request: Request
    upstream: str

    def forward(self) -> bytes:
        """Send the request to the server, and return its whole answer."""
        parts = urlsplit(self.upstream)
        head, _, body = self.request.content.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection((parts.hostname, parts.port), 5) as server:
            server.sendall(b"\r\n".join([*lines, b"Connection: close"]) + b"\r\n\r\n" + body)
            received = b""
            while part := server.recv(65536):
                received += part
        return received


class BadNetwork:
    """Forwards each request to a server, after the faults that `faults` lists for its path are used up."""

    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._is_closed = threading.Event()
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.faults: dict[str, list[Fault]] = {}
        """The faults by a part of the path; each applies once."""
        self.requests: list[Request] = []

    def count(self, part: str) -> int:
        """Return the number of requests with this part in their path."""
        return sum(part in request.path for request in self.requests)

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_closed.set()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(connection,), daemon=True).start()

    def _carry(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                request = _read(connection)
                if request is not None:
                    self.requests.append(request)
                    self._fault(request.path)(Exchange(connection, request, self._upstream))
            except OSError:
                pass  # the client went away

    def _fault(self, path: str) -> Fault:
        for part, faults in self.faults.items():
            if part in path and faults:
                return faults.pop(0)
        return works


def _read(connection: socket.socket) -> Request | None:
    content = b""
    while b"\r\n\r\n" not in content:
        part = connection.recv(65536)
        if not part:
            return None
        content += part
    head, _, body = content.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connection.recv(65536)
    return Request(head.split(b" ")[1].decode(), head + b"\r\n\r\n" + body)


def works(exchange: Exchange) -> None:
    """Forward the request and its answer."""
    exchange.connection.sendall(exchange.forward())


def reset(exchange: Exchange) -> None:
    """Reset the connection instead of an answer."""
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def closes(exchange: Exchange) -> None:
    """Close the connection without an answer."""


def loses_the_answer(exchange: Exchange) -> None:
    """Let the server handle the request, and lose its answer."""
    exchange.forward()


def cuts(exchange: Exchange) -> None:
    """Close the connection before the last 10 bytes of the answer."""
    exchange.connection.sendall(exchange.forward()[:-10])


def cuts_without_a_length(exchange: Exchange) -> None:
    """As `cuts`, where only the end of the connection ends the answer."""
    head, _, body = exchange.forward().partition(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].replace(b"HTTP/1.1", b"HTTP/1.0")
    exchange.connection.sendall(status + b"\r\n\r\n" + body[:-10])


def hangs(exchange: Exchange) -> None:
    """Give no answer for 0.6 seconds; the client has given up by then."""
    threading.Event().wait(0.6)
    exchange.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


def drips(exchange: Exchange) -> None:
    """Send an answer slowly: no single wait is long, and the whole answer is."""
    exchange.connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(60):
        exchange.connection.sendall(b" ")
        threading.Event().wait(0.01)


def drips_headers(exchange: Exchange) -> None:
    """As `drips`, before the end of the headers, where an HTTP client does not look at the time."""
    exchange.connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    with suppress(OSError):  # the client has given up
        for _ in range(60):
            exchange.connection.sendall(b"a")
            threading.Event().wait(0.01)


def babbles(exchange: Exchange) -> None:
    """Send bytes that are not HTTP."""
    exchange.connection.sendall(b"\x15\x03\x01 what is this\r\n\r\n")


def answers(status: int, body: bytes = b"", **headers: str) -> Fault:
    """Give this answer instead of the server's; `Retry_After` is the header Retry-After."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]

    def fault(exchange: Exchange) -> None:
        exchange.connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return fault
