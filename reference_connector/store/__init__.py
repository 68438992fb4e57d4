"""What the connector keeps, and the door to it: a unit of work runs in one transaction, answers included.

Whoever implements `Store` promises: when `transact` returns, what the work recorded survives a crash; and works never
overlap, in this process or any other on the same database.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
Scope = Literal["identity", "order"]
PurchaseStatus = Literal["priced", "parked", "empty"]


class Recorded(NamedTuple):
    """An answer that was given, and the fingerprint of the request that it answered."""

    status: int
    body: bytes
    fingerprint: str


class IssuedCode(NamedTuple):
    """A Scan Key Code that the app showed; `used_by` is the authEvent that it opened the gate for, or empty."""

    token: str
    shopper_id: str
    issued_at: datetime
    used_by: str = ""


class Purchase(NamedTuple):
    """The record behind a purchase id; `receipt` and `cart` are JSON, and `purchase_id` is empty for an empty cart."""

    trip_id: str
    purchase_id: str
    store_id: str
    shopper_id: str
    status: PurchaseStatus
    receipt: bytes
    cart: bytes
    made_at: datetime


class Records(Protocol):
    """The records as one unit of work sees them."""

    def find_answer(self, scope: Scope, key: str, now: datetime) -> Recorded | None:
        """Find an answer that is remembered still."""

    def save_answer(
        self, scope: Scope, key: str, recorded: Recorded, *, now: datetime, forget_at: datetime | None
    ) -> None:
        """Remember an answer, for good when `forget_at` is None."""

    def find_code(self, token: str) -> IssuedCode | None:
        """Find an issued code by its Recognition Token."""

    def save_code(self, code: IssuedCode) -> None:
        """Keep a newly issued code."""

    def use_code(self, token: str, event_id: str) -> None:
        """Note which authEvent a code was good for."""

    def save_purchase(self, purchase: Purchase) -> None:
        """Keep a purchase; there is one a shopping trip."""

    def find_purchase(self, trip_id: str) -> Purchase | None:
        """Find the purchase of a shopping trip."""

    def purchases_of(self, shopper_id: str) -> list[Purchase]:
        """List a shopper's purchases, the newest first."""


class Store(Protocol):
    """Something that runs units of work."""

    def open(self) -> None:
        """Get ready; StoreUnavailable when that cannot be."""

    def close(self) -> None:
        """Finish what waits, then let go."""

    async def transact(self, work: Callable[[Records], T]) -> T:
        """Run a work in a transaction of its own and return its result once that is durable; its error undoes it."""
