"""The removed part of the books: the trips that were removed after their time, and the sums of their days."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Protocol

_NOTHING = Decimal("0.00")


class RemovedDay(NamedTuple):
    """What the removed orders of a day add up to, in one currency; `currency` is empty for orders without money.

    `day` is its start in UTC. `orders` and `whole_orders` are those of the files. `differences` counts, by kind, the
    differences that the orders had when they were removed.
    """

    day: datetime
    currency: str
    orders: int = 0
    whole_orders: int = 0
    captured: Decimal = _NOTHING
    refunded: Decimal = _NOTHING
    event_captured: Decimal = _NOTHING
    event_refunded: Decimal = _NOTHING
    differences: dict[str, int] = {}  # noqa: RUF012 - never changed

    def plus(self, other: RemovedDay) -> RemovedDay:
        """Add up; both are of one day and currency."""
        return RemovedDay(
            self.day,
            self.currency,
            self.orders + other.orders,
            self.whole_orders + other.whole_orders,
            self.captured + other.captured,
            self.refunded + other.refunded,
            self.event_captured + other.event_captured,
            self.event_refunded + other.event_refunded,
            dict(Counter(self.differences) + Counter(other.differences)),
        )


class RemovedBooks(Protocol):
    """Removes trips from the books, as one transaction does it. Purchases, charges and refunds stay."""

    def note_quiet(self, now: datetime, limit: int) -> int:
        """Note the time for some orders that have changed since the last call; return for how many."""

    def remove(self, places: Sequence[bytes], days: Sequence[RemovedDay]) -> None:
        """Delete the orders of some trips with all their records, and add to the sums of their days."""

    def days(self) -> list[RemovedDay]:
        """List the days with removed orders, the first one first."""

    def has(self, trip_id: str) -> bool:
        """Return whether the books had this trip, and it was removed."""

    def drop_files(self, until: datetime, limit: int) -> int:
        """Delete some of the names of files that were read until an instant; return how many."""
