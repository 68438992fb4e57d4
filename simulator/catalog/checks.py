"""Checks of the bodies of catalog calls; for an upload, rows 3 to 10 of the check order, each with its error text.

The order is ours, and so are the texts that Amazon does not publish. The ingestion checks barcodes, not this module.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson

from jwo_contract.errors import MalformedBody
from jwo_contract.house import House
from jwo_contract.messages import MessageSchema, document, message, parse_object
from simulator.errors import CatalogRefusal

Item = dict[str, Any]

INVALID_BODY = "Invalid request body"
ONE_STORE_WRONG = "One or more StoreID's present in the request is incorrect"
SEVERAL_STORES_WRONG = (
    "List of store ID's present in the request are either incorrect/not associated with same retailer"
)
ALL_STORES_WANTED = "allApplicableStores must name every store of the retailer and no other"
STATUS_BODY_WRONG = "BadRequestException"
INGESTION_UNKNOWN = "InvalidRequestException"

_SCHEMA = "upload_catalog.request"


def checked_items(body: bytes, own_stores: frozenset[str], house: House) -> list[Item]:
    """Return an upload's items. Raises CatalogRefusal with the text of the first check that fails."""
    upload = _parsed(body, INVALID_BODY)
    items = upload.get("catalogItems")
    if not isinstance(items, list) or not items:
        raise CatalogRefusal(INVALID_BODY)
    most = document(_SCHEMA, house)["properties"]["catalogItems"]["maxItems"]
    if len(items) > most:
        raise CatalogRefusal(f"{len(items)} items in one request; at most {most} are allowed")
    schema = message(_SCHEMA, house)
    if not schema.is_valid(upload):
        raise CatalogRefusal(_refusal_text(items, schema))
    _check_stores({item["store_id"] for item in items}, own_stores)
    return items


class Archiving(NamedTuple):
    """The request of an archive call: SKUs, and all stores of the retailer."""

    skus: list[str]
    stores: list[str]


def checked_archiving(body: bytes, own_stores: frozenset[str], house: House) -> Archiving:
    """Return the request of an archive call. Raises CatalogRefusal if it is not valid or does not name all stores."""
    request = _parsed(body, INVALID_BODY)
    if not message("archive_catalog.request", house).is_valid(request):
        raise CatalogRefusal(INVALID_BODY)
    if set(request["allApplicableStores"]) != own_stores:
        raise CatalogRefusal(f"{ALL_STORES_WANTED}: {', '.join(sorted(own_stores))}")
    return Archiving(list(dict.fromkeys(request["itemSkus"])), sorted(own_stores))


def checked_ingestion_id(body: bytes, house: House) -> str:
    """Return the ingestion id of a status call. Raises CatalogRefusal if the request is not valid."""
    request = _parsed(body, STATUS_BODY_WRONG)
    if not message("get_catalog_upload_status.request", house).is_valid(request):
        raise CatalogRefusal(STATUS_BODY_WRONG)
    return str(request["ingestionId"])


def read_items(body: bytes) -> list[Item]:
    """Return the items of an upload that has passed the checks."""
    items: list[Item] = _parsed(body, INVALID_BODY)["catalogItems"]
    return items


def _parsed(body: bytes, refusal: str) -> dict[str, Any]:
    """Parse a body. A body without null needs no copy without null members, which would take most of the time."""
    try:
        if b"null" in body:
            return parse_object(body)
        value = orjson.loads(body)
        orjson.dumps(value)  # raises if the nesting is too deep to be encoded again
    except (MalformedBody, orjson.JSONDecodeError, orjson.JSONEncodeError) as error:
        raise CatalogRefusal(refusal) from error
    if not isinstance(value, dict):
        raise CatalogRefusal(refusal)
    return value


def _refusal_text(items: list[Item], schema: MessageSchema) -> str:
    """Return the error text, checking item by item: all violations of ten thousand items would take seconds."""
    too_long = ""
    for index, item in enumerate(items):
        alone = {"catalogItems": [item]}
        for breach in () if schema.is_valid(alone) else schema.violations(alone):
            if breach.keyword not in {"maxLength", "maxItems"}:
                return INVALID_BODY
            if breach.keyword == "maxLength" and not too_long:
                too_long = breach.message.replace("[0]", f"[{index}]", 1)
    return too_long or INVALID_BODY


def _check_stores(named: set[str], own: frozenset[str]) -> None:
    if named <= own:
        return
    raise CatalogRefusal(ONE_STORE_WRONG if len(named) == 1 else SEVERAL_STORES_WRONG)
