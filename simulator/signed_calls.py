"""The routes of signed calls: each has the messages of its operation, and checks caller, rate and shape first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from fastapi import APIRouter, Request, Response

from jwo_contract.errors import MalformedBody
from jwo_contract.exact_json import dump_exact, parse_exact
from jwo_contract.house import House
from jwo_contract.house_retailer_calls import CallLimits
from jwo_contract.messages import message, parse_object, self_contained
from jwo_contract.operations import Operation
from jwo_toolkit.json_types import JsonObject
from simulator.catalog.access import Access
from simulator.errors import CallRefused
from simulator.portal.accounts import Account

Handler = Callable[[Account, JsonObject], Awaitable[JsonObject | None]]
"""Answers a valid call. Each number of its message is a Decimal; None means the empty answer."""
BAD_REQUEST = "BadRequestException"
_MEANING = {
    400: "The request breaks a rule",
    403: "The caller has no permission",
    429: "The account is over its rate",
    500: "The platform failed",
    503: "The service is unavailable",
}


class SignedCalls(NamedTuple):
    """Makes the routes of one API; `limits` hold for each of its calls, and `refusal` is the text of a 400."""

    access: Access
    house: House
    limits: CallLimits
    refusal: str = BAD_REQUEST

    def add(self, router: APIRouter, operation: Operation, handle: Handler) -> None:
        """Add the route of an operation."""

        async def call(request: Request) -> Response:
            body = await request.body()
            account = self.access.authenticate(request, body)
            request.state.answer_is_lost = self.access.admit(account, operation.name, self.limits)
            answer = await handle(account, self.checked(body, operation))
            return Response(self._written(answer), operation.success, media_type="application/json")

        router.post(**route_arguments(operation, self.house, {operation.success: "Accepted", 503: _MEANING[503]}))(call)

    def checked(self, body: bytes, operation: Operation) -> JsonObject:
        """Return the message of a body, with exact numbers. Raises CallRefused if it breaks its schema."""
        schema = message(operation.request, self.house)
        try:
            parsed = parse_object(body)
            exact = parse_exact(body)
        except MalformedBody as error:
            raise CallRefused(self.refusal, str(error)) from error
        if not schema.is_valid(parsed):
            raise CallRefused(self.refusal, "; ".join(breach.message for breach in schema.violations(parsed)))
        return exact

    def _written(self, answer: JsonObject | None) -> bytes:
        if answer is not None:
            return dump_exact(answer)
        return b"" if self.house.payment.empty_answer == "no_body" else b"{}"


def route_arguments(operation: Operation, house: House, more: Mapping[int, str]) -> dict[str, Any]:
    """Return the arguments of a route, with the contract's own schemas for OpenAPI; `more` has further statuses."""
    meanings = {400: _MEANING[400], 403: _MEANING[403], 429: _MEANING[429], 500: _MEANING[500], **more}
    schemas = {operation.success: operation.response, 403: "access_denied"}
    return {
        "path": operation.path,
        "name": operation.name,
        "status_code": operation.success,
        "response_model": None,
        "responses": {
            status: {
                "description": meanings.get(status, "Accepted"),
                **_json(self_contained(schemas.get(status, "error"), house)),
            }
            for status in sorted({operation.success, *(meanings.keys() - {200, 201})})
        },
        "openapi_extra": {"requestBody": {"required": True, **_json(self_contained(operation.request, house))}},
    }


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
