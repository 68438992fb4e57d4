"""The interface of the store: the records that the connector keeps, and the ways to read and write them.

    earlier = await store.insert_answer_if_absent(RememberAnswer(...))   one answer an event
    earlier = await store.insert_sale_if_absent(RecordSale(...))         one purchase a shopping trip
    result  = await store.transact(work, *arguments)                     anything that reads and then writes
    store.waiting                                                        for the metrics

When an `await` returns, the record is on disk.

The two inserts return the earlier record of the same key, or None if they stored the new one. The database's index
decides between duplicates, also when several nodes insert one key at the same moment.

`transact` runs a unit of work: a function of `Records` without other effects. It runs in a transaction and never
overlaps another unit of work, in this process or in another one on the same database. It may run twice: when another
job of its batch fails, the store undoes the batch and runs it again. A single insert is not a unit of work. Inserts of
other nodes may happen at the same moment.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Concatenate, Literal, NamedTuple, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Scope = Literal["identity", "order", "shopper_auth", "scan", "signature"]
PurchaseStatus = Literal["priced", "parked", "empty"]
"""`parked` is a bad cart: it holds something that has no price yet."""
ChargeState = Literal["pending", "authorised", "captured", "declined", "stuck"]
BadgeState = Literal["issued", "revoked", "lost"]
CLAIMED = 0
"""The status of a claim: a worker still decides on the answer."""


def badge_place(badge_id: str) -> bytes:
    """Return the place of a badge in every list, 16 bytes: a digest, so that both databases order badges alike."""
    return hashlib.blake2b(f"badge\0{badge_id}".encode(), digest_size=16).digest()


class RememberAnswer(NamedTuple):
    """Command: remember an answer under a key until `forget_at`.

    `request_hash` distinguishes a repeated request from another request with the same key.
    """

    scope: Scope
    key: str
    request_hash: bytes
    now: datetime
    forget_at: datetime
    status: int
    body: bytes


class RememberedAnswer(NamedTuple):
    """An earlier answer, and the hash of the request that it answered.

    With status CLAIMED it is a claim: the worker `owner` decides on the answer, and has time until `lease_until`.
    """

    status: int
    body: bytes
    request_hash: bytes
    owner: str = ""
    lease_until: datetime | None = None


class IssuedCode(NamedTuple):
    """A Scan Key Code that the app showed; `used_by` is the id of the authEvent that used it, or empty."""

    token: str
    shopper_id: str
    issued_at: datetime
    used_by: str = ""


class Badge(NamedTuple):
    """A badge: `id` is the text of its key, `owner` the id of an account.

    `expires_at` is the first instant at which it does not open a gate; None means never. `credential` is the credential
    type, a free text.
    """

    id: str
    owner: str
    state: BadgeState = "issued"
    expires_at: datetime | None = None
    credential: str = ""


class Purchase(NamedTuple):
    """The record of a purchase id; `receipt` and `cart` are JSON, and `purchase_id` is empty for an empty cart.

    `cart` has the lines of a bad cart, which the connector prices again later. The lines of any other cart are in the
    receipt. `payer` is one of `payments.Payer`.
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
    """The amount to collect for one purchase: an entry of the payment outbox, one a shopping trip.

    `amount` has two decimals. `reference` is the provider's reference, `trouble` its last error code.
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
    """Command: record a purchase, and with it the charge, if there is an amount to collect."""

    purchase: Purchase
    charge: Charge | None


class Records(Protocol):
    """The records, as one transaction reads and writes them."""

    def find_answer(self, scope: Scope, key: str, now: datetime) -> RememberedAnswer | None:
        """Find an answer, or a claim on it, that has not expired."""

    def overwrite_answer(self, answer: RememberAnswer, *, owner: str = "", lease_until: datetime | None = None) -> None:
        """Save an answer or a claim; it overwrites an earlier one of the same key."""

    def insert_answers_if_absent(self, answers: list[RememberAnswer]) -> list[RememberedAnswer | None]:
        """Insert each answer unless its key has one; return the earlier answer of each, or None if it was inserted."""

    def drop_answer(self, scope: Scope, key: str) -> None:
        """Forget an answer or a claim."""

    def find_code(self, token: str) -> IssuedCode | None:
        """Find an issued code by its Recognition Token."""

    def save_code(self, code: IssuedCode) -> None:
        """Save a newly issued code."""

    def use_code(self, token: str, event_id: str) -> None:
        """Record the authEvent that used a code."""

    def find_badge(self, badge_id: str) -> Badge | None:
        """Find the record of a badge that was issued or changed at run time."""

    def save_badge(self, badge: Badge) -> None:
        """Save a badge; it overwrites the earlier record of the same id."""

    def badges_of(self, owner: str) -> list[Badge]:
        """List the recorded badges of an account, in the order of `badge_place`."""

    def badges_after(self, place: bytes, limit: int) -> list[Badge]:
        """List recorded badges in the order of `badge_place`, from the first one after a place."""

    def insert_sales_if_absent(self, sales: list[RecordSale]) -> list[Purchase | None]:
        """Insert each sale unless its trip has a purchase; return each earlier purchase, or None if it was inserted."""

    def replace_purchase(self, purchase: Purchase) -> None:
        """Replace the purchase of the same trip."""

    def find_purchase(self, trip_id: str) -> Purchase | None:
        """Find the purchase of a shopping trip."""

    def purchases_of(self, shopper_id: str) -> list[Purchase]:
        """List a shopper's purchases, the newest first."""

    def bad_carts(self, limit: int, after: Purchase | None = None) -> list[Purchase]:
        """List bad carts, the oldest first, from the one that follows `after`."""

    def save_charge(self, charge: Charge) -> None:
        """Put a charge in the outbox."""

    def take_charges(self, owner: str, *, now: datetime, lease_until: datetime, limit: int) -> list[Charge]:
        """Lease the charges that are due and that no other worker has leased, the oldest first."""

    def update_charge(self, charge: Charge, owner: str) -> bool:
        """Save the new state of a leased charge, and end the lease; return False if `owner` has lost the lease."""

    def find_charge(self, trip_id: str) -> Charge | None:
        """Find the charge of a shopping trip."""

    def charges_in(self, state: ChargeState, limit: int) -> list[Charge]:
        """List the charges in a state, the oldest first."""

    def open_charges(self) -> int:
        """Count the charges that are pending or authorised."""

    def debt_of(self, shopper_id: str) -> Decimal:
        """Add up the charges of a shopper that were declined."""


class Store(Protocol):
    """Keeps the records.

    Each coroutine raises StoreUnavailable if the database fails, and StoreNotOpen before `open` and after `close`.
    """

    @property
    def waiting(self) -> int:
        """The number of inserts and units of work that wait for the writer."""

    def open(self) -> None:
        """Connect; raises StoreUnavailable when that fails."""

    def close(self) -> None:
        """Commit all that waits, then disconnect."""

    async def insert_answer_if_absent(self, answer: RememberAnswer) -> RememberedAnswer | None:
        """Store an answer unless its key has one; return the earlier answer, or None if this one was stored."""

    async def insert_sale_if_absent(self, sale: RecordSale) -> Purchase | None:
        """Store a sale unless its trip has a purchase; return the earlier purchase, or None if this one was stored."""

    async def transact(self, work: Callable[Concatenate[Records, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(records, ...)` as a unit of work and return its result; an error undoes it and is raised.

        The work may run twice, so it must have no effect but on the records.
        """
