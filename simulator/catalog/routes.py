"""The routes of the catalog API. They read raw bodies, because the checks have an order of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple, ParamSpec, TypeVar

import orjson
from fastapi import APIRouter, Query, Request, Response

from jwo_contract.house import House
from jwo_contract.operations import ARCHIVE_CATALOG, GET_CATALOG_UPLOAD_STATUS, UPLOAD_CATALOG, Operation
from jwo_toolkit.request_target import request_target
from simulator.catalog.access import Access
from simulator.catalog.checks import checked_archiving, checked_ingestion_id, checked_items
from simulator.catalog.ingestion import CatalogChange, Ingestions
from simulator.catalog.items import CatalogItems
from simulator.catalog.report import Reports
from simulator.faults import faults_in_texts
from simulator.portal.accounts import Account
from simulator.portal.stores import Stores
from simulator.signed_calls import route_arguments

P = ParamSpec("P")
T = TypeVar("T")
_LARGE = 100_000
"""Bytes. A body of this size takes about a millisecond to check."""
_MEANING = {200: "The state of the ingestion", 201: "Accepted for ingestion"}


class Catalog(NamedTuple):
    """The services behind the catalog API."""

    access: Access
    items: CatalogItems
    ingestions: Ingestions
    reports: Reports
    stores: Stores
    house: House

    async def admitted(self, request: Request, operation: Operation) -> tuple[Account, bytes]:
        """Check the caller and the rate; returns the account and the body."""
        body = await request.body()
        account = await _run_on_body(body, self.access.authenticate, request, body)
        request.state.answer_is_lost = self.access.admit(account, operation.name)
        return account, body

    async def upload(self, request: Request) -> dict[str, str]:
        """Accept an upload; returns its ingestion id."""
        return {"ingestionId": await self.accept(*await self.admitted(request, UPLOAD_CATALOG))}

    async def accept(self, account: Account, body: bytes, *, by_portal: bool = False) -> str:
        """Check an upload of an account and accept it; returns its ingestion id."""
        own = self.stores.of_retailer(account.retailer)
        items = await _run_on_body(body, checked_items, body, own, self.house)
        faults = faults_in_texts(item["item_name"] for item in items)
        self.access.fail(faults)
        change = CatalogChange(body, rows=len(items), by_portal=by_portal)
        return await self.ingestions.accept(account, change, faults)

    async def archive(self, request: Request) -> dict[str, str]:
        """Accept an archive call; returns its ingestion id."""
        account, body = await self.admitted(request, ARCHIVE_CATALOG)
        own = self.stores.of_retailer(account.retailer)
        wanted = await _run_on_body(body, checked_archiving, body, own, self.house)
        change = CatalogChange(orjson.dumps(wanted.skus), tuple(wanted.stores), rows=len(wanted.skus))
        return {"ingestionId": await self.ingestions.accept(account, change)}


async def _run_on_body(body: bytes, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
    """Run a function on a body, in a thread if the body is large, so that no gate waits for it."""
    if len(body) < _LARGE:
        return work(*given, **named)
    return await asyncio.to_thread(work, *given, **named)


def catalog_router(catalog: Catalog, *, bucket: str) -> APIRouter:
    """Make the routes of the catalog API and of the report links."""
    router = APIRouter(tags=["catalog API"])
    house = catalog.house

    @router.post(**route_arguments(UPLOAD_CATALOG, house, _MEANING))
    async def upload_catalog(request: Request) -> dict[str, str]:
        return await catalog.upload(request)

    @router.post(**route_arguments(GET_CATALOG_UPLOAD_STATUS, house, _MEANING))
    async def get_catalog_upload_status(request: Request) -> dict[str, str]:
        account, body = await catalog.admitted(request, GET_CATALOG_UPLOAD_STATUS)
        return catalog.ingestions.result(checked_ingestion_id(body, house), account.retailer)

    @router.post(**route_arguments(ARCHIVE_CATALOG, house, _MEANING))
    async def archive_catalog(request: Request) -> dict[str, str]:
        return await catalog.archive(request)

    @router.get(f"/{bucket}/{{name}}", summary="Fetch a report by its presigned link")
    async def report(name: str, request: Request) -> Response:  # noqa: ARG001 - the signature covers the whole address, with the name
        return Response(await catalog.reports.open(request_target(request.scope)), media_type="application/json")

    _add_store_pages(router, catalog)
    return router


def _add_store_pages(router: APIRouter, catalog: Catalog) -> None:
    """Add the routes for what a retailer sees and does in the store, not through the API."""

    @router.get("/stores/{store_id:path}/catalog", summary="Count what a store sells")
    async def count(store_id: str) -> dict[str, Any]:
        return {"storeId": catalog.stores.get(store_id).id, **catalog.items.counts(store_id)}

    @router.get("/stores/{store_id:path}/catalog.ndjson", summary="Export the items that a store sells, as uploaded")
    async def export(store_id: str) -> Response:
        return Response(catalog.items.lines(catalog.stores.get(store_id).id), media_type="application/x-ndjson")

    @router.get("/stores/{store_id:path}/catalog/{sku:path}", summary="Show an item as uploaded, and its state")
    async def show(store_id: str, sku: str) -> dict[str, Any]:
        return catalog.items.show(store_id, sku)

    @router.get("/stores/{store_id:path}/items", summary="Search a store's items by SKU, name or barcode")
    async def search_items(
        store_id: str,
        search: Annotated[
            str, Query(max_length=255, description="A barcode, or a part of a SKU, name or barcode.")
        ] = "",
        offset: Annotated[int, Query(ge=0)] = 0,
        limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    ) -> dict[str, Any]:
        store = catalog.stores.get(store_id)
        return {"storeId": store.id, **await asyncio.to_thread(catalog.items.search, store.id, search, offset, limit)}

    @router.put("/stores/{store_id:path}/planogram/{sku:path}", summary="Put an item on the store's planogram")
    async def place(store_id: str, sku: str) -> dict[str, Any]:
        return await asyncio.to_thread(catalog.items.place, store_id, sku, on_planogram=True)

    @router.delete("/stores/{store_id:path}/planogram/{sku:path}", summary="Take an item off the store's planogram")
    async def take_off(store_id: str, sku: str) -> dict[str, Any]:
        return await asyncio.to_thread(catalog.items.place, store_id, sku, on_planogram=False)
