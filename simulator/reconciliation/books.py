"""The books of a reconciliation: each is what one side says of the orders and of the money of all trips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

from jwo_contract.money import Money
from jwo_contract.operations import CANCEL_CHARGE, CAPTURE_CHARGE, CHECKOUT_CART, REFUND_CHARGE
from jwo_toolkit.json_types import JsonObject
from simulator.intraday.rows import CHARGE, LINE, ORDER
from simulator.payment_calls.charge_record import Charge

PostingKind = Literal["order", "capture", "cancel", "refund"]
KINDS: tuple[PostingKind, ...] = ("order", "capture", "cancel", "refund")
Key = tuple[str, PostingKind, str]
"""A trip, a kind of posting, and for a refund its refundRequestId."""
ZERO = Decimal(0)
KIND_OF: dict[str, PostingKind] = {
    CAPTURE_CHARGE.name: "capture",
    CHECKOUT_CART.name: "capture",
    CANCEL_CHARGE.name: "cancel",
    REFUND_CHARGE.name: "refund",
}
"""The kind of posting of each call that moves money, or ends a charge without money."""


class Posting(NamedTuple):
    """One order, or one movement of money; `ref` is a purchaseId or a refundRequestId."""

    trip_id: str
    kind: PostingKind
    money: Money | None = None
    ref: str = ""

    @property
    def key(self) -> Key:
        """Return what the same posting has in common in all books."""
        return self.trip_id, self.kind, self.ref if self.kind == "refund" else ""

    @property
    def amount(self) -> Decimal:
        """Return the amount; 0 for a posting without money."""
        return self.money.amount if self.money else ZERO


class Book(NamedTuple):
    """What one side says: its postings, the kinds that it has at all, and postings that it need not have."""

    name: str
    postings: tuple[Posting, ...]
    kinds: tuple[PostingKind, ...] = KINDS
    excused: frozenset[Key] = frozenset()
    note: str = ""
    problems: tuple[tuple[str, str], ...] = ()
    """Trips that the book itself cannot have right, each with a sentence."""


class Order(NamedTuple):
    """A delivered cart.

    `amazon_charges` is whether its first shopper pays through Amazon, by the retailer's calls. `has_hold` is whether a
    reader reserved an amount on a card of the trip, which such a call must end: a group may have a card that does not
    pay, and the issuer may have declined the total.
    """

    trip_id: str
    purchase_id: str
    is_empty: bool
    amazon_charges: bool
    has_hold: bool = False


class Purchase(NamedTuple):
    """A purchase of the connector: its total, and what of it is not for a capture at the platform."""

    trip_id: str
    purchase_id: str
    total: Money | None
    elsewhere: Decimal = ZERO
    """What the retailer collected by its own means."""
    owed: Decimal = ZERO
    """What the shopper owes."""


def postings_of_charges(charges: Iterable[Charge]) -> list[Posting]:
    """Return the postings of the platform's charges."""
    found: list[Posting] = []
    for charge in charges:
        if charge.captured is not None:
            found.append(Posting(charge.trip_id, "capture", charge.captured))
        if charge.cancelled:
            found.append(Posting(charge.trip_id, "cancel"))
        found += [Posting(charge.trip_id, "refund", one.money, key) for key, one in charge.refunds.items()]
    return found


def book_of_rows(rows: Iterable[Mapping[str, str]], *, excused: frozenset[Key] = frozenset(), note: str = "") -> Book:
    """Return the book of the intra-day files. Equal rows count once, since a row may come again, with another time."""
    different = {tuple(sorted({**row, "recordTime": ""}.items())): row for row in rows}
    postings: list[Posting] = []
    lines: dict[str, set[str]] = {}
    wanted: dict[str, int] = {}
    for row in different.values():
        trip = row["shoppingTripId"]
        if row["recordType"] == LINE:
            lines.setdefault(trip, set()).add(row["lineNumber"])
        elif row["recordType"] == ORDER:
            wanted[trip] = int(row["lines"])
            postings.append(Posting(trip, "order", ref=row["purchaseId"]))
        elif row["recordType"] == CHARGE:
            money = Money(Decimal(row["amount"]), row["currency"]) if row["amount"] else None
            kind = KIND_OF[row["operation"]]
            ref = row["recordId"].rpartition(":")[2] if kind == "refund" else ""
            postings.append(Posting(trip, kind, money, ref))
    problems = tuple(
        (trip, f"the files have {len(lines.get(trip, ()))} of the {count} lines of the order")
        for trip, count in wanted.items()
        if len(lines.get(trip, ())) != count
    )
    return Book("files", tuple(postings), excused=excused, note=note, problems=problems)


def postings_of_details(details: Iterable[JsonObject]) -> list[Posting]:
    """Return the postings of the details of feed events. An event that comes again counts once."""
    found = [posting for detail in details if (posting := posting_of_detail(detail))]
    return list(dict.fromkeys(found))


def posting_of_detail(detail: JsonObject) -> Posting | None:
    """Return the posting of one event; None for an event without an order or money."""
    trip, what = str(detail["shoppingTripId"]), detail["event"]
    if what == "ORDER_DELIVERED":
        return Posting(trip, "order", ref=str(detail.get("purchaseId") or ""))
    kind = KIND_OF.get(str(detail.get("operation")))
    if not what.startswith("CHARGE_") or kind is None:
        return None
    amount = detail.get("amount")
    money = Money(Decimal(amount["amount"]), amount["code"]) if amount else None
    return Posting(trip, kind, money, str(detail.get("refundRequestId", "")))
