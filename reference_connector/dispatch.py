"""The platform's calls: admit, read, authenticate, handle, answer; and their place in the OpenAPI document.

They are answered before the app's routing and middleware, which would cost more than the answers do. Bodies are read
raw, so that the contract's own schemas judge them and a malformed one is 400.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from contract.errors import MalformedBody
from contract.house import House
from contract.messages import Json, message, parse_object, self_contained
from contract.operations import Operation
from reference_connector.authentication import Authenticator
from reference_connector.errors import Busy, CallRefused, InvalidRequest, NotAuthenticated, TooLarge
from reference_connector.idempotency import Answer, Pending, json_answer
from reference_connector.settings import Limits
from reference_connector.store import Store
from reference_connector.telemetry import CallWatch, Started, Telemetry

Handle = Callable[[bytes], Answer | Pending | Coroutine[Any, Any, Answer]]
"""Answers a body: at once, or when something is on disk, or after asking others; CallRefused for what is refused."""
Reply = Callable[[Answer], None]
_JSON = (b"content-type", b"application/json")
_HEADERS = (_JSON,)


def lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Write headers as they travel."""
    return b"".join([b"%s: %s\r\n" % header for header in headers])


_LINES = lines(_HEADERS)
_MEANINGS = {
    200: "The key is accepted, or the decision made.",
    201: "The purchase is made, or was already made for this trip.",
    400: "The request breaks the contract.",
    401: "The key is invalid, or its owner is refused.",
    403: "The caller is not authenticated.",
    404: "Nobody of that id is known.",
    409: "The same shopping trip came with another cart.",
    429: "Too many requests.",
    500: "The connector failed.",
}


class MessageReader:
    """Reads requests to one operation, under the house's rules."""

    def __init__(self, operation: Operation, house: House) -> None:
        self._schema = message(operation.request, house)
        self._malformed_status = house.http.malformed_status

    def read(self, body: bytes) -> dict[str, Json]:
        """Read a request that keeps its schema; InvalidRequest says what is wrong, never with the values sent."""
        return self._schema.read_exact(body) or self._read(body)

    def read_exact(self, body: bytes) -> dict[str, Json] | None:
        """Read a request that keeps its schema and has no other members; None when it is none: then ask `read`."""
        return self._schema.read_exact(body)

    def _read(self, body: bytes) -> dict[str, Json]:
        try:
            value = parse_object(body)
        except MalformedBody as error:
            raise InvalidRequest(str(error), code="malformed_body", status=self._malformed_status) from error
        except RecursionError as error:
            text = "the body is nested too deeply"
            raise InvalidRequest(text, code="malformed_body", status=self._malformed_status) from error
        if not self._schema.is_valid(value):
            raise self._broken(value)
        return value

    def _broken(self, value: dict[str, Json]) -> InvalidRequest:
        wrong = [violation.message for violation in self._schema.violations(value)[:5]]
        return InvalidRequest("; ".join(wrong) or "the body breaks its schema")


class CallerGone(Exception):
    """The caller hung up."""


class WireCall(NamedTuple):
    """One of the platform's calls, and who answers it."""

    operation: Operation
    handle: Handle
    watch: CallWatch


class WireCalls:
    """The platform's calls, all with the same authenticator, limits and telemetry."""

    def __init__(
        self, house: House, authenticator: Authenticator, store: Store, limits: Limits, telemetry: Telemetry
    ) -> None:
        self._house = house
        self._gatekeeper = authenticator
        self._store = store
        self._limits = limits
        self._telemetry = telemetry
        self._calls: dict[str, WireCall] = {}
        self._plain: dict[bytes, WireCall] = {}
        self._in_flight = 0
        self._asking: set[asyncio.Task[None]] = set()
        self._busy_headers = (_JSON, (b"retry-after", str(limits.retry_after_s).encode()))
        self._busy_lines = lines(self._busy_headers)
        self.authenticates = authenticator.asks
        self.body_bytes_max = limits.body_bytes

    def add(self, app: FastAPI, operation: Operation, handle: Handle, error_statuses: tuple[int, ...]) -> None:
        """Serve an operation; `error_statuses` are the ones that it may answer, for the OpenAPI document."""
        call = WireCall(operation, handle, self._telemetry.call(operation.name))
        self._calls[operation.path] = self._plain[operation.path.encode()] = call

        async def answered_before_routing() -> None:
            """Stand in the document; `ConnectorApp` has answered."""

        app.add_api_route(
            operation.path,
            answered_before_routing,
            methods=["POST"],
            name=operation.name,
            response_model=None,
            status_code=operation.success,
            responses=self._responses(operation, error_statuses),
            openapi_extra={"requestBody": {"required": True, "content": self._content(operation.request)}},
        )

    def find(self, scope: Scope) -> WireCall | None:
        """Say which of the platform's calls a request is."""
        return self._calls.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None

    def plain(self, url: bytes) -> WireCall | None:
        """Say which of them the request line of a POST names."""
        return self._plain.get(url)

    async def serve(self, call: WireCall, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call as an ASGI app does."""
        with suppress(CallerGone):
            answer = await self.answer(call, read_body(receive, self.body_bytes_max), scope)
            length = (b"content-length", str(len(answer.body)).encode())
            headers = [*self.headers(answer), length]
            await send({"type": "http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "http.response.body", "body": answer.body})

    async def answer(self, call: WireCall, body: Coroutine[Any, Any, bytes], scope: Scope) -> Answer:
        """Answer a call; past capacity with 429, at once and without reading it."""
        started = call.watch.start()
        if self._in_flight >= self._limits.in_flight:
            body.close()
            answer = self._busy(call)
        else:
            self._in_flight += 1
            try:
                answer = await self._admitted(call, body, scope)
            finally:
                self._in_flight -= 1
        call.watch.answered(started, answer.status, answer.code)
        return answer

    def take(self, call: WireCall, body: bytes, reply: Reply) -> None:
        """Answer a call that need not be authenticated; `reply` gets the answer, now or in a later turn of the loop."""
        started = call.watch.start()
        try:
            if self._in_flight >= self._limits.in_flight:
                step: Answer | Pending | Coroutine[Any, Any, Answer] = self._busy(call)
            else:
                self._check_size(body)
                step = call.handle(body)
            if isinstance(step, Pending):
                self._store.submit(step.together, step.entry, partial(self._kept, call, started, step.word, reply))
                self._in_flight += 1
                return
        except Exception as error:  # noqa: BLE001 - as in `_admitted`
            step = self._failed(call, error)
        if isinstance(step, Answer):
            self._end(call, started, step, reply)
        else:
            self._in_flight += 1
            task = asyncio.get_running_loop().create_task(self._asked(call, started, step, reply))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def finish(self) -> None:
        """Wait for the decisions that ask others, and go on though their callers hung up."""
        if self._asking:
            await asyncio.wait(self._asking)

    def _kept(
        self,
        call: WireCall,
        started: Started,
        word: Callable[[Any], Answer],
        reply: Reply,
        result: Any,  # noqa: ANN401 - each kind of job has its own
        failure: Exception | None,
    ) -> None:
        self._in_flight -= 1
        try:
            answer = word(result) if failure is None else self._failed(call, failure)
        except Exception as error:  # noqa: BLE001 - as in `_admitted`
            answer = self._failed(call, error)
        self._end(call, started, answer, reply)

    async def _asked(self, call: WireCall, started: Started, step: Coroutine[Any, Any, Answer], reply: Reply) -> None:
        try:
            answer = await step
        except Exception as error:  # noqa: BLE001 - as in `_admitted`
            answer = self._failed(call, error)
        finally:
            self._in_flight -= 1
        self._end(call, started, answer, reply)

    def _end(self, call: WireCall, started: Started, answer: Answer, reply: Reply) -> None:
        call.watch.answered(started, answer.status, answer.code)
        reply(answer)

    def headers(self, answer: Answer) -> tuple[tuple[bytes, bytes], ...]:
        """Return the headers of an answer, all but its length."""
        return self._busy_headers if answer.code == Busy.code else _HEADERS

    def header_lines(self, answer: Answer) -> bytes:
        """Return the same as it travels."""
        return self._busy_lines if answer.code == Busy.code else _LINES

    async def _admitted(self, call: WireCall, body: Coroutine[Any, Any, bytes], scope: Scope) -> Answer:
        try:
            content = await body
            self._check_size(content)
            if self.authenticates:
                request = Request(scope)
                await self._gatekeeper.check("POST", str(request.url), request.headers, content)
            step = call.handle(content)
            if isinstance(step, Pending):
                return step.word(await self._store.result_of(step.together, step.entry))
            return step if isinstance(step, Answer) else await step
        except CallerGone:
            raise
        except Exception as error:  # noqa: BLE001 - the last door: whatever broke, the gate gets its answer
            return self._failed(call, error)

    def _failed(self, call: WireCall, error: Exception) -> Answer:
        if isinstance(error, CallRefused):
            return self._refused(call, error)
        code = str(getattr(error, "code", type(error).__name__))
        self._telemetry.log.event("failed", call=call.operation.name, status=500, code=code)
        return json_answer(500, {"errorMsg": "Internal Server Error"})._replace(code=code)

    def _busy(self, call: WireCall) -> Answer:
        return self._refused(call, Busy("more calls are in hand than can be answered in time"))

    def _check_size(self, body: bytes) -> None:
        if len(body) > self.body_bytes_max:
            raise TooLarge(f"the body is larger than {self.body_bytes_max} bytes")

    def _refused(self, call: WireCall, refusal: CallRefused) -> Answer:
        self._telemetry.log.event("refused", call=call.operation.name, status=refusal.status, code=refusal.code)
        member = "message" if isinstance(refusal, NotAuthenticated) else "errorMsg"
        return json_answer(refusal.status, {member: str(refusal)})._replace(code=refusal.code)

    def _responses(self, operation: Operation, error_statuses: tuple[int, ...]) -> dict[int | str, dict[str, Any]]:
        bodies = {operation.success: operation.response} | {
            status: "access_denied" if status == NotAuthenticated.status else "error" for status in error_statuses
        }
        return {
            status: {"description": _MEANINGS[status], "content": self._content(name)}
            for status, name in bodies.items()
        }

    def _content(self, name: str) -> dict[str, Any]:
        return {"application/json": {"schema": self_contained(name, self._house)}}


class ConnectorApp(FastAPI):
    """FastAPI, with the platform's calls answered at the front."""

    wire_calls: WireCalls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call of the platform, or let FastAPI do all else."""
        call = self.wire_calls.find(scope)
        if call is None:
            await super().__call__(scope, receive, send)
        else:
            await self.wire_calls.serve(call, scope, receive, send)


async def read_body(receive: Receive, most: int) -> bytes:
    """Read the body; of one that is over the limit only so much is kept that it shows.

    CallerGone when it breaks off.
    """
    chunks, size, more = [], 0, True
    while more:
        chunk = await receive()
        if chunk["type"] == "http.disconnect":
            raise CallerGone
        if size <= most:
            chunks.append(chunk.get("body", b""))
            size += len(chunks[-1])
        more = chunk.get("more_body", False)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
