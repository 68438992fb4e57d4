"""uvicorn's HTTP protocol with a shorter path, which answers the platform's calls without ASGI messages.

For a plain call the ASGI messages, their scope, a task and two writes cost more than the decision. So a complete POST
to one of the calls, unsigned and not pipelined, goes to the dispatcher directly. The protocol runs the dispatcher's
coroutine until it waits for the store, resumes it when the store reports, and sends the answer in one write. All other
requests go through the app, as uvicorn sends them. The path uses internals of uvicorn: `uvicorn_check` lists them, and
refuses a uvicorn that lacks one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterable
from functools import lru_cache
from types import coroutine
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from jwo_contract.operations import SHOPPER_AUTHORIZATION
from jwo_toolkit.no_upgrade import NoUpgradeProtocol
from reference_connector.accelerated.waiter import DirectWaiter
from reference_connector.dispatch import Call, ConnectorApp, Dispatcher, Headers
from reference_connector.messages import Answer

_ASK_OTHERS = {SHOPPER_AUTHORIZATION}
"""Calls of which the handler waits for more than the store. They run in a task, as asyncio's timeouts need one."""
_EXPECT = b"expect"
_CLOSE = b"connection: close\r\n"


class _Exchange(RequestResponseCycle):
    """A call and its answer; uvicorn keeps it as the current request."""

    message_event = asyncio.Event()  # uvicorn sets it; nothing waits for it
    content: bytes | bytearray = b""
    keep_alive = True
    disconnected = False
    response_complete = False

    def __init__(self, protocol: AcceleratedProtocol, dispatcher: Dispatcher, call: Call) -> None:
        """Set our own attributes only: the others serve uvicorn's ASGI messages."""
        self.dispatcher = dispatcher
        self._protocol = protocol
        self._call = call
        self._answering: Coroutine[Any, Any, Answer]

    def start(self) -> None:
        """Answer the call after its body is complete."""
        self._answering = self.dispatcher.answer(self._call, self._read)
        if self._call.operation in _ASK_OTHERS:
            self._protocol.finish_in_task(self, self._answering)
        else:
            self._step()

    async def _read(self) -> bytes:
        body = bytes(self.content)
        self.dispatcher.check_size(body)
        return body

    def _step(self, _waiter: DirectWaiter | None = None) -> None:
        """Run the dispatcher's coroutine until it waits or ends. The store's waiter calls this again."""
        try:
            waits_for = self._answering.send(None)
        except StopIteration as end:
            self._protocol.write_answer(self, end.value)
            return
        if type(waits_for) is DirectWaiter:
            waits_for.add_done_callback(self._step)
        else:
            self._protocol.finish_in_task(self, _resumed(self._answering, waits_for))


@coroutine
def _resumed(answering: Coroutine[Any, Any, Answer], waits_for: Any) -> Generator[Any, Any, Answer]:  # noqa: ANN401 - any awaitable of asyncio
    """Continue a coroutine that waits for something other than the store."""
    while True:
        try:
            try:
                yield waits_for
            except BaseException as error:  # noqa: BLE001 - the coroutine gets what its task gets
                waits_for = answering.throw(error)
            else:
                waits_for = answering.send(None)
        except StopIteration as end:
            answer: Answer = end.value
            return answer


class AcceleratedProtocol(NoUpgradeProtocol):
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
        is_direct = not (self.root_path or self.limit_concurrency)
        self._dispatcher = _unsigned_calls(app) if is_direct else None
        self._admin_port = app.admin.port if isinstance(app, ConnectorApp) and app.admin else None
        self._default_headers: tuple[object, bytes] = (None, b"")
        self._idle_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn declares it
        """Begin as uvicorn does. A connection to the admin listener gets no answers to the platform's calls."""
        super().connection_made(transport)
        if self._admin_port is not None and self.server is not None and self.server[1] == self._admin_port:
            self._dispatcher = None

    def on_message_begin(self) -> None:
        """Start a request. uvicorn's own objects for it are made later, and only if they are needed."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the raw header; a plain call does not need uvicorn's form of it."""
        self.headers.append((name, value))
        if len(name) == len(_EXPECT) and name.lower() == _EXPECT:
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """Choose the path of this request: to the dispatcher, or to uvicorn."""
        if self.stops_here():
            return
        dispatcher = self._dispatcher
        if dispatcher is not None and self._is_plain():
            call = dispatcher.calls.get(self.url.decode("latin-1"))
            if call is not None:
                self.cycle = _Exchange(self, dispatcher, call)
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
            and parser.get_http_version() == "1.1"
        )

    def on_body(self, body: bytes) -> None:
        """Collect the body, until it is longer than the limit."""
        cycle = self.cycle
        if not isinstance(cycle, _Exchange) or cycle.response_complete:
            super().on_body(body)
        elif not cycle.content:
            cycle.content = body
        elif len(cycle.content) <= cycle.dispatcher.body_bytes_max:
            if isinstance(cycle.content, bytes):
                cycle.content = bytearray(cycle.content)
            cycle.content += body

    def on_message_complete(self) -> None:
        """Answer after the request is complete."""
        if self.has_stopped:
            return
        cycle = self.cycle
        if isinstance(cycle, _Exchange) and not cycle.response_complete:
            cycle.start()
        else:
            super().on_message_complete()

    def finish_in_task(self, cycle: _Exchange, answering: Coroutine[Any, Any, Answer]) -> None:
        """Answer in a task of the server, which continues if the caller disconnects or the server stops."""
        task = self.loop.create_task(self._finish(cycle, answering))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _finish(self, cycle: _Exchange, answering: Coroutine[Any, Any, Answer]) -> None:
        self.write_answer(cycle, await answering)

    def write_answer(self, cycle: _Exchange, answer: Answer) -> None:
        """Send head and body in one write, unless the caller has disconnected, and let uvicorn continue."""
        if cycle.disconnected or self.transport.is_closing():
            return
        status, body = answer.status, answer.body
        close = b"" if cycle.keep_alive else _CLOSE
        head = STATUS_LINE[status], self._defaults(), _own_lines(cycle.dispatcher.headers(answer)), close
        self.transport.write(b"%s%s%s%scontent-length: %d\r\n\r\n%s" % (*head, len(body), body))
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
        """Close the connection if it was idle long enough; else start the timer again, as a call does not do so."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return  # a call is in progress, and its answer sets the timer
        left_s = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._close_when_idle(left_s)
        else:
            super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        """Record that the caller is active. This costs less than a stop and a start of the timer."""
        self._idle_since = None

    def on_response_complete(self) -> None:
        """Continue as uvicorn does, which sets the timer for each of its answers."""
        super()._unset_keepalive_if_required()
        super().on_response_complete()
        self._idle_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer, and close as uvicorn does."""
        super()._unset_keepalive_if_required()
        super().connection_lost(exc)

    def _defaults(self) -> bytes:
        """Return the headers that uvicorn adds to every answer. It makes a new list of them each second."""
        headers = self.server_state.default_headers
        if self._default_headers[0] is not headers:
            self._default_headers = (headers, _lines(headers))
        return self._default_headers[1]


def _unsigned_calls(app: object) -> Dispatcher | None:
    """Return the dispatcher, or None if callers must authenticate, which needs the request's headers."""
    dispatcher = app.dispatcher if isinstance(app, ConnectorApp) else None
    return dispatcher if dispatcher is not None and not dispatcher.authenticates else None


@lru_cache(maxsize=64)
def _own_lines(headers: Headers) -> bytes:
    return _lines(headers)


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Return headers in the form of the wire."""
    return b"".join([b"%s: %s\r\n" % header for header in headers])
