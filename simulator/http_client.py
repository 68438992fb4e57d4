"""One HTTP/1.1 call over its own connection, with the network failures that a fault may ask for.

Each call opens a connection: an idle connection that the connector closed would look like the connector's failure. The
client follows no redirects. The time limit covers the whole call, from connecting to the last byte.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
import time
from typing import NamedTuple, cast
from urllib.parse import quote, urlsplit

import httptools

from jwo_contract.gate import NoAnswer
from jwo_toolkit.content_coding import BadCoding, decoded
from jwo_toolkit.tls import client_context
from simulator.errors import BadCall

_SAFE = "/%:@!$&'()*+,;=~-._"
_PIECES = 20
_MAY_END_EARLY_S = 0.002
"""An event loop that counts in whole milliseconds rounds a wait and its start, so a wait may end this much early."""
_LONGEST_ANSWER = 20_000_000
_SWITCHED, _FIRST_FINAL = 101, 200


class Reply(NamedTuple):
    """An answer, or in `failure` the reason why there is no answer."""

    status: int | None
    headers: dict[str, str]
    body: bytes
    failure: NoAnswer | None
    problem: str = ""
    """Where the call failed, as a short code with a detail after a colon, such as `tls_certificate: has expired`."""


class Tampering(NamedTuple):
    """Changes to a call: the body takes `slow_s`, or the connection closes in the middle of it or just after it."""

    slow_s: float = 0.0
    cut: bool = False
    hang_up: bool = False


NO_TAMPERING = Tampering()


async def post(
    url: str,
    headers: dict[str, str],
    body: bytes,
    timeout_s: float,
    tampering: Tampering = NO_TAMPERING,
    ca_file: str = "",
) -> Reply:
    """Send, and wait exactly `timeout_s` real seconds for the whole answer; `ca_file` holds further certificates."""
    started = time.monotonic()
    head, exchange = _head(url, headers, len(body)), _Exchange(asyncio.get_running_loop())
    parts = urlsplit(url)
    secure = client_context(ca_file) if parts.scheme == "https" else None
    try:
        async with asyncio.timeout(timeout_s + _MAY_END_EARLY_S):
            await exchange.connect(_ascii(parts.hostname or ""), parts.port or (443 if secure else 80), secure)
            await _send(exchange, head, body, tampering)
            reply = await exchange.done
    except TimeoutError:
        return Reply(None, {}, b"", NoAnswer.TIMED_OUT, exchange.phase)
    except OSError as error:
        return Reply(None, {}, b"", NoAnswer.NO_CONNECTION, _connection_problem(error))
    finally:
        exchange.close()
    in_time = time.monotonic() - started <= timeout_s
    return reply if in_time else Reply(None, {}, b"", NoAnswer.TIMED_OUT, exchange.phase)


def _connection_problem(error: OSError) -> str:
    """Return the code of a failed connection, with its detail."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"tls_certificate: {error.verify_message}"
    if isinstance(error, ssl.SSLError):
        return f"tls: {(error.reason or 'no handshake').lower().replace('_', ' ')}"
    if isinstance(error, socket.gaierror):
        return f"unknown_host: {error.strerror}"
    if isinstance(error, ConnectionRefusedError) or f"[Errno {errno.ECONNREFUSED}]" in str(error):
        return "refused"
    return f"unreachable: {error.strerror or error}"


async def _send(exchange: _Exchange, head: bytes, body: bytes, tampering: Tampering) -> None:
    if tampering.cut or tampering.hang_up:
        exchange.write(head + (body[: len(body) // 2] if tampering.cut else body))
        exchange.close()
        raise ConnectionAbortedError
    if not tampering.slow_s:
        exchange.write(head + body)
        return
    exchange.write(head)
    size = max(1, len(body) // _PIECES)
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    started = time.monotonic()
    for number, piece in enumerate(pieces, 1):
        left_s = started + tampering.slow_s * number / len(pieces) - time.monotonic()
        await asyncio.sleep(max(left_s, 0.0) + _MAY_END_EARLY_S)
        exchange.write(piece)


def _head(url: str, headers: dict[str, str], length: int) -> bytes:
    parts = urlsplit(url)
    target = quote(parts.path or "/", safe=_SAFE) + (f"?{parts.query}" if parts.query else "")
    default = {"http": 80, "https": 443}[parts.scheme]
    host = _ascii(parts.hostname or "")
    host = f"[{host}]" if ":" in host else host
    named = {
        "Host": host if parts.port in {None, default} else f"{host}:{parts.port}",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": "jwo-platform",
        **headers,
        "Content-Length": str(length),
    }
    lines = [f"POST {target} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
    if any("\r" in line or "\n" in line for line in lines):
        raise BadCall("a header of the connector contains a line break; save the connector without it")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise BadCall(f"the host {host[:80]!r} of the connector is no host name; save the connector again") from error


class _Exchange(asyncio.Protocol):
    """Reads one answer; `done` receives the result. The parser calls the methods with names that begin with `on_`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.done: asyncio.Future[Reply] = loop.create_future()
        self._loop = loop
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.WriteTransport | None = None
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []
        self._size = 0
        self._whole = False

    async def connect(self, host: str, port: int, context: ssl.SSLContext | None) -> None:
        name = host if context else None
        await self._loop.create_connection(lambda: self, host, port, ssl=context, server_hostname=name)

    @property
    def phase(self) -> str:
        """The phase that the call is in: connecting, waiting for the answer, or reading it."""
        if self._transport is None:
            return "connecting"
        return "reading" if self._headers else "waiting"

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
        self.done.cancel()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._end(Reply(None, {}, b"", NoAnswer.MALFORMED_ANSWER, "not_http"))

    def connection_lost(self, _error: Exception | None) -> None:
        framed = {"content-length", "transfer-encoding"} & self._headers.keys()
        if self._whole and not framed:
            self._end(self._reply())
        self._end(Reply(None, {}, b"", NoAnswer.NO_CONNECTION, "closed"))

    def on_message_begin(self) -> None:
        self._headers, self._body, self._whole = {}, [], False

    def on_header(self, name: bytes, value: bytes) -> None:
        key = name.decode("latin-1").lower()
        self._headers[key] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._whole = self._parser.get_status_code() >= _FIRST_FINAL

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > _LONGEST_ANSWER:
            self._end(Reply(None, {}, b"", NoAnswer.MALFORMED_ANSWER, "too_long"))
            return
        self._body.append(data)

    def on_message_complete(self) -> None:
        if self._parser.get_status_code() >= _FIRST_FINAL or self._parser.get_status_code() == _SWITCHED:
            self._end(self._reply())

    def _reply(self) -> Reply:
        body = b"".join(self._body)
        try:
            body = decoded(body, self._headers.get("content-encoding", ""), _LONGEST_ANSWER)
        except BadCoding:
            return Reply(None, {}, b"", NoAnswer.MALFORMED_ANSWER, "content_encoding")
        return Reply(self._parser.get_status_code(), self._headers, body, None)

    def _end(self, reply: Reply) -> None:
        if not self.done.done():
            self.done.set_result(reply)
