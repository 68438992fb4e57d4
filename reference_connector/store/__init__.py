"""The store's narrow interface: what the connector keeps, and the four ways to ask for it.

    earlier = await store.remember_answer(RememberAnswer(...))     one answer an event
    earlier = await store.record_sale(RecordSale(...))             one purchase a shopping trip
    result  = await store.transact(work, *arguments)               anything that reads and then writes
    store.waiting                                                  for the metrics

What an `await` returns is on disk. The first two insert a row unless its key has one already, and return the row that
was there first: the database's index decides between duplicates, also between those of several nodes at one moment.
A unit of work is a function of `Records` without other effects. It runs in a transaction, whole or not at all, and
never overlaps another one, in this process or any other on the same database; it may run a second time where its
first run was undone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Concatenate, Literal, NamedTuple, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Scope = Literal["identity", "order", "shopper_auth", "scan", "signature"]
PurchaseStatus = Literal["priced", "parked", "empty"]
"""`parked` is a bad cart: something in it has no price yet."""
ChargeState = Literal["pending", "authorised", "captured", "declined", "stuck"]
CLAIMED = 0
"""The status of an answer that a worker is still deciding."""


class RememberAnswer(NamedTuple):
    """Command: remember an answer under a key until `forget_at`; `request_hash` tells a repetition from a change."""

    scope: Scope
    key: str
    request_hash: bytes
    now: datetime
    forget_at: datetime
    status: int
    body: bytes


class RememberedAnswer(NamedTuple):
    """An answer that was given, and the hash of the request that it answered.

    With status CLAIMED it is a claim: `owner` decides on the answer, and has until `lease_until` for it.
    """

    status: int
    body: bytes
    request_hash: bytes
    owner: str = ""
    lease_until: datetime | None = None


class IssuedCode(NamedTuple):
    """A Scan Key Code that the app showed; `used_by` is the authEvent that it opened the gate for, or empty."""

    token: str
    shopper_id: str
    issued_at: datetime
    used_by: str = ""


class Purchase(NamedTuple):
    """The record behind a purchase id; `receipt` and `cart` are JSON, and `purchase_id` is empty for an empty cart.

    `cart` has the lines of a bad cart, for pricing them again; all others have theirs in the receipt.
    `payer` says who settles it: see `payments.Payer`.
    """

    trip_id: str
    purchase_id: str
    store_id: str
    shopper_id: str
    status: PurchaseStatus
    payer: str
    receipt: bytes
    cart: bytes
    request_hash: bytes
    made_at: datetime


class Charge(NamedTuple):
    """Money to take for one purchase: an entry of the payment outbox, one a shopping trip.

    `amount` has two decimals; `reference` is the provider's, `trouble` its last error code.
    """

    trip_id: str
    shopper_id: str
    amount: Decimal
    currency: str
    method: str
    state: ChargeState
    due_at: datetime
    attempts: int = 0
    reference: str = ""
    trouble: str = ""


class RecordSale(NamedTuple):
    """Command: record a purchase, and with it the charge for the outbox where there is something to take."""

    purchase: Purchase
    charge: Charge | None


class Records(Protocol):
    """The records as one unit of work sees them."""

    def find_answer(self, scope: Scope, key: str, now: datetime) -> RememberedAnswer | None:
        """Find an answer, or a claim on it, whose time is not over."""

    def save_answer(self, answer: RememberAnswer, *, owner: str = "", lease_until: datetime | None = None) -> None:
        """Remember an answer or a claim; it takes the place of an earlier one."""

    def insert_answers_if_absent(self, answers: list[RememberAnswer]) -> list[RememberedAnswer | None]:
        """Insert each answer unless its key has one: that is returned in its place, and nothing changed."""

    def drop_answer(self, scope: Scope, key: str) -> None:
        """Forget an answer or a claim."""

    def find_code(self, token: str) -> IssuedCode | None:
        """Find an issued code by its Recognition Token."""

    def save_code(self, code: IssuedCode) -> None:
        """Save a newly issued code."""

    def use_code(self, token: str, event_id: str) -> None:
        """Note which authEvent a code opened the gate for."""

    def insert_sales_if_absent(self, sales: list[RecordSale]) -> list[Purchase | None]:
        """Insert each sale unless its trip has a purchase: that is returned in its place, and nothing changed."""

    def replace_purchase(self, purchase: Purchase) -> None:
        """Put a purchase in place of the one of the same trip."""

    def find_purchase(self, trip_id: str) -> Purchase | None:
        """Find the purchase of a shopping trip."""

    def purchases_of(self, shopper_id: str) -> list[Purchase]:
        """List a shopper's purchases, the newest first."""

    def bad_carts(self, limit: int, after: Purchase | None = None) -> list[Purchase]:
        """List bad carts, the oldest first, or those after a purchase in that order."""

    def save_charge(self, charge: Charge) -> None:
        """Put a charge in the outbox."""

    def take_charges(self, owner: str, *, now: datetime, lease_until: datetime, limit: int) -> list[Charge]:
        """Lease the charges that are due and that no other worker holds, the oldest first."""

    def update_charge(self, charge: Charge, owner: str) -> bool:
        """Save a leased charge's new state and end the lease; False, and no change, when `owner` lost it."""

    def find_charge(self, trip_id: str) -> Charge | None:
        """Find the charge of a shopping trip."""

    def charges_in(self, state: ChargeState, limit: int) -> list[Charge]:
        """List the charges in a state, the oldest first."""

    def open_charges(self) -> int:
        """Count the charges that are pending or authorised."""

    def debt_of(self, shopper_id: str) -> Decimal:
        """Add up the charges of a shopper that were declined."""


class Store(Protocol):
    """Each coroutine raises StoreUnavailable when the database fails, and StoreNotOpen outside of open and close."""

    @property
    def waiting(self) -> int:
        """How many commands and units of work wait to be run."""

    def open(self) -> None:
        """Connect; raises StoreUnavailable when that fails."""

    def close(self) -> None:
        """Commit what waits, then disconnect."""

    async def remember_answer(self, answer: RememberAnswer) -> RememberedAnswer | None:
        """Remember an answer unless its key has one; return that earlier one, or None."""

    async def record_sale(self, sale: RecordSale) -> Purchase | None:
        """Record a sale unless its trip has a purchase; return that earlier one, or None."""

    async def transact(self, work: Callable[Concatenate[Records, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(records, ...)` in a transaction of its own and return its result; its error undoes it."""
