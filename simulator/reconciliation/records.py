"""Collects the books of the platform, and those that a connector shows, for a reconciliation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Annotated, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from jwo_contract.money import Money
from simulator.announcements import Announcements, Place
from simulator.aws import AWS_ERRORS
from simulator.delivery import Deliveries
from simulator.intraday.files import IntraDayFiles
from simulator.payment_calls.charges import Charges
from simulator.portal.stores import Stores
from simulator.reconciliation.books import (
    KINDS,
    Book,
    Key,
    Order,
    Posting,
    PostingKind,
    Purchase,
    book_of_rows,
    postings_of_charges,
)
from simulator.reconciliation.comparison import PLATFORM, Day, Reconciliation, reconcile
from simulator.storage.deliveries import DeliveredOrder


def _finite(amount: Decimal) -> Decimal:
    if not amount.is_finite():
        raise ValueError("is not a number; write a decimal such as 12.30")
    return amount


Amount = Annotated[Decimal, AfterValidator(_finite)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Total(_Body):
    """An amount of money."""

    amount: Amount
    code: str = Field(min_length=3, max_length=3)


class ShownPosting(_Body):
    """One order or movement of money in a connector's book."""

    tripId: str  # noqa: N815 - the wire's spelling
    kind: PostingKind
    money: Total | None = None
    ref: str = Field(default="", description="The purchaseId of an order, or the refundRequestId of a refund.")


class ShownBook(_Body):
    """A book of the connector: what it did itself, or what it read in the files or in the feed."""

    name: str = Field(min_length=1, max_length=60)
    kinds: tuple[PostingKind, ...] = Field(default=KINDS, description="The kinds that this book has at all.")
    reads: Place | None = Field(
        default=None, description="files or feed: what the connector read there, so later rows may be missing."
    )
    postings: tuple[ShownPosting, ...]


class ShownPurchase(_Body):
    """A purchase of the connector: its total, and the parts that are not captured at the platform."""

    tripId: str  # noqa: N815 - the wire's spelling
    purchaseId: str  # noqa: N815 - as above
    total: Total | None = None
    elsewhere: Amount = Field(default=Decimal(0), description="Collected by the retailer's own means.")
    owed: Amount = Field(default=Decimal(0), description="Not paid yet.")


class ConnectorBooks(_Body):
    """All that a connector shows, and the reason for each book that it cannot show."""

    books: tuple[ShownBook, ...] = ()
    purchases: tuple[ShownPurchase, ...] | None = None
    missing: dict[str, str] = {}


NO_BOOKS = ConnectorBooks(
    missing={"connector": "the books of the connector are not given; POST /reconciliation takes them"}
)
AskConnector = Callable[[], Awaitable[ConnectorBooks]]


async def no_books() -> ConnectorBooks:
    """Return that nothing is known of the connector."""
    return NO_BOOKS


class MoneyRecords(NamedTuple):
    """The services with the records; `ask_connector` returns the connector's books.

    A store day in which the retailer charges all shoppers has no announcements and no files.
    """

    deliveries: Deliveries
    charges: Charges
    stores: Stores
    announcements: Announcements | None = None
    files: IntraDayFiles | None = None
    ask_connector: AskConnector = no_books

    async def reconcile(self, shown: ConnectorBooks | None = None) -> Reconciliation:
        """Compare all records. Without `shown`, ask the connector for its books."""
        shown = await self.ask_connector() if shown is None else shown
        delivered = await self.deliveries.orders()
        charges, shows_purchases = self.charges.all(), shown.purchases is not None
        declined = {one.trip_id for one in charges if one.adjustment and one.adjustment.status == "DECLINED"}
        orders = tuple(
            Order(
                one.trip_id,
                one.purchase_id,
                is_empty=one.is_empty,
                amazon_charges=one.by_card and one.trip_id not in declined and self._has_hold(one),
                has_hold=shows_purchases and self._has_hold(one),
            )
            for one in delivered
        )
        charged = postings_of_charges(charges)
        platform = (*(Posting(one.trip_id, "order", ref=one.purchase_id) for one in orders), *charged)
        missing = dict(shown.missing)
        others = [*self._feed(platform, missing), *await self._files(missing)]
        others += [_book(one, self._excused(one.reads)) for one in shown.books]
        purchases = None if shown.purchases is None else tuple(map(_purchase, shown.purchases))
        day = Day(orders, Book(PLATFORM, platform), tuple(others), purchases, missing)
        return await asyncio.to_thread(reconcile, day)

    def _excused(self, reads: Place | None) -> frozenset[Key]:
        """Return what a reader of the feed or of the files cannot have read: other times, and rows that wait."""
        if reads is None or self.announcements is None:
            return frozenset()
        rows = self._waiting_rows() if reads == "files" else []
        return self.announcements.without(reads) | {one.key for one in book_of_rows(rows).postings}

    def _waiting_rows(self) -> list[dict[str, str]]:
        files = self.files
        return [row for retailer in files.retailers() for row in files.waiting(retailer)] if files else []

    def _feed(self, platform: tuple[Posting, ...], missing: dict[str, str]) -> list[Book]:
        """Return the book of the event feed; without one, `missing` gets the reason."""
        marks = self.announcements
        if marks is None or not marks.has_feed():
            missing["feed"] = "no retailer has a queue for the event feed"
            return []
        return [Book("feed", tuple(marks.announced(platform, "feed")), excused=marks.without("feed"))]

    async def _files(self, missing: dict[str, str]) -> list[Book]:
        """Return the book of the files, with the rows that wait for the next one, or note in `missing` the reason."""
        files, marks = self.files, self.announcements
        if files is None or marks is None or not files.retailers():
            missing["files"] = "no retailer has a queue for the intra-day files"
            return []
        waiting = self._waiting_rows()
        try:
            rows = [row for retailer in files.retailers() for row in await files.written(retailer)]
        except AWS_ERRORS as error:
            missing["files"] = f"S3 cannot be read: {type(error).__name__}"
            return []
        note = f"{len(waiting):,} rows wait for the next file, and count" if waiting else ""
        return [book_of_rows([*rows, *waiting], excused=marks.without("files"), note=note)]

    def _has_hold(self, order: DeliveredOrder) -> bool:
        """Return whether a call of the retailer must end what a reader reserved for an order."""
        store = self.stores.find(order.store_id)
        processor = store.payment_processor if store else "retailer"
        has_calls = processor == "amazon" or (processor == "checkout" and not order.is_empty)
        return has_calls and (order.by_card or order.has_card)


def _money(total: Total | None) -> Money | None:
    return Money(total.amount, total.code) if total else None


def _book(shown: ShownBook, excused: frozenset[Key]) -> Book:
    postings = (Posting(one.tripId, one.kind, _money(one.money), one.ref) for one in shown.postings)
    return Book(shown.name, tuple(postings), shown.kinds, excused)


def _purchase(shown: ShownPurchase) -> Purchase:
    return Purchase(shown.tripId, shown.purchaseId, _money(shown.total), shown.elsewhere, shown.owed)
