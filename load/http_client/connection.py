"""One connection: connects, shakes hands, sends one request at a time and parses the answer, all without blocking.

It lives in callbacks of the event loop instead of a greenlet of its own: at thousands of requests a second the switches
between greenlets cost more than the requests.
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

from load.http_client.exchange import Exchange, NoAnswer
from load.http_client.tls import Tls

_READ, _WRITE = 1, 2
_CHUNK = 262_144
_LARGEST_ANSWER = 4_000_000
_FIRST_FINAL = 200
"""A status of 1xx comes before the answer."""
_LENGTHS = (b"content-length", b"transfer-encoding")
_HERE = {
    errno.EMFILE: NoAnswer.NO_FILE,
    errno.ENFILE: NoAnswer.NO_FILE,
    errno.EADDRNOTAVAIL: NoAnswer.NO_PORT,
    errno.ENOBUFS: NoAnswer.NO_BUFFER,
    errno.ENOMEM: NoAnswer.NO_BUFFER,
}
"""What this machine says when it is out of something; any other error of a connect comes from the way or the peer."""
_make_socket = monkey.get_original("socket", "socket")


class Address(NamedTuple):
    """Where to connect, resolved once; `context` is there for https."""

    family: int
    sockaddr: Any
    host: str
    context: ssl.SSLContext | None = None


class Owner(Protocol):
    """The listener that a connection notifies about itself and its exchange."""

    address: Address
    woke_ns: int
    crossing_ns: int
    """A close within this time of sending may have crossed it; a later one is the peer's answer to the request."""

    def answered(self, connection: Connection, exchange: Exchange, *, keep: bool) -> None:
        """The exchange is complete; `keep` when the connection can take another."""

    def failed(self, exchange: Exchange, failure: NoAnswer, *, fresh: bool) -> None:
        """The exchange ended without an answer; not `fresh` when a kept connection was being closed already."""


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
        """Whether an idle connection takes another request: the peer's close may be received but unread."""
        if self.closed:
            return False
        try:
            lies_there = self._sock.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            lies_there = b""
        if lies_there and self._tls:  # a session ticket may come at any time
            return True
        self.close()
        return False

    def close(self) -> None:
        """Let go of the socket; the exchange is the caller's to end."""
        if not self.closed:
            self.closed = True
            self._exchange = None
            self._reader.stop()
            self._writer.stop()
            self._reader.close()
            self._writer.close()
            self._sock.close()
            del self._parser  # it refers back here, and the garbage collector hardly runs during a load

    def on_body(self, part: bytes) -> None:
        """Take a part of the answer's body from the parser."""
        self._body.append(part)

    def on_header(self, name: bytes, _value: bytes) -> None:
        """Note a header that says where the body ends."""
        if name.lower() in _LENGTHS:
            self._has_length = True

    def on_headers_complete(self) -> None:
        """Ask the parser now whether the connection is kept: after the message it has forgotten."""
        self._keep = bool(self._parser.should_keep_alive())
        is_answer = self._parser.get_status_code() >= _FIRST_FINAL
        self._ends_with_close = is_answer and not self._keep and not self._has_length
        self._has_length = False

    def on_message_complete(self) -> None:
        """Note that the answer is whole; the parser calls this."""
        self._complete = self._parser.get_status_code() >= _FIRST_FINAL

    def _connect(self) -> None:
        try:
            self._sock = _make_socket(self._owner.address.family, socket.SOCK_STREAM)
        except OSError as error:
            self.closed = True  # there is nothing to let go of
            self._end(_HERE.get(error.errno or 0, NoAnswer.NO_BUFFER))
            return
        self._sock.setblocking(False)  # noqa: FBT003 - the standard library's signature
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop = get_hub().loop
        self._reader = loop.io(self._sock.fileno(), _READ)
        self._writer = loop.io(self._sock.fileno(), _WRITE)
        code = self._sock.connect_ex(self._owner.address.sockaddr)
        if code not in (0, errno.EINPROGRESS):
            self._end(_HERE.get(code, NoAnswer.REFUSED))
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
        if self._exchange is None:  # closed by the peer while idle, or an answer that nobody asked for
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
        """The peer closed: that ends a body without a length, and breaks any other."""
        if self._ends_with_close:
            self._complete = True
        else:
            self._end(NoAnswer.BROKEN)

    def _finish(self, exchange: Exchange, now: int) -> None:
        exchange.answered_ns = now
        exchange.read_delay_ns = now - self._owner.woke_ns
        exchange.status = self._parser.get_status_code()
        exchange.body = b"".join(self._body)
        self._exchange = None
        self._body.clear()
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
        except httptools.HttpParserCallbackError as error:  # it is ours, or an interrupt that struck there
            raise error.__context__ or error from None
        except httptools.HttpParserError:
            self._end(NoAnswer.NOT_HTTP)
        except (OSError, ssl.SSLError):
            self._end(NoAnswer.BROKEN)

    def _end(self, failure: NoAnswer) -> None:
        exchange = self._exchange
        heard_ns = self._owner.woke_ns  # however busy the loop was before it came to this connection
        crossed = heard_ns - self._sent_ns <= self._owner.crossing_ns
        fresh = not self._carried or bool(self._received) or not crossed
        self.close()
        if exchange is not None:
            exchange.answered_ns = time.perf_counter_ns()
            self._owner.failed(exchange, failure, fresh=fresh)
