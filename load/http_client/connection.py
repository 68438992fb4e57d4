"""One connection: connects, does the TLS handshake, sends one request at a time, parses the answer. It never blocks.

It uses callbacks of the event loop instead of a greenlet: at thousands of requests per second, switching between
greenlets costs more than the requests.
"""

from __future__ import annotations

import errno
import socket
import ssl
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import httptools
from gevent import get_hub, monkey

from jwo_toolkit.content_coding import BadCoding, decoded
from load.http_client.exchange import Exchange, NoAnswer
from load.http_client.tls import Tls

_READ, _WRITE = 1, 2
_CHUNK = 262_144
_LARGEST_ANSWER = 4_000_000
_FIRST_FINAL = 200
"""The lowest status of a final answer; 1xx statuses come before it."""
_LENGTHS = (b"content-length", b"transfer-encoding")
_CODING = b"content-encoding"
_LOCAL_ERRORS = {
    errno.EMFILE: NoAnswer.NO_FILE,
    errno.ENFILE: NoAnswer.NO_FILE,
    errno.EADDRNOTAVAIL: NoAnswer.NO_PORT,
    errno.ENOBUFS: NoAnswer.NO_BUFFER,
    errno.ENOMEM: NoAnswer.NO_BUFFER,
}
"""Errors of this machine's limits; any other connect error comes from the network or the peer."""
_make_socket = monkey.get_original("socket", "socket")


class Address(NamedTuple):
    """The resolved address of the connector; `context` is set for https."""

    family: int
    sockaddr: Any
    host: str
    context: ssl.SSLContext | None = None


class Owner(Protocol):
    """Receives the results of a connection and its exchange."""

    address: Address
    woke_ns: int
    crossing_ns: int
    """A close within this time after sending may cross the request; a later close is a reaction to it."""

    def answered(self, connection: Connection, exchange: Exchange, *, keep: bool) -> None:
        """Receive a complete exchange; `keep` says that the connection can take another."""

    def failed(self, exchange: Exchange, failure: NoAnswer, *, fresh: bool) -> None:
        """Receive an exchange without an answer; `fresh` is False if the peer was closing a kept connection."""


class Connection:
    """Carries one exchange at a time for its owner."""

    def __init__(self, owner: Owner, exchange: Exchange) -> None:
        self.closed = False
        self._owner = owner
        self._exchange: Exchange | None = exchange
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._complete = False
        self._keep = False
        self._has_length = False
        self._content_encoding = ""
        self._ends_with_close = False
        self._carried = 0
        self._received = 0
        self._sent_ns = 0
        context = owner.address.context
        self._tls = Tls(context, owner.address.host) if context else None
        self._unsent = b""
        self._connect()

    def send(self, exchange: Exchange) -> None:
        """Send a request on this idle connection."""
        self._exchange = exchange
        self._sent_ns = time.perf_counter_ns()
        self._guarded(self._write, exchange.request)

    def is_open(self) -> bool:
        """Return whether an idle connection can take another request; a close by the peer may be unread."""
        if self.closed:
            return False
        try:
            unread = self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            unread = b""
        if unread and self._tls:  # a session ticket may arrive at any time
            return True
        self.close()
        return False

    def close(self) -> None:
        """Close the socket; the caller ends the exchange."""
        if not self.closed:
            self.closed = True
            self._exchange = None
            self._reader.stop()
            self._writer.stop()
            self._reader.close()
            self._writer.close()
            self._sock.close()
            del self._parser  # breaks a reference cycle: the garbage collector hardly runs during a load

    def on_body(self, part: bytes) -> None:
        """Store a part of the answer's body; the parser calls this."""
        self._body.append(part)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note the coding of the body, and whether a header gives its length; the parser calls this."""
        lower_name = name.lower()
        if lower_name in _LENGTHS:
            self._has_length = True
        elif lower_name == _CODING:
            self._content_encoding = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Ask the parser whether the connection stays open; the parser forgets this at the end of the message."""
        self._keep = bool(self._parser.should_keep_alive())
        is_answer = self._parser.get_status_code() >= _FIRST_FINAL
        self._ends_with_close = is_answer and not self._keep and not self._has_length
        self._has_length = False

    def on_message_complete(self) -> None:
        """Note that the answer is complete; the parser calls this."""
        self._complete = self._parser.get_status_code() >= _FIRST_FINAL

    def _connect(self) -> None:
        try:
            self._sock = _make_socket(self._owner.address.family, socket.SOCK_STREAM)
        except OSError as error:
            self.closed = True  # there is no socket to close
            self._end(_LOCAL_ERRORS.get(error.errno or 0, NoAnswer.NO_BUFFER))
            return
        self._sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = get_hub().loop
        self._reader = loop.io(self._sock.fileno(), _READ)
        self._writer = loop.io(self._sock.fileno(), _WRITE)
        code = self._sock.connect_ex(self._owner.address.sockaddr)
        if code not in (0, errno.EINPROGRESS):
            self._end(_LOCAL_ERRORS.get(code, NoAnswer.REFUSED))
            return
        self._writer.start(self._on_connected)

    def _on_connected(self) -> None:
        self._writer.stop()
        if self._sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._end(NoAnswer.REFUSED)
        elif self._exchange:
            self._reader.start(self._on_readable)
            self._guarded(self._write, self._exchange.request)

    def _write(self, plain: bytes) -> None:
        self._unsent += self._tls.wrap(plain) if self._tls else plain
        self._flush()

    def _flush(self) -> None:
        try:
            sent = self._sock.send(self._unsent)
        except BlockingIOError:
            sent = 0
        self._unsent = self._unsent[sent:]
        if self._unsent:
            self._writer.start(self._on_writable)

    def _on_writable(self) -> None:
        self._writer.stop()
        self._guarded(self._flush)

    def _on_readable(self) -> None:
        self._guarded(self._read)

    def _read(self) -> None:
        try:
            raw = self._sock.recv(_CHUNK)
        except BlockingIOError:
            return
        now = time.perf_counter_ns()
        if self._exchange is None:  # the peer closed an idle connection, or sent an answer without a request
            if not raw or not self._tls:
                self.close()
            return
        self._received += len(raw)
        plain = self._plain(raw) if self._tls and raw else raw
        if plain:
            self._parser.feed_data(plain)
        if not raw and not self._complete:
            self._at_end()
        if self._complete and self._exchange:
            self._finish(self._exchange, now)
        elif self._received > _LARGEST_ANSWER:
            self._end(NoAnswer.NOT_HTTP)

    def _plain(self, raw: bytes) -> bytes:
        assert self._tls is not None
        plain, back = self._tls.unwrap(raw)
        if back:
            self._unsent += back
            self._flush()
        return plain

    def _at_end(self) -> None:
        """Handle a close by the peer: it ends a body without a length, and breaks any other answer."""
        if self._ends_with_close:
            self._complete = True
        else:
            self._end(NoAnswer.BROKEN)

    def _finish(self, exchange: Exchange, now: int) -> None:
        exchange.answered_ns = now
        exchange.read_delay_ns = now - self._owner.woke_ns
        exchange.status = self._parser.get_status_code()
        body, coding = b"".join(self._body), self._content_encoding
        self._body.clear()
        self._content_encoding = ""
        if coding:
            try:
                body = decoded(body, coding, _LARGEST_ANSWER)
            except BadCoding:
                self._end(NoAnswer.NOT_HTTP)
                return
        exchange.body = body
        self._exchange = None
        self._complete = False
        self._ends_with_close = False
        self._carried += 1
        self._received = 0
        if not self._keep:
            self.close()
        self._owner.answered(self, exchange, keep=self._keep)

    def _guarded(self, step: Callable[..., None], *arguments: bytes) -> None:
        try:
            step(*arguments)
        except httptools.HttpParserCallbackError as error:  # an error of this class, or an interrupt inside a callback
            raise error.__context__ or error from None
        except httptools.HttpParserError:
            self._end(NoAnswer.NOT_HTTP)
        except (OSError, ssl.SSLError):
            self._end(NoAnswer.BROKEN)

    def _end(self, failure: NoAnswer) -> None:
        exchange = self._exchange
        noticed_ns = self._owner.woke_ns  # excludes the time that the loop spent on other connections
        crossed = noticed_ns - self._sent_ns <= self._owner.crossing_ns
        fresh = not self._carried or bool(self._received) or not crossed
        self.close()
        if exchange is not None:
            exchange.answered_ns = time.perf_counter_ns()
            self._owner.failed(exchange, failure, fresh=fresh)
