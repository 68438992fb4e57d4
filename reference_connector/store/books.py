"""The books: what the platform's files and events report about each shopping trip, and how reports become one order.

The books depend on the set of the reports alone: not on their order, on repetitions, or on how files divide them.

Orders and their records leave the books after the setting `feeds.keep_days`; `removed_books.py` holds what remains. The
purchases have no such end: a purchase is the remembered answer of its trip, so that the cart that comes again after
months makes no second purchase. Dead letters stay until an operator reads them again or drops them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol

from jwo_contract.values import parse_instant
from reference_connector.store.removed_books import RemovedBooks

Source = Literal["file", "event"]
RecordKind = Literal["order", "line", "charge", "checkout"]
CAPTURES = ("Capture Charge", "Checkout Cart")
REFUND, CANCEL = "Refund Charge", "Cancel Charge"
OPERATIONS = (*CAPTURES, REFUND, CANCEL)
"""The values of the fact `operation` of a charge."""
_NOTHING = Decimal("0.00")


class FeedRecord(NamedTuple):
    """One report about a shopping trip. Its `id` is unique in its source: a record that comes again has the same id.

    `facts` are texts, by the names of the columns of the intra-day files: `purchaseId`, `lines`, `orderTime`,
    `productId`, `quantity`, `operation`, `amount`, `currency` and others.
    """

    source: Source
    id: str
    trip_id: str
    store_id: str
    kind: RecordKind
    at: datetime
    facts: dict[str, str]


class StoredRecord(NamedTuple):
    """A record as the books have it.

    `files` are those that have it. `is_contradicted` is whether it came again with other facts: the earliest counts.
    """

    record: FeedRecord
    files: tuple[str, ...] = ()
    is_contradicted: bool = False


class BookedOrder(NamedTuple):
    """The order of a shopping trip: what was ordered and paid, by the files, and by the events.

    `lines` is how many lines the order has, or -1 while no file reports it; `lines_seen` is how many have come. Amounts
    have two decimals. `currency` names several ones, with commas, if the charges do not agree. `contradictions` counts
    the records that came again with other facts.
    """

    trip_id: str
    store_id: str
    purchase_id: str = ""
    ordered_at: datetime | None = None
    lines: int = -1
    lines_seen: int = 0
    currency: str = ""
    captured: Decimal = _NOTHING
    refunded: Decimal = _NOTHING
    is_cancelled: bool = False
    checkout_order_id: str = ""
    in_events: bool = False
    event_captured: Decimal = _NOTHING
    event_refunded: Decimal = _NOTHING
    contradictions: int = 0
    files: tuple[str, ...] = ()

    @property
    def in_files(self) -> bool:
        """Whether a file reports the order itself, and not its money alone."""
        return self.lines >= 0

    @property
    def is_whole(self) -> bool:
        """Whether all lines of the order have come."""
        return self.lines == self.lines_seen


class BookedFile(NamedTuple):
    """An intra-day file that was read, by its bucket and its key; `bad_rows` is how many rows are not booked."""

    name: str
    rows: int
    bad_rows: int
    booked_at: datetime


class DeadLetter(NamedTuple):
    """A message that the connector cannot read, kept for an operator. `queue` is the name of a queue: events or files.

    `times` counts how often the same message came.
    """

    id: str
    queue: str
    reason: str
    body: str
    first_at: datetime
    times: int = 1


class Sale(NamedTuple):
    """What the connector knows of a shopping trip: its purchase, and what was collected and returned for it.

    `is_amazons` is whether Amazon moves this money, so that the files must have it.
    """

    trip_id: str
    purchase_id: str
    store_id: str
    status: str
    made_at: datetime
    captured: Decimal = _NOTHING
    refunded: Decimal = _NOTHING
    currency: str = ""
    is_amazons: bool = False


class Pair(NamedTuple):
    """A shopping trip: its place in the list of all trips, the sale, and the order in the books; one may be absent.

    `is_removed` is whether the books had the order, and it was removed after its time.
    """

    place: bytes
    sale: Sale | None
    order: BookedOrder | None
    is_removed: bool = False


class Books(Protocol):
    """The books, as one transaction reads and writes them."""

    @property
    def removed(self) -> RemovedBooks:
        """What was removed from the books."""

    def book(self, records: Sequence[FeedRecord], file: str = "") -> list[FeedRecord]:
        """Add records, from a file or from events. Records that the books have already change nothing.

        Return the records that are not booked: those of trips that were removed from the books.
        """

    def note_file(self, file: BookedFile) -> None:
        """Save that a file was read; a repeated file overwrites its earlier row."""

    def files(self, limit: int) -> list[BookedFile]:
        """List the files that were read last, the newest first."""

    def find(self, trip_id: str) -> BookedOrder | None:
        """Find the order of a shopping trip."""

    def records_of(self, trip_id: str) -> list[StoredRecord]:
        """List the records of a shopping trip."""

    def sale_of(self, trip_id: str) -> Sale | None:
        """Find what the connector itself knows of a shopping trip."""

    def pairs_after(self, place: bytes, limit: int) -> list[Pair]:
        """List the trips with a sale or an order, from the first one after a place."""

    def quiet_pairs(self, until: datetime, limit: int) -> list[Pair]:
        """List some trips with an order that has not changed since an instant, the oldest first."""

    def keep_letter(self, letter: DeadLetter) -> None:
        """Keep a dead letter; a repeated one counts, and gets the new reason."""

    def find_letter(self, letter_id: str) -> DeadLetter | None:
        """Find a dead letter."""

    def letters(self, limit: int) -> list[DeadLetter]:
        """List dead letters, the oldest first."""

    def drop_letter(self, letter_id: str) -> None:
        """Delete a dead letter."""

    def count_letters(self) -> int:
        """Count the dead letters."""


def merged(old: StoredRecord, new: StoredRecord) -> StoredRecord:
    """Return one record for two of the same id. The result is the same for any number of them, in any order."""
    files = tuple(sorted({*old.files, *new.files}))
    is_contradicted = old.is_contradicted or new.is_contradicted or _content(old.record) != _content(new.record)
    first = min(old.record, new.record, key=lambda record: (record.at, _content(record)))
    return StoredRecord(first, files, is_contradicted)


def _content(record: FeedRecord) -> tuple[Any, ...]:
    """Return what two reports of one fact have in common; a repeated call has a time of its own."""
    return record.trip_id, record.store_id, record.kind, sorted(record.facts.items())


def order_of(stored: Sequence[StoredRecord]) -> BookedOrder:
    """Return the order that the records of a trip make; there must be one."""
    in_order = sorted(stored, key=lambda each: (each.record.source, each.record.id))
    records = [each.record for each in in_order]
    by_files = [record for record in records if record.source == "file"]
    by_events = [record for record in records if record.source == "event"]
    orders = [record for record in by_files if record.kind == "order"]
    lines = [record for record in by_files if record.kind == "line"]
    about = (orders or lines or [record for record in by_events if record.kind == "order"])[:1]
    facts: dict[str, str] = about[0].facts if about else {}
    charges = [record.facts for record in by_files if record.kind == "charge"]
    of_events = [record.facts for record in by_events if record.kind == "charge"]
    return BookedOrder(
        trip_id=records[0].trip_id,
        store_id=records[0].store_id,
        purchase_id=facts.get("purchaseId", ""),
        ordered_at=_ordered_at(facts, records),
        lines=int(facts.get("lines", "-1")),
        lines_seen=len(lines),
        currency=",".join(sorted({each["currency"] for each in (*charges, *of_events) if each.get("currency")})),
        captured=_sum(charges, CAPTURES),
        refunded=_sum(charges, (REFUND,)),
        is_cancelled=any(each["operation"] == CANCEL for each in (*charges, *of_events)),
        checkout_order_id=next((r.facts["orderId"] for r in by_events if r.kind == "checkout"), ""),
        in_events=bool(by_events),
        event_captured=_sum(of_events, CAPTURES),
        event_refunded=_sum(of_events, (REFUND,)),
        contradictions=sum(each.is_contradicted for each in stored),
        files=tuple(sorted({file for each in stored for file in each.files})),
    )


def _ordered_at(facts: dict[str, str], records: Iterable[FeedRecord]) -> datetime:
    return parse_instant(facts["orderTime"]) if "orderTime" in facts else min(record.at for record in records)


def _sum(charges: Iterable[dict[str, str]], operations: tuple[str, ...]) -> Decimal:
    amounts = (Decimal(each["amount"]) for each in charges if each["operation"] in operations)
    return sum(amounts, _NOTHING)
