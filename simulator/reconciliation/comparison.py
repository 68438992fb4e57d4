"""Compares the books of a day, and names each trip on which they do not agree. All amounts are exact decimals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NamedTuple

from jwo_contract.money import Money
from jwo_toolkit.json_types import JsonObject
from simulator.reconciliation.books import KINDS, ZERO, Book, Key, Order, Posting, PostingKind, Purchase

PLATFORM, CONNECTOR = "platform", "connector"
_NAMES: dict[PostingKind, str] = {
    "order": "Orders",
    "capture": "Captured",
    "cancel": "Cancelled",
    "refund": "Refunded",
}
_PURCHASED = "Purchased"
_CENT = Decimal("0.01")


class Disagreement(NamedTuple):
    """A trip on which the books do not agree: a code, a sentence, and the money that differs (not below zero)."""

    trip_id: str
    code: str
    says: str
    amount: Decimal = ZERO
    row: str = ""
    """The row of the table that it belongs to."""


class Sum(NamedTuple):
    """A number of postings, and their money by currency."""

    number: int
    money: dict[str, Decimal]

    def to_json(self) -> JsonObject:
        """Return it with amounts as texts."""
        return {
            "count": self.number,
            "money": {code: money_text(amount) for code, amount in sorted(self.money.items())},
        }


class Row(NamedTuple):
    """One row of the table: the sum of each book that has it, and the money that differs."""

    name: str
    sums: dict[str, Sum]
    difference: Decimal


class Reconciliation(NamedTuple):
    """The result: the table, the disagreements, and the books that could not be read, each with the reason."""

    rows: tuple[Row, ...]
    disagreements: tuple[Disagreement, ...]
    missing: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def difference(self) -> Decimal:
        """Return the money that differs in all rows together."""
        return sum((row.difference for row in self.rows), ZERO)

    def to_json(self, most: int = 100) -> JsonObject:
        """Return it as JSON, with at most this number of disagreements."""
        return {
            "agrees": not self.disagreements,
            "difference": money_text(self.difference),
            "rows": [
                {
                    "name": row.name,
                    "books": {book: one.to_json() for book, one in row.sums.items()},
                    "difference": money_text(row.difference),
                }
                for row in self.rows
            ],
            "disagreements": len(self.disagreements),
            "trips": [
                {"tripId": one.trip_id, "code": one.code, "says": one.says, "amount": money_text(one.amount)}
                for one in self.disagreements[:most]
            ],
            "notReconciled": dict(self.missing),
            "notes": list(self.notes),
        }


class Day(NamedTuple):
    """All that a reconciliation compares; the platform's book is the one that the others must agree with.

    `purchases` None means that the connector shows none, and `missing` has a reason for each book that is not there.
    """

    orders: tuple[Order, ...]
    platform: Book
    others: tuple[Book, ...] = ()
    purchases: tuple[Purchase, ...] | None = None
    missing: Mapping[str, str] = {}


def reconcile(day: Day) -> Reconciliation:
    """Compare all books of a day."""
    found = [*_doubled(day.platform), *_broken_rules(day)]
    for book in day.others:
        found += [*_doubled(book), *_differences(day.platform, book), *_problems(book)]
    if day.purchases is not None:
        found += _wrong_totals(day)
    notes = tuple(f"{book.name}: {book.note}" for book in (day.platform, *day.others) if book.note)
    return Reconciliation(tuple(_rows(day, found)), tuple(found), day.missing, notes)


def money_text(amount: Decimal) -> str:
    """Return an amount with two decimals, or with more if it has more."""
    return f"{amount.quantize(_CENT):f}" if amount == amount.quantize(_CENT) else f"{amount:f}"


def _rows(day: Day, found: list[Disagreement]) -> Iterator[Row]:
    differs: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in found:
        differs[one.row] += one.amount
    for kind in KINDS:
        books = [book for book in (day.platform, *day.others) if kind in book.kinds]
        sums = {book.name: _sum(one.money for one in book.postings if one.kind == kind) for book in books}
        yield Row(_NAMES[kind], sums, differs[_NAMES[kind]])
    if day.purchases is not None:
        yield Row(_PURCHASED, {CONNECTOR: _sum(one.total for one in day.purchases)}, differs[_PURCHASED])


def _sum(amounts: Iterable[Money | None]) -> Sum:
    count, money = 0, defaultdict[str, Decimal](Decimal)
    for one in amounts:
        count += 1
        if one is not None:
            money[one.code] += one.amount
    return Sum(count, dict(money))


def _doubled(book: Book) -> Iterator[Disagreement]:
    """Yield the postings that a book has more than once."""
    amounts: defaultdict[Key, list[Decimal]] = defaultdict(list)
    for one in book.postings:
        amounts[one.key].append(one.amount)
    for (trip, kind, _), found in amounts.items():
        if len(found) > 1:
            again = sum(found, ZERO) - max(found)
            says = f"{_the(book)} {_has(book)} the {kind} {len(found)} times"
            yield Disagreement(trip, f"double_{kind}_in_{book.name}", says, again, _NAMES[kind])


def _differences(reference: Book, book: Book) -> Iterator[Disagreement]:
    ours = {one.key: one for one in reference.postings if one.kind in book.kinds}
    theirs = {one.key: one for one in book.postings}
    for key, one in ours.items():
        if key not in theirs and key not in book.excused:
            says = f"{_the(book)} {_has(book)} no {_described(one)}"
            yield _on(one, f"missing_{one.kind}_in_{book.name}", says, one.amount)
        elif key in theirs:
            yield from _other(one, theirs[key], book)
    for key, one in theirs.items():
        if key not in ours:
            says = f"only {_the(book)} {_has(book)} the {_described(one)}"
            yield _on(one, f"unknown_{one.kind}_in_{book.name}", says, one.amount)


def _other(ours: Posting, theirs: Posting, book: Book) -> Iterator[Disagreement]:
    if ours.money != theirs.money:
        says = f"{_the(book)} {_has(book)} {_described(theirs)}, and the platform {_described(ours)}"
        apart = abs(ours.amount - theirs.amount)
        if ours.money and theirs.money and ours.money.code != theirs.money.code:
            apart = ours.amount + theirs.amount
        yield _on(ours, f"other_amount_in_{book.name}", says, apart)
    elif ours.kind == "order" and ours.ref != theirs.ref:
        says = (
            f"{_the(book)} {_has(book)} the purchase {theirs.ref or '(none)'}, and the platform {ours.ref or '(none)'}"
        )
        yield _on(ours, f"other_purchase_in_{book.name}", says)


def _problems(book: Book) -> Iterator[Disagreement]:
    for trip, says in book.problems:
        yield Disagreement(trip, f"incomplete_order_in_{book.name}", says, ZERO, _NAMES["order"])


def _broken_rules(day: Day) -> Iterator[Disagreement]:
    """Yield what no side may do: capture an empty cart, refund too much, leave a charge without an end."""
    posted: defaultdict[str, list[Posting]] = defaultdict(list)
    for one in day.platform.postings:
        if one.kind != "order":
            posted[one.trip_id].append(one)
    orders = {order.trip_id: order for order in day.orders}
    for trip, postings in posted.items():
        yield from _broken_by(trip, postings, orders.get(trip))
    explained = _not_for_amazon(day)
    for order in day.orders:
        if _ended(posted[order.trip_id]):
            continue
        if order.amazon_charges and order.trip_id not in explained:
            yield _unfinished(order)
        elif order.has_hold or order.amazon_charges:
            says = "a card of the trip has a hold, and no capture or cancel ends it"
            yield _on(Posting(order.trip_id, "cancel"), "open_hold", says)


def _not_for_amazon(day: Day) -> frozenset[str]:
    """Return the trips of which the connector collected the whole total elsewhere, or has it as a debt.

    Their holds must be cancelled. A purchase without an amount is not one of them, as its charge must be cancelled.
    """
    return frozenset(
        one.trip_id
        for one in day.purchases or ()
        if one.total and one.total.amount and one.elsewhere + one.owed == one.total.amount
    )


def _ended(postings: list[Posting]) -> bool:
    return any(one.kind in {"capture", "cancel"} for one in postings)


def _unfinished(order: Order) -> Disagreement:
    """Return the disagreement of an open charge. Its money is in the row of the purchases."""
    kind: PostingKind = "cancel" if order.is_empty else "capture"
    return _on(Posting(order.trip_id, kind), f"missing_{kind}", f"the cart is delivered, and no {kind} ends its charge")


def _broken_by(trip: str, postings: list[Posting], order: Order | None) -> Iterator[Disagreement]:
    captures = [one for one in postings if one.kind == "capture"]
    captured = max((one.amount for one in captures), default=ZERO)
    refunded = sum((one.amount for one in postings if one.kind == "refund"), ZERO)
    if captures and order is None:
        yield _on(captures[0], "capture_without_order", "money is captured, and no cart is delivered", captured)
    if captures and order is not None and order.is_empty:
        yield _on(captures[0], "capture_of_empty_cart", "money is captured for an empty cart", captured)
    if captures and any(one.kind == "cancel" for one in postings):
        yield _on(captures[0], "capture_and_cancel", "the charge is both captured and cancelled", captured)
    if refunded > captured:
        says = f"{money_text(refunded)} is refunded, and {money_text(captured)} captured"
        yield Disagreement(trip, "refund_above_capture", says, refunded - captured, _NAMES["refund"])


def _wrong_totals(day: Day) -> Iterator[Disagreement]:
    """Yield the purchases with a total that is not captured, collected by the retailer, or owed."""
    captured: defaultdict[str, Decimal] = defaultdict(Decimal)
    codes: dict[str, str] = {}
    for one in day.platform.postings:
        if one.kind == "capture" and one.money:
            captured[one.trip_id] += one.money.amount
            codes[one.trip_id] = one.money.code
    for purchase in day.purchases or ():
        total = purchase.total.amount if purchase.total else ZERO
        code = codes.get(purchase.trip_id)
        if purchase.total and code and code != purchase.total.code:
            says = f"the purchase costs {money_text(total)} {purchase.total.code}, and {code} are captured"
            apart = total + captured[purchase.trip_id]
            yield Disagreement(purchase.trip_id, "other_currency", says, apart, _PURCHASED)
            continue
        covered = captured[purchase.trip_id] + purchase.elsewhere + purchase.owed
        if total != covered:
            parts = f"{money_text(captured[purchase.trip_id])} captured, {money_text(purchase.elsewhere)} collected"
            says = f"the purchase costs {money_text(total)}: {parts} by the retailer, {money_text(purchase.owed)} owed"
            yield Disagreement(purchase.trip_id, "other_total", says, abs(total - covered), _PURCHASED)


def _on(one: Posting, code: str, says: str, amount: Decimal = ZERO) -> Disagreement:
    return Disagreement(one.trip_id, code, says, amount, _NAMES[one.kind])


def _described(one: Posting) -> str:
    return f"{one.kind} of {money_text(one.amount)} {one.money.code}" if one.money else one.kind


def _the(book: Book) -> str:
    return f"the {book.name}"


def _has(book: Book) -> str:
    return "have" if book.name.endswith("files") else "has"
