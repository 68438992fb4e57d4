"""The catalog API's addresses: the body is read raw, because its checks come in an order of their own."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import APIRouter, Request, Response

from contract.house import House
from contract.messages import self_contained
from contract.operations import GET_CATALOG_UPLOAD_STATUS, UPLOAD_CATALOG, Operation
from simulator.catalog.access import Access
from simulator.catalog.checks import checked_ingestion_id, checked_items
from simulator.catalog.ingestion import Ingestions
from simulator.catalog.report import Reports
from simulator.portal.stores import Stores


def catalog_router(
    access: Access, ingestions: Ingestions, reports: Reports, stores: Stores, *, bucket: str, house: House
) -> APIRouter:
    """Put the catalog API and the report links on their paths."""
    router = APIRouter()

    @router.post(**_documented(UPLOAD_CATALOG, house))
    async def upload_catalog(request: Request) -> dict[str, str]:
        body = await request.body()
        account = access.authenticate(request, body)
        access.admit(account, UPLOAD_CATALOG.name)
        items = await asyncio.to_thread(checked_items, body, stores.of_retailer(account.retailer), house)
        return {"ingestionId": ingestions.accept(account, items)}

    @router.post(**_documented(GET_CATALOG_UPLOAD_STATUS, house))
    async def get_catalog_upload_status(request: Request) -> dict[str, str]:
        body = await request.body()
        account = access.authenticate(request, body)
        access.admit(account, GET_CATALOG_UPLOAD_STATUS.name)
        return ingestions.result(checked_ingestion_id(body, house), account.retailer)

    @router.get(f"/{bucket}/{{name}}")
    async def report(request: Request) -> Response:
        return Response(await reports.open(str(request.url)), media_type="application/json")

    return router


def _documented(operation: Operation, house: House) -> dict[str, Any]:
    """Return the arguments of a route whose OpenAPI entry carries the contract's own schemas."""
    answers = {operation.success: operation.response, 403: "access_denied", **dict.fromkeys((400, 429, 500), "error")}
    return {
        "path": operation.path,
        "name": operation.name,
        "status_code": operation.success,
        "response_model": None,
        "responses": {
            status: {"description": _MEANING[status], **_json(self_contained(schema, house))}
            for status, schema in answers.items()
        },
        "openapi_extra": {"requestBody": {"required": True, **_json(self_contained(operation.request, house))}},
    }


_MEANING = {
    200: "Where the ingestion stands",
    201: "Accepted for ingestion",
    400: "The request breaks a rule",
    403: "The caller may not",
    429: "Over the rate",
    500: "The platform failed",
}


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
