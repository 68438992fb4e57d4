"""The orders and movements of money that the platform has announced to retailers, in the event feed and in the files.

The platform stores an order or a charge first, and then its events and rows. If it is killed in between, the next start
finds what has no mark here, and announces it. An event or row may then come twice, with the same id.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from simulator.delivery import Deliveries
from simulator.event_families import ORDER_RECOVERED, event_of
from simulator.events import EventFeed
from simulator.intraday.files import IntraDayFiles
from simulator.journal import Entry, Journal
from simulator.payment_calls.charges import Charges
from simulator.portal.stores import Stores
from simulator.reconciliation.books import Key, Posting, posting_of_detail, postings_of_charges
from simulator.storage.files import Storage

Place = Literal["feed", "files"]
_NEWEST = 1000
"""Carts that a start checks: far more than the platform delivers at the same moment."""


class Announcements:
    """The marks of what is announced; `receive` takes journal entries after the feed and the files have taken them."""

    def __init__(
        self,
        feed: EventFeed,
        files: IntraDayFiles,
        *,
        stores: Stores,
        deliveries: Deliveries,
        charges: Charges,
        journal: Journal,
        storage: Storage,
    ) -> None:
        self._feed = feed
        self._files = files
        self._stores = stores
        self._deliveries = deliveries
        self._charges = charges
        self._journal = journal
        self._storage = storage.key_values("announced", str)
        self._begun = storage.key_values("announcements", bool)
        self._marks = self._storage.all()

    def receive(self, entry: Entry) -> None:
        """Mark the posting of a journal entry as announced, in the places that its retailer has."""
        event = event_of(entry)
        posting = posting_of_detail(event[1]) if event else None
        if posting and _text(posting.key) not in self._marks:
            self._mark(posting.key, self._places(str(entry["storeId"])))

    def has_feed(self) -> bool:
        """Return whether any retailer has a queue for the event feed."""
        return any(self._feed.has(store.retailer) for store in self._stores.all())

    def without(self, place: Place) -> frozenset[Key]:
        """Return what happened while the retailer had no queue for this place."""
        return frozenset(_key(text) for text, places in self._marks.items() if place not in places)

    def announced(self, postings: Iterable[Posting], place: Place) -> Iterator[Posting]:
        """Yield those postings that are announced in a place."""
        return (one for one in postings if place in self._marks.get(_text(one.key), ""))

    async def resume(self) -> None:
        """Announce what the last run stored and did not announce."""
        newest = await self._deliveries.newest_delivered(_NEWEST)
        carts = {Posting(one.trip_id, "order").key: one for one in newest}
        charges = {one.key: one for one in postings_of_charges(self._charges.all())}
        if not self._begun.all():  # a database from before these marks: all that is there is announced
            for key in (*carts, *charges):
                self._mark(key, "feed,files")
        self._begun.put("begun", value=True)
        for key, cart in carts.items():
            if _text(key) not in self._marks:
                members = {"tripId": cart.trip_id, "storeId": cart.store_id, "requestId": cart.request_id}
                more = {"outcome": "delivered", "purchaseId": cart.purchase_id, "request": {"body": cart.cart}}
                self._journal.add(ORDER_RECOVERED, {**members, **more})
        for key, posting in charges.items():
            if _text(key) not in self._marks:
                self._charges.note_again(posting.trip_id, posting.kind, posting.ref)

    def _places(self, store_id: str) -> str:
        store = self._stores.find(store_id)
        retailer = store.retailer if store else ""
        found = {"feed": self._feed.has(retailer), "files": self._files.has(retailer)}
        return ",".join(name for name, is_there in found.items() if is_there)

    def _mark(self, key: Key, places: str) -> None:
        self._storage.put(_text(key), places)
        self._marks[_text(key)] = places


def _text(key: Key) -> str:
    trip, kind, ref = key
    return f"{kind}|{trip}|{ref}"


def _key(text: str) -> Key:
    kind, trip, ref = text.split("|", 2)
    return trip, kind, ref  # type: ignore[return-value]  # the kinds that `_text` wrote
