"""Compares the connector's sales with the books: what is missing here or there, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from reference_connector.store import Store
from reference_connector.store.books import BookedOrder, Pair, Sale
from reference_connector.store.removed_books import RemovedDay

DifferenceKind = Literal[
    "missing_here",
    "missing_there",
    "other_purchase",
    "other_amount",
    "lines_missing",
    "other_in_events",
    "contradiction",
]
"""missing_here: the platform reports an order, and the connector has no sale. missing_there: a sale has no order in the
files. other_purchase: another purchase id. other_amount: another amount was captured or refunded, or in another
currency. lines_missing: the order has lines that no file had. other_in_events: files and events differ. contradiction:
a record came again with other facts."""
_PAGE = 200
_LISTED = 100
_FIRST = b""
_TRIES = 3
START, END = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_NOTHING = Decimal("0.00")


class Difference(NamedTuple):
    """One difference of a shopping trip."""

    kind: DifferenceKind
    trip_id: str
    sale: Sale | None
    order: BookedOrder | None


class Sums(NamedTuple):
    """What was captured and refunded in one currency, by the connector, by the files, and by the events.

    The first two are what Amazon moves, so the files and events must have the same. `own_captured` and `own_refunded`
    are what the retailer's provider moves.
    """

    captured: Decimal = _NOTHING
    refunded: Decimal = _NOTHING
    own_captured: Decimal = _NOTHING
    own_refunded: Decimal = _NOTHING
    file_captured: Decimal = _NOTHING
    file_refunded: Decimal = _NOTHING
    event_captured: Decimal = _NOTHING
    event_refunded: Decimal = _NOTHING

    def plus(self, other: Sums) -> Sums:
        """Add up."""
        return Sums(*(mine + others for mine, others in zip(self, other, strict=True)))


class Reconciliation(NamedTuple):
    """The result: how many trips there are, the sums by currency, how many differences of each kind, and the first.

    `removed_orders` are those of `orders` that were removed after their time. The sums and counts include them.
    """

    sales: int
    orders: int
    whole_orders: int
    removed_orders: int
    sums: dict[str, Sums]
    counts: Counter[str]
    differences: list[Difference]


class Period(NamedTuple):
    """A time, without its end. What a later file may still bring is a difference only of trips before `overdue`."""

    since: datetime
    until: datetime
    overdue: datetime

    def has(self, pair: Pair) -> bool:
        """Return whether a trip is of this time."""
        return self.since <= _time_of(pair) < self.until

    def is_overdue(self, pair: Pair) -> bool:
        """Return whether the files must have all of a trip."""
        return _time_of(pair) <= self.overdue


def _time_of(pair: Pair) -> datetime:
    """Return the time of the sale, or of the order if there is no sale."""
    at = pair.sale.made_at if pair.sale else pair.order.ordered_at if pair.order else None
    return at or END


async def reconcile(store: Store, period: Period) -> Reconciliation:
    """Compare the trips of a time, and add the removed days that begin in it.

    An order may be removed meanwhile, and would be counted twice or not at all. The work then starts again.
    """
    for _ in range(_TRIES):
        days = await store.transact(lambda records: records.books.removed.days())
        result = await _compare(store, period)
        if days == await store.transact(lambda records: records.books.removed.days()):
            break
    return _with_days(result, [each for each in days if period.since <= each.day < period.until])


async def _compare(store: Store, period: Period) -> Reconciliation:
    """Compare trips, a page at a time, so that no answer at the gate waits for long."""
    result = Reconciliation(0, 0, 0, 0, {}, Counter(), [])
    pairs = await store.transact(lambda records: records.books.pairs_after(_FIRST, _PAGE))
    while pairs:
        for pair in pairs:
            if period.has(pair):
                result = _with(result, pair, period)
        place = pairs[-1].place
        pairs = await store.transact(lambda records, after: records.books.pairs_after(after, _PAGE), place)
    return result


def _with(result: Reconciliation, pair: Pair, period: Period) -> Reconciliation:
    found = differences_of(pair, period)
    result.counts.update(each.kind for each in found)
    result.differences.extend(found[: _LISTED - len(result.differences)])
    for currency, sums in _sums_of(pair).items():
        result.sums[currency] = result.sums.get(currency, Sums()).plus(sums)
    has_order = pair.order is not None and pair.order.in_files
    is_whole = has_order and pair.order is not None and pair.order.is_whole
    return result._replace(
        sales=result.sales + (pair.sale is not None),
        orders=result.orders + has_order,
        whole_orders=result.whole_orders + is_whole,
    )


def _with_days(result: Reconciliation, days: Iterable[RemovedDay]) -> Reconciliation:
    for day in days:
        result.counts.update(day.differences)
        if day.currency:
            result.sums[day.currency] = result.sums.get(day.currency, Sums()).plus(_booked(day))
        result = result._replace(
            orders=result.orders + day.orders,
            whole_orders=result.whole_orders + day.whole_orders,
            removed_orders=result.removed_orders + day.orders,
        )
    return result


def days_of(pairs: Iterable[Pair]) -> list[RemovedDay]:
    """Return what the orders of some trips add up to by day and currency, and the differences of these trips."""
    days: dict[tuple[datetime, str], RemovedDay] = {}
    for pair in pairs:
        if pair.order is None:
            continue
        order = pair.order
        found = RemovedDay(
            _time_of(pair).replace(hour=0, minute=0, second=0, microsecond=0),
            order.currency,
            int(order.in_files),
            int(order.in_files and order.is_whole),
            order.captured,
            order.refunded,
            order.event_captured,
            order.event_refunded,
            dict(Counter(each.kind for each in differences_of(pair, Period(START, END, END)))),
        )
        days[found[:2]] = days[found[:2]].plus(found) if found[:2] in days else found
    return [*days.values()]


def differences_of(pair: Pair, period: Period) -> list[Difference]:
    """List the differences of a trip. A sale with a removed order has none: the sums of its day include them."""
    _, sale, order, is_removed = pair
    kinds: list[DifferenceKind] = []
    if is_removed:
        return []
    if order is not None and sale is None:
        kinds.append("missing_here")
    if order is not None and sale is not None and (order.purchase_id or order.in_files):
        kinds += ["other_purchase"] if order.purchase_id != sale.purchase_id else []
    if period.is_overdue(pair):
        kinds += _overdue(sale, order)
    if order is not None and order.contradictions:
        kinds.append("contradiction")
    trip_id = sale.trip_id if sale else order.trip_id if order else ""
    return [Difference(kind, trip_id, sale, order) for kind in kinds]


def _overdue(sale: Sale | None, order: BookedOrder | None) -> list[DifferenceKind]:
    """List the differences that a later file may end."""
    kinds: list[DifferenceKind] = []
    if order is None or not order.in_files:
        kinds.append("missing_there")
    elif not order.is_whole:
        kinds.append("lines_missing")
    if order is None:
        return kinds
    if sale is not None and (_money(order) != _expected(sale) or _differs(order.currency, sale.currency)):
        kinds.append("other_amount")
    if order.in_events and (order.event_captured, order.event_refunded) != _money(order):
        kinds.append("other_in_events")
    return kinds


def _money(order: BookedOrder) -> tuple[Decimal, Decimal]:
    return order.captured, order.refunded


def _expected(sale: Sale) -> tuple[Decimal, Decimal]:
    """Return what the files must have: nothing if the retailer's provider moves the money."""
    return (sale.captured, sale.refunded) if sale.is_amazons else (_NOTHING, _NOTHING)


def _differs(reported: str, own: str) -> bool:
    return bool(reported and own) and reported != own


def _sums_of(pair: Pair) -> dict[str, Sums]:
    """Return the sums of a trip by currency; a trip without money has no currency."""
    sums: dict[str, Sums] = {}
    if pair.sale and pair.sale.currency:
        sale = pair.sale
        own = Sums(own_captured=sale.captured, own_refunded=sale.refunded)
        sums[sale.currency] = Sums(sale.captured, sale.refunded) if sale.is_amazons else own
    if pair.order and pair.order.currency:
        currency = pair.order.currency
        sums[currency] = sums.get(currency, Sums()).plus(_booked(pair.order))
    return sums


def _booked(money: BookedOrder | RemovedDay) -> Sums:
    return Sums(
        file_captured=money.captured,
        file_refunded=money.refunded,
        event_captured=money.event_captured,
        event_refunded=money.event_refunded,
    )
