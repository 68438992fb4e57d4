"""The platform's calls: admit, read, authenticate, handle, answer; and their place in the OpenAPI document.

They are answered before the app's routing and middleware, which would cost more than the answers do. Bodies are read
raw, so that the contract's own schemas judge them and a malformed one is 400.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

from fastapi import FastAPI
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from contract.errors import MalformedBody
from contract.house import House
from contract.messages import Json, message, parse_object, self_contained
from contract.operations import Operation
from reference_connector.authentication import Gatekeeper
from reference_connector.errors import Busy, CallRefused, InvalidRequest, NotAuthenticated, TooLarge
from reference_connector.idempotency import Answer, json_answer
from reference_connector.settings import Limits
from reference_connector.telemetry import CallWatch, Telemetry

Handle = Callable[[bytes], Awaitable[Answer]]
_JSON = (b"content-type", b"application/json")
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
        value = self._parse(body)
        if not self._schema.is_valid(value):
            raise self._broken(value)
        return value

    def read_exactly(self, body: bytes) -> tuple[dict[str, Json], bool]:
        """Read as `read` does, and say whether the request has no member but those that the schema names."""
        value = self._parse(body)
        if self._schema.is_exact(value):
            return value, True
        if not self._schema.is_valid(value):
            raise self._broken(value)
        return value, False

    def _parse(self, body: bytes) -> dict[str, Json]:
        try:
            return parse_object(body)
        except MalformedBody as error:
            raise InvalidRequest(str(error), code="malformed_body", status=self._malformed_status) from error
        except RecursionError as error:
            text = "the body is nested too deeply"
            raise InvalidRequest(text, code="malformed_body", status=self._malformed_status) from error

    def _broken(self, value: dict[str, Json]) -> InvalidRequest:
        wrong = [violation.message for violation in self._schema.violations(value)[:5]]
        return InvalidRequest("; ".join(wrong) or "the body breaks its schema")


class _Gone(Exception):
    """The caller hung up."""


class _Call(NamedTuple):
    operation: Operation
    handle: Handle
    watch: CallWatch


class WireCalls:
    """The platform's calls, all with the same gatekeeper, limits and telemetry."""

    def __init__(self, house: House, gatekeeper: Gatekeeper, limits: Limits, telemetry: Telemetry) -> None:
        self._house = house
        self._gatekeeper = gatekeeper
        self._limits = limits
        self._telemetry = telemetry
        self._calls: dict[str, _Call] = {}
        self._in_flight = 0
        self._busy_headers = ((b"retry-after", str(limits.retry_after_s).encode()),)

    def add(self, app: FastAPI, operation: Operation, handle: Handle, error_statuses: tuple[int, ...]) -> None:
        """Serve an operation; `error_statuses` are the ones that it may answer, for the OpenAPI document."""
        self._calls[operation.path] = _Call(operation, handle, self._telemetry.call(operation.name))

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

    def find(self, scope: Scope) -> _Call | None:
        """Say which of the platform's calls a request is."""
        return self._calls.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None

    async def serve(self, call: _Call, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call; past capacity with 429, at once and without reading it."""
        if self._in_flight >= self._limits.in_flight:
            refusal = self._refused(call, Busy("more calls are in hand than can be answered in time"))
            call.watch.answered(call.watch.start(), refusal.status, refusal.code)
            await _send(send, refusal, self._busy_headers)
            return
        self._in_flight += 1
        try:
            started = call.watch.start()
            answer = await self._answer(call, scope, receive)
            call.watch.answered(started, answer.status, answer.code)
            await _send(send, answer)
        except _Gone:
            return
        finally:
            self._in_flight -= 1

    async def _answer(self, call: _Call, scope: Scope, receive: Receive) -> Answer:
        try:
            body = await _read(receive, self._limits.body_bytes)
            if self._gatekeeper.asks:
                request = Request(scope)
                await self._gatekeeper.check("POST", str(request.url), request.headers, body)
            return await call.handle(body)
        except CallRefused as refusal:
            return self._refused(call, refusal)
        except _Gone:
            raise
        except Exception as error:  # noqa: BLE001 - the last door: whatever broke, the gate gets its answer
            code = getattr(error, "code", type(error).__name__)
            self._telemetry.log.event("failed", call=call.operation.name, status=500, code=code)
            return json_answer(500, {"errorMsg": "Internal Server Error"})._replace(code=str(code))

    def _refused(self, call: _Call, refusal: CallRefused) -> Answer:
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


async def _read(receive: Receive, most: int) -> bytes:
    """Read the body; TooLarge once it is over the limit, without keeping the rest of it."""
    first: MutableMapping[str, Any] = await receive()
    chunk, chunks, size, more = first, [], 0, True
    while more:
        if chunk["type"] == "http.disconnect":
            raise _Gone
        body = chunk.get("body", b"")
        size += len(body)
        if size <= most:
            chunks.append(body)
        more = chunk.get("more_body", False)
        if more:
            chunk = await receive()
    if size > most:
        raise TooLarge(f"the body is larger than {most} bytes")
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def _send(send: Send, answer: Answer, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    length = (b"content-length", str(len(answer.body)).encode())
    await send({"type": "http.response.start", "status": answer.status, "headers": [_JSON, length, *headers]})
    await send({"type": "http.response.body", "body": answer.body})
