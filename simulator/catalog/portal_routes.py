"""The portal's calls for catalogs: uploads of files as an account of the retailer, and the history of ingestions.

An upload here takes the same way as a call of the catalog API, except for the signature: the rate limit, the faults and
all checks apply. The journal has an entry `portal_upload` for each.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Query, Request

from jwo_contract.messages import document
from jwo_contract.operations import UPLOAD_CATALOG
from jwo_contract.values import format_instant
from jwo_toolkit.json_types import JsonObject
from simulator.catalog.files import MOST_BYTES, UploadFile, read_upload, too_large, with_reasons
from simulator.catalog.ingestion import Ingestion
from simulator.catalog.report import LINK_LIFE_S, link_ends_at
from simulator.catalog.routes import Catalog
from simulator.errors import CatalogRefusal, NotNow, SimulatorError
from simulator.journal import Journal
from simulator.portal.accounts import Account, Accounts
from simulator.portal.user_routes import permitted
from simulator.portal.users import User, Users

_MISSING = "this platform has no AWS (JWO_PLATFORM_STORES_ALONE), so it takes no catalogs"
_HOW_TO_GET_IT = (
    "start it without that setting and with JWO_PLATFORM_AWS_ENDPOINT_URL; jwo aws serves the services, "
    "and jwo play starts all together"
)
_FILE_BODY = {
    "requestBody": {
        "required": True,
        "description": "A file: JSON in the form of the catalog API, a JSON list of items, or CSV with a header.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


class CatalogDesk(NamedTuple):
    """The services behind the portal's calls for catalogs; `has_aws` is false on a platform of stores alone."""

    catalog: Catalog
    accounts: Accounts
    users: Users
    journal: Journal
    has_aws: bool

    def show(self) -> JsonObject:
        """Return whether the platform takes catalogs, what is missing, and the limits of an upload."""
        schema, rules = document("upload_catalog.request", self.catalog.house), self.catalog.house.catalog
        missing = {} if self.has_aws else {"missing": _MISSING, "fix": _HOW_TO_GET_IT}
        return {
            "available": self.has_aws,
            **missing,
            "mostItems": schema["properties"]["catalogItems"]["maxItems"],
            "mostFileBytes": MOST_BYTES,
            "linkLifeS": LINK_LIFE_S,
            "ratePerS": rules.rate_per_s,
            "columns": list(schema["$defs"]["catalogItem"]["properties"]),
            "requiredColumns": schema["$defs"]["catalogItem"]["required"],
        }

    async def upload(self, account: Account, user: str, file_name: str, request: Request) -> JsonObject:
        """Accept a file as an upload of an account, and record it in the journal."""
        entry: JsonObject = {"account": account.id, "operation": UPLOAD_CATALOG.name, "user": user, "file": file_name}
        try:
            data = await _body(request)
            entry["bytes"] = len(data)
            accepted = await self._accept(account, data)
        except SimulatorError as error:
            self.journal.add("portal_upload", {**entry, "outcome": error.code, "reason": error.body()})
            raise
        self.journal.add("portal_upload", {**entry, "outcome": "accepted", **accepted})
        return accepted

    async def _accept(self, account: Account, data: bytes) -> JsonObject:
        if not self.has_aws:
            raise NotNow(_MISSING, hint=_HOW_TO_GET_IT)
        self.catalog.access.admit(account, UPLOAD_CATALOG.name)
        file = await asyncio.to_thread(read_upload, data)
        try:
            ingestion_id = await self.catalog.accept(account, file.body, by_portal=True)
        except CatalogRefusal as refusal:
            raise await self._with_reasons(refusal, file, account) from refusal
        rows = self.catalog.ingestions.get(ingestion_id).rows
        return {"ingestionId": ingestion_id, "rows": rows, "ignoredColumns": list(file.ignored)}

    async def _with_reasons(self, refusal: CatalogRefusal, file: UploadFile, account: Account) -> CatalogRefusal:
        own = self.catalog.stores.of_retailer(account.retailer)
        return await asyncio.to_thread(with_reasons, refusal, file, own, self.catalog.house)

    def ingestion(self, ingestion_id: str, user: User) -> JsonObject:
        """Return an ingestion with a new link to its report.

        Raises NotKnown if there is no such ingestion, and NotPermitted if it belongs to another merchant.
        """
        ingestion = self.catalog.ingestions.get(ingestion_id)
        user.require("view", ingestion.retailer)
        link = self.catalog.ingestions.result(ingestion_id, ingestion.retailer)["reportDownloadLink"]
        ends_at = {"linkEndsAt": format_instant(link_ends_at(link))} if link else {}
        return {**ingestion_to_json(ingestion), "reportDownloadLink": link, **ends_at}


def ingestion_to_json(ingestion: Ingestion) -> JsonObject:
    """Return an ingestion as the portal shows it; `accepted` and `rejected` are null without a report."""
    rejected = ingestion.rejected
    return {
        "ingestionId": ingestion.id,
        "accountId": ingestion.account_id,
        "retailer": ingestion.retailer,
        "action": "archive" if ingestion.archive_in else "upload",
        "source": "portal" if ingestion.by_portal else "api",
        "processingStatus": ingestion.status,
        "rows": ingestion.rows,
        "accepted": None if rejected is None else ingestion.rows - rejected,
        "rejected": rejected,
        "acceptedAt": _instant(ingestion.accepted_at),
        "endedAt": _instant(ingestion.ended_at),
        "notified": ingestion.told,
    }


def catalog_desk_router(desk: CatalogDesk) -> APIRouter:
    """Make the portal's routes for catalogs."""
    router = APIRouter(tags=["portal"], dependencies=[Depends(desk.users.check)])

    @router.get("/portal/catalog", summary="Show whether this platform takes catalogs, and the limits of an upload")
    async def show(request: Request) -> JsonObject:
        permitted(request, "view")
        return desk.show()

    @router.post(
        "/portal/accounts/{account_id}/catalog-uploads",
        status_code=201,
        summary="Upload a file as an account of a retailer",
        openapi_extra=_FILE_BODY,
    )
    async def upload(
        request: Request,
        account_id: str,
        file: Annotated[str, Query(max_length=1000, description="The name of the file, for the journal.")] = "",
    ) -> JsonObject:
        user, account = permitted(request, "catalog"), desk.accounts.get(account_id)
        user.require("catalog", account.retailer)
        return await desk.upload(account, user.id, file, request)

    @router.get("/portal/ingestions", summary="List the newest ingestions")
    async def list_ingestions(
        request: Request, retailer: str = "", limit: Annotated[int, Query(ge=1, le=500)] = 50
    ) -> list[JsonObject]:
        user = permitted(request, "view")
        user.require("view", *((retailer,) if retailer else ()))
        return [ingestion_to_json(one) for one in desk.catalog.ingestions.newest(limit, retailer or user.retailer)]

    @router.get("/portal/ingestions/{ingestion_id}", summary="Show an ingestion, with a new link to its report")
    async def show_ingestion(request: Request, ingestion_id: str) -> JsonObject:
        return desk.ingestion(ingestion_id, permitted(request, "view"))

    return router


async def _body(request: Request) -> bytes:
    """Return the body of a request. Raises BadCall if it is too large, after reading all: then the caller reads why."""
    kept, size = bytearray(), 0
    async for piece in request.stream():
        size += len(piece)
        if size <= MOST_BYTES:
            kept += piece
    if size > MOST_BYTES:
        raise too_large(size)
    return bytes(kept)


def _instant(moment: datetime | None) -> str | None:
    return format_instant(moment) if moment else None
