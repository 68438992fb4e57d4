"""The platform's calls: admit, read the body, authenticate, handle, answer.

The dispatcher answers them before FastAPI's routing and middleware, which serve all other routes. It reads raw bodies:
the contract's own schemas check them, and a malformed one is a 400.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from time import monotonic
from typing import NamedTuple

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from jwo_contract.operations import Operation
from jwo_toolkit.request_target import request_target
from reference_connector.authentication import Authenticator
from reference_connector.errors import Busy, CallRefused, NotAuthenticated, OverRate, TooLarge
from reference_connector.messages import Answer, json_answer
from reference_connector.settings import Limits
from reference_connector.telemetry import CallWatch, EventLog

Handle = Callable[[bytes], Awaitable[Answer]]
"""Answers a request body; raises CallRefused for a refusal."""
Headers = tuple[tuple[bytes, bytes], ...]
_JSON = (b"content-type", b"application/json")
_HEADERS = (_JSON,)
_LATER = frozenset({Busy.code, OverRate.code})
"""The codes of refusals after which the caller may try again later."""
_ADMIN_PATHS, _BELOW_OPS = ("/metrics", "/ops"), "/ops/"


class CallerGone(Exception):
    """The caller disconnected before its request was complete."""


class Call(NamedTuple):
    """An operation that the platform calls: its handler, and the watch that counts and times its answers.

    There is one for each operation, and not for each request.
    """

    operation: Operation
    handle: Handle
    watch: CallWatch


class RateLimit:
    """Admits at most `calls` calls within any second."""

    def __init__(self, calls: int) -> None:
        self._admitted_s: deque[float] = deque(maxlen=calls)

    def admits(self, now_s: float) -> bool:
        """Return whether one more call is within the limit, and count it if it is. `now_s` never goes back."""
        admitted = self._admitted_s
        if len(admitted) == admitted.maxlen and now_s - admitted[0] < 1:
            return False
        admitted.append(now_s)
        return True


def _ignore(_operation: Operation) -> None:
    """Do nothing."""


class Dispatcher:
    """Answers the platform's calls.

    `calls` has the operations by path. `on_limit` runs for each call that a limit refuses.
    """

    def __init__(
        self,
        calls: Mapping[str, Call],
        authenticator: Authenticator,
        limits: Limits,
        log: EventLog,
        on_limit: Callable[[Operation], None] = _ignore,
    ) -> None:
        self.calls = calls
        self.authenticates = authenticator.is_needed
        self.body_bytes_max = limits.body_bytes
        self._authenticator = authenticator
        self._in_flight = 0
        self._in_flight_max = limits.in_flight
        self._rate_limit = RateLimit(limits.calls_per_second) if limits.calls_per_second else None
        self._later_headers = (_JSON, (b"retry-after", str(limits.retry_after_s).encode()))
        self._log = log
        self._on_limit = on_limit

    async def serve(self, call: Call, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call as an ASGI app does; a caller that has disconnected gets no answer."""
        try:
            answer = await self.answer(call, partial(self._read, scope, receive))
        except CallerGone:
            return
        headers = [*self.headers(answer), (b"content-length", b"%d" % len(answer.body))]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def answer(self, call: Call, read: Callable[[], Awaitable[bytes]]) -> Answer:
        """Answer a call; `read` returns its body. Past a limit, answer 429 at once, without reading the body.

        Each error is an answer, except CallerGone, which is raised.
        """
        started = call.watch.start()
        if self._in_flight >= self._in_flight_max:
            answer = self._refused(call, Busy("too many calls are in progress; try again later"))
        elif self._rate_limit is not None and not self._rate_limit.admits(monotonic()):
            answer = self._refused(call, OverRate("too many calls within a second; try again later"))
        else:
            self._in_flight += 1
            try:
                answer = await call.handle(await read())
            except CallerGone:
                call.watch.abandoned(started)
                raise
            except CallRefused as refusal:
                answer = self._refused(call, refusal)
            except Exception as error:  # noqa: BLE001 - last resort: turn any error into a 500
                answer = self._failed(call, error)
            finally:
                self._in_flight -= 1
        call.watch.answered(started, answer.status, answer.code, answer.subject)
        return answer

    async def _read(self, scope: Scope, receive: Receive) -> bytes:
        """Read the body and authenticate the caller. Raises TooLarge, NotAuthenticated or CallerGone."""
        body = await read_body(receive, self.body_bytes_max)
        self.check_size(body)
        if self.authenticates:
            await self._authenticator.check("POST", request_target(scope), Request(scope).headers, body)
        return body

    def check_size(self, body: bytes) -> None:
        """Raise TooLarge for a body over the limit."""
        if len(body) > self.body_bytes_max:
            raise TooLarge(f"the body is larger than {self.body_bytes_max} bytes")

    def headers(self, answer: Answer) -> Headers:
        """Return the headers of an answer, except its length."""
        return self._later_headers if answer.code in _LATER else _HEADERS

    def _refused(self, call: Call, refusal: CallRefused) -> Answer:
        self._log.event("refused", call=call.operation.name, status=refusal.status, code=refusal.code)
        if refusal.code in _LATER:
            self._on_limit(call.operation)
        member = "message" if isinstance(refusal, NotAuthenticated) else "errorMsg"
        return json_answer(refusal.status, {member: str(refusal)}, refusal.code)

    def _failed(self, call: Call, error: Exception) -> Answer:
        code = str(getattr(error, "code", type(error).__name__))
        self._log.event("failed", call=call.operation.name, status=500, code=code)
        return json_answer(500, {"errorMsg": "Internal Server Error"}, code)


class AdminSite(NamedTuple):
    """The app for operators. With a `port`, it gets all requests to that port; without one, those to its own paths."""

    app: ASGIApp
    port: int | None = None

    def is_meant(self, scope: Scope) -> bool:
        """Return whether a request is for this app. A request's port is that of the socket, not of its Host header."""
        if self.port is not None:
            return scope["server"] is not None and scope["server"][1] == self.port
        path = scope["path"]
        return path in _ADMIN_PATHS or path.startswith(_BELOW_OPS)


class ConnectorApp(FastAPI):
    """A FastAPI app that gives the platform's calls to the dispatcher first, and has an app for operators beside it."""

    dispatcher: Dispatcher
    admin: AdminSite | None = None

    def move_admin(self, port: int) -> None:
        """Serve the app for operators on the connections to a port."""
        if self.admin is not None:
            self.admin = self.admin._replace(port=port)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call of the platform, or let FastAPI answer everything else."""
        if self.admin is not None and scope["type"] == "http" and self.admin.is_meant(scope):
            await self.admin.app(scope, receive, send)
            return
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        call = self.dispatcher.calls.get(scope["path"]) if is_post else None
        if call is None:
            await super().__call__(scope, receive, send)
        else:
            await self.dispatcher.serve(call, scope, receive, send)


async def read_body(receive: Receive, limit: int) -> bytes:
    """Read a body of at most `limit` bytes. Of a longer one, return its beginning, which is longer than the limit.

    Raises CallerGone if the caller disconnects.
    """
    chunks, size, more = [], 0, True
    while more:
        chunk = await receive()
        if chunk["type"] == "http.disconnect":
            raise CallerGone
        if size <= limit:
            chunks.append(chunk.get("body", b""))
            size += len(chunks[-1])
        more = chunk.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
