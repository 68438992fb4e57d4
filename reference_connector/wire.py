"""The HTTP side of the platform's calls: authenticate, handle, answer, log; and their place in the OpenAPI document.

Bodies are read raw, so that the contract's own schemas judge them and a malformed one is 400.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from contract.errors import MalformedBody
from contract.house import House
from contract.messages import Json, message, parse_object, self_contained
from contract.operations import Operation
from reference_connector.authentication import Gatekeeper
from reference_connector.errors import CallRefused, InvalidRequest, NotAuthenticated
from reference_connector.idempotency import Answer, json_answer
from reference_connector.telemetry import EventLog

Handle = Callable[[bytes], Awaitable[Answer]]

_MEANINGS = {
    200: "The key is accepted.",
    201: "The purchase is made, or was already made for this trip.",
    400: "The request breaks the contract.",
    401: "The key is invalid, or its owner is refused.",
    403: "The caller is not authenticated.",
    409: "The same shopping trip came with another cart.",
    429: "Too many requests.",
    500: "The connector failed.",
}


def read_message(body: bytes, operation: Operation, house: House) -> dict[str, Json]:
    """Read a request that keeps its schema; InvalidRequest says what is wrong, never with the values sent."""
    try:
        value = parse_object(body)
    except MalformedBody as error:
        raise InvalidRequest(str(error), code="malformed_body", status=house.http.malformed_status) from error
    except RecursionError as error:
        status = house.http.malformed_status
        raise InvalidRequest("the body is nested too deeply", code="malformed_body", status=status) from error
    schema = message(operation.request, house)
    if not schema.is_valid(value):
        wrong = [violation.message for violation in schema.violations(value)[:5]]
        raise InvalidRequest("; ".join(wrong) or "the body breaks its schema")
    return value


class WireCalls:
    """Adds the platform's calls to an app, all with the same gatekeeper and log."""

    def __init__(self, app: FastAPI, house: House, gatekeeper: Gatekeeper, log: EventLog) -> None:
        self._app = app
        self._house = house
        self._gatekeeper = gatekeeper
        self._log = log

    def add(self, operation: Operation, handle: Handle, error_statuses: tuple[int, ...]) -> None:
        """Serve an operation; `error_statuses` are the ones that it may answer, for the OpenAPI document."""

        async def endpoint(request: Request) -> Response:
            answer = await self._answer(operation, handle, request)
            return Response(answer.body, answer.status, media_type="application/json")

        self._app.add_api_route(
            operation.path,
            endpoint,
            methods=["POST"],
            name=operation.name,
            response_model=None,
            status_code=operation.success,
            responses=self._responses(operation, error_statuses),
            openapi_extra={"requestBody": {"required": True, "content": self._content(operation.request)}},
        )

    async def _answer(self, operation: Operation, handle: Handle, request: Request) -> Answer:
        try:
            body = await request.body()
            self._gatekeeper.check(request.method, str(request.url), request.headers, body)
            return await handle(body)
        except NotAuthenticated as refusal:
            self._log.event("refused", call=operation.name, status=refusal.status, code=refusal.code)
            return json_answer(refusal.status, {"message": str(refusal)})
        except CallRefused as refusal:
            self._log.event("refused", call=operation.name, status=refusal.status, code=refusal.code)
            return json_answer(refusal.status, {"errorMsg": str(refusal)})
        except Exception as error:  # noqa: BLE001 - the last door: whatever broke, the gate gets its answer
            code = getattr(error, "code", type(error).__name__)
            self._log.event("failed", call=operation.name, status=500, code=code)
            return json_answer(500, {"errorMsg": "Internal Server Error"})

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
