"""The fast lane: uvicorn's HTTP protocol, which answers the platform's calls without the ASGI messages in between.

For a plain call the messages, their scope and two separate writes cost more than the decision does. Whatever is not
plain (signed, pipelined, with an upgrade, of another route) goes uvicorn's own way, through the app: see `wire`. It
leans on the inside of uvicorn: its httptools protocol, the request in hand, flow control, the status lines. The tests
ran with the version in constraints.txt; where a name of these is missing, `serving` takes uvicorn's own protocol.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import CLOSE_HEADER
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from reference_connector.dispatch import ConnectorApp, WireCall, WireCalls, lines
from reference_connector.idempotency import Answer

_EXPECT = b"expect"


class _PlainCall(RequestResponseCycle):
    """A call in the fast lane, in the place where uvicorn looks for the request in hand."""

    message_event = asyncio.Event()  # nobody waits for it
    content: bytes | bytearray = b""
    keep_alive = True
    disconnected = False
    response_complete = False

    def __init__(self, calls: WireCalls, call: WireCall) -> None:  # uvicorn's other members are for its own messages
        self.calls = calls
        self.call = call


class AcceleratedProtocol(HttpToolsProtocol):
    """One connection; give the class to uvicorn as its `http`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        app: object = getattr(self.app, "app", self.app)  # uvicorn wraps it when there may be a proxy
        self._calls = _plain_calls(app) if not (self.root_path or self.limit_concurrency) else None
        self._default_headers: tuple[object, bytes] = (None, b"")
        self._idle_since: float | None = None

    def on_message_begin(self) -> None:
        """Start a message; what uvicorn makes for it here waits until it is known to be wanted."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header as it came; what uvicorn makes of it, a plain call does not need."""
        self.headers.append((name, value))
        if len(name) == len(_EXPECT) and name.lower() == _EXPECT:
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """Choose the lane."""
        call = self._calls.plain(self.url) if self._calls is not None and self._is_plain() else None
        if self._calls is not None and call is not None:
            self.cycle = _PlainCall(self._calls, call)
            return
        url, headers = self.url, self.headers
        super().on_message_begin()
        self.url = url
        for name, value in headers:
            super().on_header(name, value)
        super().on_headers_complete()

    def _is_plain(self) -> bool:
        parser = self.parser
        return (
            (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and not self.expect_100_continue
            and parser.get_method() == b"POST"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
            and parser.get_http_version() == "1.1"
        )

    def on_body(self, body: bytes) -> None:
        """Collect the body, up to a little more than is allowed."""
        cycle = self.cycle
        if not isinstance(cycle, _PlainCall) or cycle.response_complete:
            super().on_body(body)
        elif not cycle.content:
            cycle.content = body
        elif len(cycle.content) <= cycle.calls.body_bytes_max:
            if isinstance(cycle.content, bytes):
                cycle.content = bytearray(cycle.content)
            cycle.content += body

    def on_message_complete(self) -> None:
        """Answer, now that all is here."""
        cycle = self.cycle
        if isinstance(cycle, _PlainCall) and not cycle.response_complete:
            cycle.calls.take(cycle.call, bytes(cycle.content), partial(self._write, cycle))
        else:
            super().on_message_complete()

    def _write(self, cycle: _PlainCall, answer: Answer) -> None:
        """Write head and body at once, and let uvicorn go on with the connection; nothing where the caller is gone."""
        if cycle.disconnected or self.transport.is_closing():
            return
        status, body, _ = answer
        close = b"" if cycle.keep_alive else _CLOSE
        headers = STATUS_LINE[status], self._defaults(), cycle.calls.header_lines(answer), close
        self.transport.write(b"%s%s%s%scontent-length: %d\r\n\r\n%s" % (*headers, len(body), body))
        cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        if self.pipeline or not cycle.keep_alive:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
            self._idle_since = self.loop.time()
            if self.timeout_keep_alive_task is None:
                self._close_when_idle(self.timeout_keep_alive)

    def _close_when_idle(self, after_s: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(after_s, self.timeout_keep_alive_handler)

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if nobody used it since the timer was set; it is not set anew for each call."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return  # a call came, and its answer sets the timer again
        left_s = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._close_when_idle(left_s)
        else:
            super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        """Note that a caller is at work; to stop the timer, and to start it again, costs more than the rest of it."""
        self._idle_since = None

    def on_response_complete(self) -> None:
        """Go on as uvicorn does, which sets the timer for each of its answers."""
        super()._unset_keepalive_if_required()
        super().on_response_complete()
        self._idle_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the timer too."""
        super()._unset_keepalive_if_required()
        super().connection_lost(exc)

    def _defaults(self) -> bytes:
        """Return the headers that uvicorn adds to every answer; it makes a new list of them each second."""
        headers = self.server_state.default_headers
        if self._default_headers[0] is not headers:
            self._default_headers = (headers, lines(headers))
        return self._default_headers[1]


def _plain_calls(app: object) -> WireCalls | None:
    """Return the calls that need no look at the request's headers: none where callers must authenticate."""
    calls = app.wire_calls if isinstance(app, ConnectorApp) else None
    return calls if calls is not None and not calls.authenticates else None


_CLOSE = lines((CLOSE_HEADER,))
