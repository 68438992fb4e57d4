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

from reference_connector.store.books import Books
from reference_connector.store.leases import Leased

P = ParamSpec("P")
T = TypeVar("T")
Scope = Literal["identity", "order", "shopper_auth", "scan", "signature", "refused_scan", "busy_gate"]
PurchaseStatus = Literal["priced", "parked", "empty"]
"""`parked` is a bad cart: it holds something that has no price yet."""
BadgeState = Literal["issued", "revoked", "lost"]
ChargeState = Literal[
    "matching",
    "pending",
    "adjusting",
    "adjusted",
    "authorised",
    "collecting",
    "adjust_at_amazon",
    "capture_at_amazon",
    "cancel_at_amazon",
    "read_at_amazon",
    "checkout_at_amazon",
    "captured",
    "released",
    "declined",
    "settled",
    "stuck",
]
"""matching: find or release the pre-authorisations of the trip. pending: authorise the amount, as the trip has none.
adjusting: change the pre-authorised amount to the total. authorised, adjusted: capture; a node of an earlier version
knows the first one only, and captures the whole total. collecting: collect the rest by another means. adjust_at_amazon,
capture_at_amazon, cancel_at_amazon: make that call to the platform, as Amazon holds the money. read_at_amazon: the
whole amount is collected, and the card is read for the receipt. checkout_at_amazon: send the priced cart to the
platform, which charges the shopper.

The others are final. captured: the whole amount is collected. released: there was nothing to pay. declined: the shopper
owes what is not collected. settled: the shopper paid that debt in another way. stuck: the provider gave no
clear result too often, or the platform refused the call; an operator takes the charge up again."""
AuthorisationState = Literal[
    "pending", "held", "used", "releasing", "cancel_at_amazon", "released", "declined", "stuck"
]
"""pending: authorise. held: the provider reserved the amount, and no trip has used it yet. used: a charge has it.
releasing: release. cancel_at_amazon: cancel at the platform, as Amazon's reader reserved it. The others are final."""
TransferState = Literal["pending", "refund_at_amazon", "done", "declined", "stuck"]
"""refund_at_amazon: refund at the platform, as Amazon holds the money. pending: any other call."""
AT_AMAZON = frozenset(
    {
        *("adjust_at_amazon", "capture_at_amazon", "cancel_at_amazon", "read_at_amazon"),
        *("checkout_at_amazon", "refund_at_amazon"),
    }
)
"""The states of rows that wait for a call to the platform. Nodes that do not know a state leave such rows alone."""
TransferKind = Literal["refund", "settle"]
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

    `amount` is the total. `authorised` is the amount that the provider has reserved under `reference`, `captured` what
    it has collected; all have two decimals. `trouble` is the provider's last error code. `event_ids` are the authEvents
    of the trip, which may have pre-authorisations. `other_methods` are the shopper's other means of payment. `stuck_in`
    is the state in which a `stuck` charge waited for the provider; empty if no call can continue it.
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
    authorised: Decimal = Decimal(0)
    captured: Decimal = Decimal(0)
    event_ids: tuple[str, ...] = ()
    other_methods: tuple[str, ...] = ()
    stuck_in: ChargeState | Literal[""] = ""
    amazon_store: str = ""
    """The store of a charge that Amazon collects; empty if the retailer's provider collects it."""
    paid_with: str = ""
    """The brand and the last four digits of the card that Amazon charged, or empty."""
    cart: str = ""
    """The body of Checkout Cart, as JSON, if the store has the Checkout Service. `reference` is then the orderId."""

    @property
    def collected(self) -> Decimal:
        """What the provider has collected. Earlier connectors recorded no amount for a charge that is captured."""
        return self.amount if self.state == "captured" else self.captured

    @property
    def owed(self) -> Decimal:
        """The shopper's debt, or 0."""
        return self.amount - self.captured if self.state == "declined" else Decimal(0)


class Authorisation(NamedTuple):
    """The pre-authorisation of one entry; `event_id` is its authEvent.id, in lower case.

    Once it is `held`, it expires at `due_at` unless a trip uses it. `trip_id` is the trip that uses it, or empty. A
    charge without a pre-authorisation reserves an amount itself. That reservation has a row only to be released. So has
    what Amazon's reader reserved for a trip: its `amount` is 0, as only the platform knows it.
    """

    event_id: str
    shopper_id: str
    amount: Decimal
    currency: str
    method: str
    state: AuthorisationState
    due_at: datetime
    attempts: int = 0
    reference: str = ""
    trouble: str = ""
    trip_id: str = ""
    amazon_store: str = ""
    """The store of what Amazon's reader reserved; empty if the retailer's provider reserved it."""

    @property
    def order(self) -> str:
        """The retailer's name of the payment at the provider: the authEvent.id, or the trip of a charge's own one."""
        return self.trip_id if self.event_id == reservation_of(self.trip_id) else self.event_id


def reservation_of(trip_id: str) -> str:
    """Return the key of the reservation that the charge of a trip made itself; no authEvent.id has this form."""
    return f"{trip_id}:charge"


def hold_of(trip_id: str) -> str:
    """Return the key of what Amazon's reader reserved for a trip; no authEvent.id has this form."""
    return f"{trip_id}:amazon"


class Transfer(NamedTuple):
    """Money that moves after a charge is final: a refund, or a shopper's payment of a debt.

    `id` is the id of the refund request, or is made of the trip.
    """

    id: str
    kind: TransferKind
    trip_id: str
    amount: Decimal
    currency: str
    method: str
    state: TransferState
    due_at: datetime
    attempts: int = 0
    trouble: str = ""
    reason: str = ""
    amazon_store: str = ""
    """The store of money that Amazon returns; empty if the retailer's provider moves it."""


class RecordSale(NamedTuple):
    """Command: record a purchase, with its charge if there is an amount to collect, and with a hold to cancel."""

    purchase: Purchase
    charge: Charge | None
    hold: Authorisation | None = None


class PaymentBacklog(NamedTuple):
    """What is left to do for payments.

    `waiting` and `stuck` are numbers of rows. `due_at` is when the first waiting row was or will be due, and
    `purchased_at` is the time of the oldest purchase with a charge that waits or is stuck. None means that there is no
    such row.
    """

    waiting: int
    stuck: int
    due_at: datetime | None
    purchased_at: datetime | None


class Records(Protocol):
    """The records, as one transaction reads and writes them."""

    @property
    def charges(self) -> Leased[Charge]:
        """The charges, by shopping trip."""

    @property
    def authorisations(self) -> Leased[Authorisation]:
        """The pre-authorisations, by authEvent."""

    @property
    def transfers(self) -> Leased[Transfer]:
        """The refunds and the payments of debts, by id."""

    @property
    def books(self) -> Books:
        """What the platform's files and events report about orders."""

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

    def save_payments(self, sale: RecordSale) -> None:
        """Save the charge of a new sale, and the hold to cancel."""

    def replace_purchase(self, purchase: Purchase) -> None:
        """Replace the purchase of the same trip."""

    def find_purchase(self, trip_id: str) -> Purchase | None:
        """Find the purchase of a shopping trip."""

    def purchases_of(self, shopper_id: str) -> list[Purchase]:
        """List a shopper's purchases, the newest first."""

    def bad_carts(self, limit: int, after: Purchase | None = None) -> list[Purchase]:
        """List bad carts, the oldest first, from the one that follows `after`."""

    def open_payments(self) -> int:
        """Count what waits for the payment provider: charges, pre-authorisations, and transfers."""

    def stuck_payments(self) -> int:
        """Count what an operator must take up again: charges, pre-authorisations, and transfers."""

    def payment_backlog(self) -> PaymentBacklog:
        """Return what waits for the payment provider or for an operator, and since when."""

    def debts(self, shopper_id: str) -> list[Charge]:
        """List a shopper's declined charges, the oldest first."""

    def debt_of(self, shopper_id: str) -> Decimal:
        """Add up what a shopper owes of declined charges."""


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
