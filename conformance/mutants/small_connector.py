"""A small, correct connector in plain ASGI. Each fault is a subclass that overrides the method that it breaks.

It is written from the specification alone and shares no code with the reference connector or the contract's schemas, so
that both cannot contain the same misunderstanding. It keeps all data in memory.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import uuid
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from conformance.mutants.http_app import Receive, Reply, Request, Scope, Send, error, read_request, send_reply
from conformance.mutants.json_values import Body, entries_of, text_at
from conformance.mutants.small_entry_tier import SmallEntryTier
from conformance.mutants.validation_rules import broken_rule

ITEMS = {"SKU-001", "SKU-002", "012345678905", "SKU-W01"}
VISITORS = {
    "valid_shopper_key": ("shopper-uuid-001", "SHOPPER"),
    "associate_key": ("associate-uuid-001", "ASSOCIATE"),
    "cash_shopper_key": ("cash-uuid-001", "CASH_SHOPPER"),
    "badge_key": ("shopper-uuid-007", "SHOPPER"),
    "associate_badge_key": ("associate-uuid-007", "ASSOCIATE"),
}
"""The id and the type of each visitor, by the text of the identity key. The connector refuses all other keys."""
STORES = ("STORE-001", "STORE-002")
RESTART = "/restart"
"""The path by which a test restarts the connector."""
MINT = "/mint/"
"""The start of the path that makes a key of a kind."""
DEBTOR = "debtor-uuid-001"
"""The shopper with the minted keys of the kind debt_after_trip. Each payment of this shopper is declined."""
_DEBTORS_KEY = "debt_after_trip_key"
NO_AUTH: Mapping[str, Any] = {}
NO_JSON, NO_OBJECT = "no JSON", "no object"


class Purchase(NamedTuple):
    """A purchase that was made: its id, empty for an empty cart, and the lines of the cart."""

    id: str
    lines: list[Any]


class Memory:
    """The values that the connector remembers for one call, by key. Like a disk, it keeps them over a restart."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}

    def get(self, key: str) -> Any:  # noqa: ANN401 - a reply or a purchase
        """Return the value of a key, or None."""
        return self.kept.get(key)

    def keep(self, key: str, value: object, request: Request) -> None:
        """Remember the value that a request produced."""
        del request
        self.kept[key] = value

    def restart(self) -> None:
        """Keep all values over a restart."""


def new_id() -> str:
    """Return a unique id."""
    return str(uuid.uuid4())


class SmallConnector(SmallEntryTier):
    """An ASGI app with stores and a rate limit; 0 means no limit."""

    auth: ClassVar[Mapping[str, Any]] = NO_AUTH
    """The members of the profile's [connector] that say how callers authenticate."""
    left_out: ClassVar[str] = ""
    """The validation rule that a lenient fault leaves out."""

    def __init__(self, stores: tuple[str, ...] = STORES, rate_limit_per_second: int = 0) -> None:
        self.stores = set(stores)
        self.decisions = self.new_memory("scan")
        self.purchases = self.new_memory("cart")
        self.rate_limit_per_second = rate_limit_per_second
        self._arrivals: list[float] = []
        self.debtors: set[str] = set()
        self._debtors_events: set[str] = set()

    def new_memory(self, call: str) -> Memory:
        """Return the memory for a call."""
        del call
        return Memory()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            request = await read_request(scope, receive)
            await self.send(send, request, await self.answer(request))

    async def send(self, send: Send, request: Request, reply: Reply) -> None:
        """Send a reply to a request."""
        del request
        await send_reply(send, reply)

    async def answer(self, request: Request) -> Reply:
        """Return the reply to a request of any path and method."""
        if request.method != "POST":
            is_mint = request.method == "GET" and request.path.startswith(MINT)
            return self.mint() if is_mint else error(405, "POST only")
        if request.path == RESTART:
            self.restart()
            return Reply(200)
        if not request.call:
            return error(404, "no such path")
        if request.call in {"scan", "cart"} and self.is_too_fast():
            return self.too_many()
        if problem := self.problem_of(request):
            return self.refuse(request, problem)
        return await self.answer_valid(request)

    async def answer_valid(self, request: Request) -> Reply:
        """Return the reply to a valid request of a known call."""
        if request.call == "scan":
            return await self.scan(request)
        if request.call == "cart":
            return await self.cart(request)
        return {"tap": self.authorize, "loyalty": self.resolve, "details": self.details}[request.call](request)

    def restart(self) -> None:
        """Restart the connector, which keeps its memories."""
        self.decisions.restart()
        self.purchases.restart()

    def mint(self) -> Reply:
        """Return a new key of the debtor. It clears the debt."""
        self.debtors.clear()
        return Reply(200, {"identityKey": base64.b64encode(f"{_DEBTORS_KEY}-{new_id()}".encode()).decode()})

    # shared by both calls of the core

    def is_too_fast(self) -> bool:
        """Count a call, and say whether it exceeds the rate limit."""
        if not self.rate_limit_per_second:
            return False
        now = asyncio.get_running_loop().time()
        self._arrivals = [at for at in self._arrivals if at > now - 1] + [now]
        return len(self._arrivals) > self.rate_limit_per_second

    def too_many(self) -> Reply:
        """Return the reply to a call that exceeds the rate limit."""
        return error(429, "too many")

    def problem_of(self, request: Request) -> str:
        """Return the problem of a request; empty if it is valid."""
        if not request.is_json:
            return NO_JSON
        if not isinstance(request.document, dict):
            return NO_OBJECT
        return broken_rule(request.call, request.body, self.stores, left_out=self.left_out)

    def refuse(self, request: Request, problem: str) -> Reply:
        """Return the reply to an invalid request, which the connector does not remember."""
        del request
        return error(400, problem)

    # Verify Identity Keys

    async def scan(self, request: Request) -> Reply:
        """Decide about a key. Every scan of one authEvent gets the first decision."""
        return await self.decision(self.event_key(request), request)

    def event_key(self, request: Request) -> str:
        """Return the memory key of a decision."""
        return text_at(request.body, "authEvent.id")

    async def decision(self, event: str, request: Request) -> Reply:
        """Return the decision about an authEvent, made at its first scan."""
        known: Reply | None = self.decisions.get(event)
        if known is None:
            known = self.decide(request)
            self.decisions.keep(event, known, request)
        return known

    def decide(self, request: Request) -> Reply:
        """Decide about a key."""
        visitor = self.visitor_of(_decoded(text_at(request.body, "identityKey")))
        if visitor and visitor[0] == DEBTOR:
            self._debtors_events.add(text_at(request.body, "authEvent.id"))
        return self.let_in(*visitor) if visitor and not self.owes(visitor[0], request) else self.turn_away()

    def visitor_of(self, key: str) -> tuple[str, str] | None:
        """Return the id and the type of the visitor with this key, or None."""
        return (DEBTOR, "SHOPPER") if key.startswith(_DEBTORS_KEY) else VISITORS.get(key)

    def owes(self, visitor: str, request: Request) -> bool:
        """Return whether a debt of the visitor keeps the gate closed."""
        del request
        return visitor in self.debtors

    def let_in(self, visitor: str, kind: str) -> Reply:
        """Return the reply that opens the gate."""
        return Reply(200, {"visitorDetails": {"id": visitor, "type": kind}})

    def turn_away(self) -> Reply:
        """Return the reply that keeps the gate closed."""
        return error(401, "not known")

    # Create Purchases

    async def cart(self, request: Request) -> Reply:
        """Make a purchase. Every cart of one trip gets the first purchase, whatever else is in it."""
        return await self.sale(self.trip_key(request), request)

    def trip_key(self, request: Request) -> str:
        """Return the memory key of a purchase."""
        return text_at(request.body, "idempotentShoppingTripId")

    async def sale(self, trip: str, request: Request) -> Reply:
        """Return the reply to a trip's cart; the first cart makes the purchase."""
        known: Purchase | None = self.purchases.get(trip)
        if known is not None:
            return self.sold_before(known, request)
        purchase = self.buy(trip, request)
        return self.sold(purchase.id)

    def buy(self, trip: str, request: Request) -> Purchase:
        """Make the purchase of a trip and remember it."""
        self.charge(request)
        purchase = Purchase(self.new_purchase_id(request), request.items)
        self.purchases.keep(trip, purchase, request)
        return purchase

    def charge(self, request: Request) -> None:
        """Charge the shopper of the first entry; a declined payment is a debt."""
        first = text_at(next(iter(entries_of(request.body)), {}), "id")
        if first in self._debtors_events and request.items:
            self.debtors.add(DEBTOR)

    def new_purchase_id(self, request: Request) -> str:
        """Return the id of a new purchase; empty for an empty cart. An unknown item is no reason to refuse."""
        return new_id() if request.items else ""

    def sold(self, purchase_id: str) -> Reply:
        """Return the reply that names a purchase."""
        return Reply(201, {"purchaseId": purchase_id})

    def sold_before(self, purchase: Purchase, request: Request) -> Reply:
        """Return the reply to a duplicate, which is the reply to the first cart."""
        del request
        return self.sold(purchase.id)


class BreaksOneCall(SmallConnector):
    """The base of faults that exist for several calls; `broken_call` is the short name of the broken one."""

    broken_call: ClassVar[str] = ""


def item_ids(request: Request) -> list[str]:
    """Return the ids of the items in a cart."""
    return [text_at(line, "id") for line in request.items]


def trip_of(body: Body) -> str:
    """Return the id of a cart's trip."""
    return text_at(body, "idempotentShoppingTripId")


def _decoded(key: str) -> str:
    try:
        return base64.b64decode(key, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""
