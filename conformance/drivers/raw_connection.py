"""A raw connection: it sends a request slowly, sends half of a request, or pipelines several requests.

The requests are ordinary and signed; only their timing differs from that of an HTTP library.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import h11

from conformance.drivers.exchange import Answer, Exchange
from jwo_contract.gate import NoAnswer
from jwo_contract.operations import Operation
from jwo_toolkit.content_coding import BadCoding, decoded

_LARGEST_ANSWER = 4_000_000
_PIECES = 8
_NOTICED_S = 0.1
"""Within this time a connector notices new bytes, or the end of the connection."""
_CHUNK_BYTES = 65536

Request = tuple[Mapping[str, str], bytes]


class Wire(NamedTuple):
    """How to reach a connector: the most seconds to wait for bytes, and the TLS context for https."""

    wait_s: float
    tls: ssl.SSLContext


class RawConnection:
    """One connection and the requests for it. Each method opens it, sends, and closes it."""

    def __init__(
        self,
        operation: Operation,
        url: str,
        requests: Sequence[Request],
        now: Callable[[], datetime],
        record: Callable[[Exchange], Exchange],
        wire: Wire,
    ) -> None:
        self._operation, self._url, self._requests, self._wire = operation, url, requests, wire
        self._now, self._record = now, record

    def send_slowly(self, seconds: float, label: str) -> Exchange:
        """Send the first request in pieces within `seconds`, and return the exchange."""
        headers, body = self._requests[0]
        raw, started_at, start = self._raw(headers, body), self._now(), time.perf_counter()
        step = -(-len(raw) // _PIECES)
        try:
            with self._connected() as connection:
                for index in range(0, len(raw), step):
                    connection.sendall(raw[index : index + step])
                    time.sleep(seconds / _PIECES)
                answer, detail = AnswerReader(connection).read()
        except OSError as error:
            answer, detail = None, f"the connection failed: {error}"
        return self._exchange(self._requests[0], started_at, time.perf_counter() - start, answer, detail, label)

    def break_off(self) -> None:
        """Send the first request without the second half of its body, and close the connection, without an answer."""
        headers, body = self._requests[0]
        try:
            with self._connected() as connection:
                connection.sendall(self._raw(headers, body)[: -len(body) // 2])
                time.sleep(_NOTICED_S)
            time.sleep(_NOTICED_S)
        except OSError:
            return  # which side closes first does not matter

    def send_pipelined(self) -> list[Exchange]:
        """Send all requests before reading, and return the answered ones; a connector may close after any answer."""
        started_at, start = self._now(), time.perf_counter()
        exchanges = []
        try:
            with self._connected() as connection:
                connection.sendall(b"".join(self._raw(headers, body) for headers, body in self._requests))
                reader = AnswerReader(connection)
                for request in self._requests:
                    answer, detail = reader.read()
                    elapsed_s = time.perf_counter() - start
                    exchanges.append(self._exchange(request, started_at, elapsed_s, answer, detail, ""))
        except OSError:
            pass  # which side closes first does not matter
        return [exchange for exchange in exchanges if exchange.answer]

    def _connected(self) -> socket.socket:
        parts = urlsplit(self._url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        connection = socket.create_connection((host, port), self._wire.wait_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.scheme != "https":
            return connection
        return self._wire.tls.wrap_socket(connection, server_hostname=host)

    def _raw(self, headers: Mapping[str, str], body: bytes) -> bytes:
        path = urlsplit(self._url).path
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body

    def _exchange(
        self, request: Request, started_at: datetime, elapsed_s: float, answer: Answer | None, detail: str, label: str
    ) -> Exchange:
        headers, body = request
        failure = None if answer else NoAnswer.NO_CONNECTION
        return self._record(
            Exchange(
                self._operation,
                "POST",
                self._url,
                headers,
                body,
                started_at,
                elapsed_s,
                answer,
                failure,
                detail,
                label,
                measured=False,
            )
        )


class AnswerReader:
    """Reads one answer after the other from a socket, and keeps extra bytes for the next answer."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._left_over: tuple[bytes, bool] = (b"", False)

    def read(self) -> tuple[Answer | None, str]:
        """Return the next final answer, or None and the reason; interim (1xx) answers are skipped."""
        try:
            return self._final_answer(), ""
        except (h11.ProtocolError, OSError, BadCoding) as error:
            return None, f"no complete answer: {type(error).__name__}"

    def _final_answer(self) -> Answer:
        parser = _parser_after_post()
        content, is_closed = self._left_over
        _feed(parser, content, is_closed=is_closed)
        head: h11.Response | None = None
        body = bytearray()
        while not isinstance(event := parser.next_event(), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif event is h11.NEED_DATA:
                content = self._socket.recv(_CHUNK_BYTES)
                _feed(parser, content, is_closed=not content)
            elif not isinstance(event, h11.InformationalResponse):
                raise h11.RemoteProtocolError("the connection ended before the answer")
        self._left_over = parser.trailing_data
        assert head is not None  # h11 reports the end of a message after its head
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in head.headers.raw_items()}
        coding = ", ".join(value for name, value in headers.items() if name.lower() == "content-encoding")
        return Answer(head.status_code, headers, decoded(bytes(body), coding, _LARGEST_ANSWER))


def _feed(parser: h11.Connection, content: bytes, *, is_closed: bool) -> None:
    if content:
        parser.receive_data(content)
    if is_closed:
        parser.receive_data(b"")


def _parser_after_post() -> h11.Connection:
    """Return a parser in the state after a POST; the socket itself has sent the bytes."""
    parser = h11.Connection(h11.CLIENT)
    parser.send(h11.Request(method="POST", target="/", headers=[("Host", "connector"), ("Content-Length", "0")]))
    parser.send(h11.EndOfMessage())
    return parser
