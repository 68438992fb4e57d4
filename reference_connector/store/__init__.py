"""What the connector keeps, and how it asks for it: units of work that run whole or not at all.

A unit of work is a function of `Records` without other effects, run in a transaction of its own by `Store.transact`;
it may be run a second time where its first run was undone. Two units of work never overlap, in this process or any
other on the same database. New answers and new sales have ways of their own, `keep_answer` and `keep_sale`: the key of
each says who was first, so that nodes may keep them at the same moment.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
Scope = Literal["identity", "order", "shopper_auth", "scan", "signature"]
PurchaseStatus = Literal["priced", "parked", "empty"]
ChargeState = Literal["pending", "authorised", "captured", "declined", "stuck"]
CLAIMED = 0
"""The status of an answer that somebody works on still."""


class Recorded(NamedTuple):
    """An answer that was given, and the fingerprint of the request that it answered.

    With status CLAIMED it is a claim: `owner` works on the answer, and holds it until `lease_until`.
    """

    status: int
    body: bytes
    fingerprint: bytes
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
    `payer` says who settles it: see `payments.Payer`. `fingerprint` tells a repetition from a changed cart.
    """

    trip_id: str
    purchase_id: str
    store_id: str
    shopper_id: str
    status: PurchaseStatus
    payer: str
    receipt: bytes
    cart: bytes
    fingerprint: bytes
    made_at: datetime


class Charge(NamedTuple):
    """Money to take for one purchase: an entry of the payment outbox, one a shopping trip.

    `amount` is in whole cents' precision; `reference` is the provider's, `trouble` what it said last.
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


class Sale(NamedTuple):
    """A purchase, and the charge for the outbox where there is something to take."""

    purchase: Purchase
    charge: Charge | None


class NewAnswer(NamedTuple):
    """An answer that was decided without a look at the records; it holds unless its key has one already."""

    scope: Scope
    key: str
    status: int
    body: bytes
    fingerprint: bytes
    now: datetime
    forget_at: datetime


class Records(Protocol):
    """The records as one unit of work sees them."""

    def find_answer(self, scope: Scope, key: str, now: datetime) -> Recorded | None:
        """Find an answer that is remembered still, or a claim on it."""

    def save_answer(self, scope: Scope, key: str, recorded: Recorded, *, now: datetime, forget_at: datetime) -> None:
        """Remember an answer or a claim until `forget_at`; it takes the place of an earlier one."""

    def keep_answers(self, answers: list[NewAnswer]) -> list[Recorded | None]:
        """Keep each answer unless its key has one already: that is returned in its place, and nothing changed."""

    def drop_answer(self, scope: Scope, key: str) -> None:
        """Forget an answer or a claim."""

    def find_code(self, token: str) -> IssuedCode | None:
        """Find an issued code by its Recognition Token."""

    def save_code(self, code: IssuedCode) -> None:
        """Keep a newly issued code."""

    def use_code(self, token: str, event_id: str) -> None:
        """Note which authEvent a code was good for."""

    def keep_sales(self, sales: list[Sale]) -> list[Purchase | None]:
        """Keep each sale unless its trip has a purchase already: that is returned in its place, and nothing changed."""

    def replace_purchase(self, purchase: Purchase) -> None:
        """Put a purchase in place of the one of the same trip."""

    def find_purchase(self, trip_id: str) -> Purchase | None:
        """Find the purchase of a shopping trip."""

    def purchases_of(self, shopper_id: str) -> list[Purchase]:
        """List a shopper's purchases, the newest first."""

    def parked_purchases(self, limit: int, after: Purchase | None = None) -> list[Purchase]:
        """List bad carts, the oldest first, or those after a purchase in that order."""

    def save_charge(self, charge: Charge) -> None:
        """Put a charge in the outbox."""

    def take_charges(self, owner: str, *, now: datetime, lease_until: datetime, limit: int) -> list[Charge]:
        """Lease the charges that are due and that nobody holds, the oldest first."""

    def update_charge(self, charge: Charge, owner: str) -> bool:
        """Keep a leased charge's new state and end the lease; False, and no change, when `owner` lost it."""

    def find_charge(self, trip_id: str) -> Charge | None:
        """Find the charge of a shopping trip."""

    def charges_in(self, state: ChargeState, limit: int) -> list[Charge]:
        """List the charges in a state, the oldest first."""

    def open_charges(self) -> int:
        """Count the charges that are pending or authorised."""

    def debt_of(self, shopper_id: str) -> Decimal:
        """Add up the charges of a shopper that were declined."""


Together = Callable[[Records, list[Any]], list[Any]]
"""A kind of job: does all that wait of it in one go, given each one's entry, and returns each one's result."""
Done = Callable[[Any, Exception | None], None]
"""Is told what became of a job, in the event loop that gave it: its result, or its error."""


def keep_answers(records: Records, answers: list[NewAnswer]) -> list[Recorded | None]:
    """Keep answers: a kind of job. The result is the answer that the key has already, or None."""
    return records.keep_answers(answers)


def keep_sales(records: Records, sales: list[Sale]) -> list[Purchase | None]:
    """Keep sales: a kind of job. The result is the purchase that the trip has already, or None."""
    return records.keep_sales(sales)


def run_works(records: Records, works: list[Callable[[Records], Any]]) -> list[Any]:
    """Run units of work of any other sort: a kind of job."""
    return [work(records) for work in works]


class Store(Protocol):
    """Something that runs units of work."""

    @property
    def waiting(self) -> int:
        """How many units of work wait to be run."""

    def open(self) -> None:
        """Get ready; StoreUnavailable when that cannot be."""

    def close(self) -> None:
        """Finish what waits, then let go."""

    def submit(self, together: Together, entry: Any, done: Done) -> None:  # noqa: ANN401 - each kind has its own
        """Do a job, and tell `done` once that is durable; StoreNotOpen outside of `open` and `close`."""

    def result_of(self, together: Together, entry: Any) -> Awaitable[Any]:  # noqa: ANN401 - as above
        """Do a job; await its result, which is durable then."""

    async def keep_answer(self, answer: NewAnswer) -> Recorded | None:
        """Keep an answer, unless its key has one: then return that. It costs less than a transaction of one's own."""

    async def keep_sale(self, sale: Sale) -> Purchase | None:
        """Keep a sale, unless its trip has a purchase: then return that. Its cost is as above."""

    async def transact(self, work: Callable[[Records], T]) -> T:
        """Run a work in a transaction of its own and return its result once that is durable; its error undoes it."""
