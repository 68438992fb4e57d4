"""The operators' export of all sales: what each trip costs, who collected it, and what files and events report of it.

GET  /ops/sales    a page of trips in a fixed order; `next` is the value of `after` for the next page, empty at the end
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from reference_connector.errors import InvalidRequest
from reference_connector.pricing.goods import as_text
from reference_connector.store import Authorisation, Charge, Purchase, Records, Store, Transfer, hold_of
from reference_connector.store.books import Source, StoredRecord

_PAGE, _LARGEST_PAGE = 200, 500


class _Trip(NamedTuple):
    trip_id: str
    purchase: Purchase | None
    charge: Charge | None
    hold: Authorisation | None
    refunds: list[Transfer]
    reports: list[StoredRecord]


def export_routes(store: Store) -> APIRouter:
    """Make the route of this module."""
    routes = APIRouter(prefix="/ops")

    @routes.get("/sales")
    async def sales(after: str = "", limit: Annotated[int, Query(ge=1, le=_LARGEST_PAGE)] = _PAGE) -> Response:
        found, place = await store.transact(_page, _place(after), limit)
        answer = {"sales": [_shown(each) for each in found], "next": place.hex() if len(found) == limit else ""}
        return Response(orjson.dumps(answer), media_type="application/json", headers={"Cache-Control": "no-store"})

    return routes


def _place(after: str) -> bytes:
    try:
        return bytes.fromhex(after)
    except ValueError as error:
        raise InvalidRequest("after is not the `next` of an earlier page", status=422) from error


def _page(records: Records, after: bytes, limit: int) -> tuple[list[_Trip], bytes]:
    pairs = records.books.pairs_after(after, limit)
    known = (pair.sale or pair.order for pair in pairs)
    return [_trip(records, each.trip_id) for each in known if each], pairs[-1].place if pairs else b""


def _trip(records: Records, trip_id: str) -> _Trip:
    refunds = [each for each in records.transfers.of_trip(trip_id) if each.kind == "refund"]
    purchase, charge = records.find_purchase(trip_id), records.charges.find(trip_id)
    hold = records.authorisations.find(hold_of(trip_id))
    return _Trip(trip_id, purchase, charge, hold, refunds, records.books.records_of(trip_id))


def _shown(trip: _Trip) -> dict[str, object]:
    return {
        "shoppingTripId": trip.trip_id,
        "purchase": _purchase(trip.purchase) if trip.purchase else None,
        "charge": _charge(trip.charge) if trip.charge else None,
        "hold": {"state": trip.hold.state, "trouble": trip.hold.trouble} if trip.hold else None,
        "refunds": [_refund(each) for each in trip.refunds],
        "files": _reports(trip.reports, "file"),
        "events": _reports(trip.reports, "event"),
    }


def _purchase(purchase: Purchase) -> dict[str, object]:
    return {
        "purchaseId": purchase.purchase_id,
        "storeId": purchase.store_id,
        "status": purchase.status,
        "payer": purchase.payer,
    }


def _charge(charge: Charge) -> dict[str, object]:
    return {
        "amount": as_text(charge.amount),
        "currency": charge.currency,
        "state": charge.state,
        "isAtAmazon": bool(charge.amazon_store),
        "captured": as_text(charge.collected),
        "owed": as_text(charge.owed),
        "trouble": charge.trouble,
    }


def _refund(refund: Transfer) -> dict[str, object]:
    return {
        "refundRequestId": refund.id,
        "amount": as_text(refund.amount),
        "currency": refund.currency,
        "state": refund.state,
        "isAtAmazon": bool(refund.amazon_store),
    }


def _reports(found: list[StoredRecord], source: Source) -> list[dict[str, object]]:
    """Return the records of one source that are about the order or its money; lines are counted by the order."""
    return [
        {"recordId": each.record.id, "kind": each.record.kind, "facts": each.record.facts}
        for each in found
        if each.record.source == source
    ]
