"""uvicorn's HTTP protocol with one more branch, which answers the platform's calls without ASGI messages in between.

For a plain call the messages, their scope, a task and two separate writes cost more than the decision does. So a whole,
unsigned, unpipelined POST to one of the calls goes straight to the dispatcher: its coroutine is stepped here, and
again when the store reports, and the answer leaves in one write. Everything else goes uvicorn's own way, through the
app. This leans on uvicorn's internals: `uvicorn_check` names each, and refuses a uvicorn that lacks one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator, Iterable
from functools import lru_cache
from types import coroutine
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from contract.operations import SHOPPER_AUTHORIZATION
from reference_connector.accelerated.waiter import DirectWaiter
from reference_connector.dispatch import Call, ConnectorApp, Dispatcher, Headers
from reference_connector.messages import Answer

_ASK_OTHERS = {SHOPPER_AUTHORIZATION}
"""Calls whose handlers wait for more than the store: asyncio's timeouts want a task from the start."""
_EXPECT = b"expect"
_CLOSE = b"connection: close\r\n"


class _Exchange(RequestResponseCycle):
    """A call and its answer, in the place where uvicorn has the current request."""

    message_event = asyncio.Event()  # uvicorn sets it; nothing waits for it
    content: bytes | bytearray = b""
    keep_alive = True
    disconnected = False
    response_complete = False

    def __init__(self, protocol: AcceleratedProtocol, dispatcher: Dispatcher, call: Call) -> None:
        """Leave out uvicorn's other attributes, which serve its own messages."""
        self.dispatcher = dispatcher
        self._protocol = protocol
        self._call = call
        self._answering: Coroutine[Any, Any, Answer]

    def start(self) -> None:
        """Answer the call, now that its body is whole."""
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
        """Run the dispatcher's coroutine until it waits or ends; the store's report calls this again."""
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
    """Go on with a coroutine that has begun to wait for something else than the store."""
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
        is_direct = not (self.root_path or self.limit_concurrency)
        self._dispatcher = _unsigned_calls(app) if is_direct else None
        self._default_headers: tuple[object, bytes] = (None, b"")
        self._idle_since: float | None = None

    def on_message_begin(self) -> None:
        """Start a message; what uvicorn makes for it here waits until it is known to be needed."""
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header as it came; a plain call does not need what uvicorn makes of it."""
        self.headers.append((name, value))
        if len(name) == len(_EXPECT) and name.lower() == _EXPECT:
            self.expect_100_continue = True

    def on_headers_complete(self) -> None:
        """Choose the way of this request."""
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
            and not parser.should_upgrade()
            and parser.get_http_version() == "1.1"
        )

    def on_body(self, body: bytes) -> None:
        """Collect the body, up to a little more than is allowed."""
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
        """Answer, now that the request is whole."""
        cycle = self.cycle
        if isinstance(cycle, _Exchange) and not cycle.response_complete:
            cycle.start()
        else:
            super().on_message_complete()

    def finish_in_task(self, cycle: _Exchange, answering: Coroutine[Any, Any, Answer]) -> None:
        """Answer in a task of the server's, which goes on though the caller hangs up or the server ends."""
        task = self.loop.create_task(self._finish(cycle, answering))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    async def _finish(self, cycle: _Exchange, answering: Coroutine[Any, Any, Answer]) -> None:
        self.write_answer(cycle, await answering)

    def write_answer(self, cycle: _Exchange, answer: Answer) -> None:
        """Write head and body at once, and let uvicorn go on with the connection; nothing if the caller hung up."""
        if cycle.disconnected or self.transport.is_closing():
            return
        status, body, _ = answer
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
        """Close the connection if it was idle since the timer was set; a call does not set the timer again."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return  # a call is under way, and its answer sets the timer
        left_s = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left_s > 0:
            self._close_when_idle(left_s)
        else:
            super().timeout_keep_alive_handler()

    def _unset_keepalive_if_required(self) -> None:
        """Note that a caller is active; stopping the timer, and starting it again, costs more than this."""
        self._idle_since = None

    def on_response_complete(self) -> None:
        """Go on as uvicorn does, which sets the timer for each of its answers."""
        super()._unset_keepalive_if_required()
        super().on_response_complete()
        self._idle_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer too."""
        super()._unset_keepalive_if_required()
        super().connection_lost(exc)

    def _defaults(self) -> bytes:
        """Return the headers that uvicorn adds to every answer; it makes a new list of them each second."""
        headers = self.server_state.default_headers
        if self._default_headers[0] is not headers:
            self._default_headers = (headers, _lines(headers))
        return self._default_headers[1]


def _unsigned_calls(app: object) -> Dispatcher | None:
    """Return the calls that need no look at the request's headers: none where callers must authenticate."""
    dispatcher = app.dispatcher if isinstance(app, ConnectorApp) else None
    return dispatcher if dispatcher is not None and not dispatcher.authenticates else None


@lru_cache(maxsize=64)
def _own_lines(headers: Headers) -> bytes:
    return _lines(headers)


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write headers as they travel."""
    return b"".join([b"%s: %s\r\n" % header for header in headers])
