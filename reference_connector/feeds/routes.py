"""The operators' routes for the feeds and the books. Amounts are texts with two decimals.

GET  /ops/books                               compare the sales with the books: sums, and the differences. A day in UTC
                                              with removed orders counts as a whole if it begins in the time
GET  /ops/books/{trip}                        one shopping trip: its sale, its order, and all records of it
GET  /ops/feeds                               the queues, the files that were read last, and the number of dead letters
GET  /ops/feeds/dead_letters                  the oldest 100 messages that are not readable
POST /ops/feeds/dead_letters/{id}/retry       read one again
POST /ops/feeds/dead_letters/{id}/drop        delete one
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated

import orjson
from fastapi import APIRouter, Query
from starlette.responses import Response

from jwo_contract.errors import BadValue
from jwo_contract.values import parse_instant
from reference_connector.errors import FeedError, InvalidRequest, NotPossible, NotThere
from reference_connector.feeds.consumer import Consumer
from reference_connector.feeds.reconciliation import END, START, Difference, Period, Reconciliation, reconcile
from reference_connector.pricing.goods import as_text
from reference_connector.store import Records, Store
from reference_connector.store.books import BookedFile, BookedOrder, DeadLetter, Sale, StoredRecord
from reference_connector.telemetry import Clock

_LISTED = 100


def feed_routes(store: Store, consumers: Mapping[str, Consumer], clock: Clock, overdue_s: float) -> APIRouter:
    """Make the routes of this module. `consumers` are by queue, those that run in this process."""
    routes = APIRouter(prefix="/ops")
    routes.include_router(_letter_routes(store, consumers))

    @routes.get("/books")
    async def books(
        since: str = "", until: str = "", overdue_after_s: Annotated[float, Query(ge=0, le=1e9)] = overdue_s
    ) -> Response:
        overdue = clock() - timedelta(seconds=overdue_after_s)
        period = Period(_instant(since, "since", START), _instant(until, "until", END), overdue)
        found = await reconcile(store, period)
        letters = await store.transact(lambda records: records.books.count_letters())
        return _json({**_reconciliation(found), "deadLetters": letters})

    @routes.get("/books/{trip_id:path}")
    async def trip(trip_id: str) -> Response:
        sale, order, records, is_removed = await store.transact(_all_of, trip_id)
        if sale is None and order is None:
            why = "its order was removed (feeds.keep_days)" if is_removed else "there is no order"
            raise NotThere(f"there is no sale of this shopping trip, and {why}")
        shown = {**_both(sale, order), "records": [_record(each) for each in records]}
        return _json({**shown, "isOrderRemoved": is_removed})

    @routes.get("/feeds")
    async def feeds() -> Response:
        files, letters = await store.transact(lambda found: (found.books.files(_LISTED), found.books.count_letters()))
        return _json({"queues": sorted(consumers), "deadLetters": letters, "files": [_file(each) for each in files]})

    return routes


def _all_of(records: Records, trip_id: str) -> tuple[Sale | None, BookedOrder | None, list[StoredRecord], bool]:
    """Return the sale, the order and the records of a shopping trip, and whether its order was removed."""
    books = records.books
    return books.sale_of(trip_id), books.find(trip_id), books.records_of(trip_id), books.removed.has(trip_id)


def _letter_routes(store: Store, consumers: Mapping[str, Consumer]) -> APIRouter:
    routes = APIRouter(prefix="/feeds/dead_letters")

    @routes.get("")
    async def letters() -> Response:
        found = await store.transact(lambda records: records.books.letters(_LISTED))
        return _json({"deadLetters": [_letter(each) for each in found]})

    @routes.post("/{letter_id}/retry")
    async def retry(letter_id: str) -> Response:
        letter = await _letter_of(store, letter_id)
        if letter.queue not in consumers:
            raise NotPossible(f"this connector does not read the queue of {letter.queue}; set its address")
        try:
            problems = await consumers[letter.queue].handle(letter.body)
        except FeedError as error:
            raise NotPossible(f"{error}; {error.hint}".rstrip("; ")) from error
        if not problems:
            await store.transact(lambda records: records.books.drop_letter(letter.id))
        return _json({"id": letter.id, "isRead": not problems, "problems": problems})

    @routes.post("/{letter_id}/drop")
    async def drop(letter_id: str) -> Response:
        letter = await _letter_of(store, letter_id)
        await store.transact(lambda records: records.books.drop_letter(letter.id))
        return _json(_letter(letter))

    return routes


async def _letter_of(store: Store, letter_id: str) -> DeadLetter:
    letter = await store.transact(lambda records: records.books.find_letter(letter_id))
    if letter is None:
        raise NotThere("there is no dead letter with this id")
    return letter


def _instant(text: str, name: str, default: datetime) -> datetime:
    try:
        return parse_instant(text) if text else default
    except BadValue as error:
        raise InvalidRequest(f"{name}: {error}") from error


def _reconciliation(found: Reconciliation) -> dict[str, object]:
    return {
        "sales": found.sales,
        "orders": found.orders,
        "wholeOrders": found.whole_orders,
        "removedOrders": found.removed_orders,
        "sums": {currency: _amounts(sums._asdict()) for currency, sums in sorted(found.sums.items())},
        "differenceCounts": dict(sorted(found.counts.items())),
        "differences": [_difference(each) for each in found.differences],
    }


def _amounts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {_camel(name): as_text(amount) for name, amount in amounts.items()}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(each.capitalize() for each in others)


def _difference(found: Difference) -> dict[str, object]:
    return {"kind": found.kind, **_both(found.sale, found.order), "shoppingTripId": found.trip_id}


def _both(sale: Sale | None, order: BookedOrder | None) -> dict[str, object]:
    return {"sale": _sale(sale) if sale else None, "order": _order(order) if order else None}


def _sale(sale: Sale) -> dict[str, object]:
    return {
        "shoppingTripId": sale.trip_id,
        "purchaseId": sale.purchase_id,
        "storeId": sale.store_id,
        "status": sale.status,
        "madeAt": sale.made_at.isoformat(),
        "captured": as_text(sale.captured),
        "refunded": as_text(sale.refunded),
        "currency": sale.currency,
        "isChargedByAmazon": sale.is_amazons,
    }


def _order(order: BookedOrder) -> dict[str, object]:
    return {
        "shoppingTripId": order.trip_id,
        "purchaseId": order.purchase_id,
        "storeId": order.store_id,
        "orderTime": order.ordered_at.isoformat() if order.ordered_at else "",
        "lines": order.lines,
        "linesSeen": order.lines_seen,
        "captured": as_text(order.captured),
        "refunded": as_text(order.refunded),
        "currency": order.currency,
        "isCancelled": order.is_cancelled,
        "orderId": order.checkout_order_id,
        "eventCaptured": as_text(order.event_captured),
        "eventRefunded": as_text(order.event_refunded),
        "contradictions": order.contradictions,
        "files": order.files,
    }


def _record(stored: StoredRecord) -> dict[str, object]:
    record, files, is_contradicted = stored
    what = {"source": record.source, "recordId": record.id, "kind": record.kind, "at": record.at.isoformat()}
    return {**what, "facts": record.facts, "files": files, "isContradicted": is_contradicted}


def _file(file: BookedFile) -> dict[str, object]:
    return {
        "file": file.name,
        "rows": file.rows,
        "badRows": file.bad_rows,
        "bookedAt": file.booked_at.isoformat(),
    }


def _letter(letter: DeadLetter) -> dict[str, object]:
    return {
        "id": letter.id,
        "queue": letter.queue,
        "reason": letter.reason,
        "body": letter.body,
        "firstAt": letter.first_at.isoformat(),
        "times": letter.times,
    }


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json", headers={"Cache-Control": "no-store"})
