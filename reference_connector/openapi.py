"""The platform's calls in the app's OpenAPI document, with the contract's own schemas."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from jwo_contract.house import House
from jwo_contract.messages import self_contained
from jwo_contract.operations import (
    CREATE_PURCHASES,
    GET_SCAN_DETAILS,
    RESOLVE_SCAN,
    SHOPPER_AUTHORIZATION,
    VERIFY_IDENTITY_KEYS,
    Operation,
)
from reference_connector.errors import NotAuthenticated

_MEANINGS = {
    200: "The key is accepted, or the decision is made.",
    201: "The purchase is recorded, or was already recorded for this trip.",
    400: "The request breaks the contract.",
    401: "The key is not valid, or its owner is refused.",
    403: "The caller is not authenticated.",
    404: "No shopper with this id is known.",
    409: "The shopping trip already has a purchase with another cart.",
    429: "Too many requests.",
    500: "The connector failed.",
}
_ERRORS = {
    VERIFY_IDENTITY_KEYS: (400, 401, 403, 429, 500),
    CREATE_PURCHASES: (400, 403, 409, 429, 500),
    SHOPPER_AUTHORIZATION: (400, 403, 429, 500),
    RESOLVE_SCAN: (400, 403, 429, 500),
    GET_SCAN_DETAILS: (400, 403, 404, 429, 500),
}


def document_calls(app: FastAPI, house: House) -> None:
    """Add the platform's calls to the document; `dispatch` answers them before routing."""
    for operation, statuses in _ERRORS.items():
        app.add_api_route(
            operation.path,
            _answered_before_routing,
            methods=["POST"],
            name=operation.name,
            response_model=None,
            status_code=operation.success,
            responses=_responses(operation, statuses, house),
            openapi_extra={"requestBody": {"required": True, "content": _content(operation.request, house)}},
        )


async def _answered_before_routing() -> None:
    """Serve as a route in the document; it is never called."""


def _responses(operation: Operation, statuses: tuple[int, ...], house: House) -> dict[int | str, dict[str, Any]]:
    bodies = {operation.success: operation.response} | {
        status: "access_denied" if status == NotAuthenticated.status else "error" for status in statuses
    }
    return {
        status: {"description": _MEANINGS[status], "content": _content(name, house)} for status, name in bodies.items()
    }


def _content(name: str, house: House) -> dict[str, Any]:
    return {"application/json": {"schema": self_contained(name, house)}}
