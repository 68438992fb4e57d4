"""The route of Checkout Cart: checks a priced cart, charges the shopper, and makes one order for each trip."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import NamedTuple

from fastapi import APIRouter

from jwo_contract.exact_json import dump_exact
from jwo_contract.house_retailer_calls import Checkout
from jwo_contract.operations import CHECKOUT_CART
from jwo_toolkit.json_types import JsonObject
from simulator.called_trips import CalledTrip, CalledTrips
from simulator.checkout.totals import disagreement, total_of
from simulator.clock import Clock
from simulator.errors import CallRefused
from simulator.journal import Journal
from simulator.payment_calls.charges import Charges
from simulator.portal.accounts import Account
from simulator.seed import Seed
from simulator.signed_calls import BAD_REQUEST, SignedCalls
from simulator.storage.key_values import KeyValueStore

UNKNOWN_TRIP, EXPIRED_TRIP = "UnknownShoppingTripException", "ShoppingTripExpiredException"
WRONG_TOTAL = "CartOrderTotalInvalidException"


class Order(NamedTuple):
    """The order of a trip, and the digest of its cart, by which a repeated call is recognised."""

    id: str
    cart: str
    at: datetime


class Checkouts:
    """Makes orders of priced carts."""

    def __init__(
        self,
        trips: CalledTrips,
        charges: Charges,
        storage: KeyValueStore[Order],
        *,
        rules: Checkout,
        clock: Clock,
        seed: Seed,
        journal: Journal,
    ) -> None:
        self._trips = trips
        self._charges = charges
        self._storage = storage
        self._rules = rules
        self._clock = clock
        self._seed = seed
        self._journal = journal
        self._orders = storage.all()

    async def check_out(self, account: Account, cart: JsonObject) -> JsonObject:
        """Answer Checkout Cart.

        Raises CallRefused if the trip is not known or has expired, or if the totals of the cart do not agree.
        """
        trip_id = cart["idempotentShoppingTripId"]
        trip = await self._trips.find(cart["storeId"], trip_id, account, unknown=UNKNOWN_TRIP)
        if problem := disagreement(cart, self._rules):
            raise CallRefused(WRONG_TOTAL, problem)
        digest = hashlib.sha256(dump_exact(cart)).hexdigest()
        if earlier := self._orders.get(trip_id):
            return self._repeated(trip, earlier, digest)
        self._check_time(trip)
        order = Order(self._seed.id("order", trip_id), digest, self._clock.now())
        if not trip.is_sample:
            self._keep(trip, order, cart)
        return {"orderId": order.id}

    def _keep(self, trip: CalledTrip, order: Order, cart: JsonObject) -> None:
        """Charge first: if the process dies before the order is stored, the repeated call finds the charge."""
        total = total_of(cart)
        self._charges.capture(trip, total, CHECKOUT_CART.name)
        self._storage.put(trip.id, order)
        self._orders[trip.id] = order
        entry = {"tripId": trip.id, "storeId": trip.store_id, "orderId": order.id}
        self._journal.add("checkout", {**entry, "total": total.to_texts(), "lines": len(cart["lineItems"])})

    def _repeated(self, trip: CalledTrip, earlier: Order, digest: str) -> JsonObject:
        if earlier.cart != digest and self._rules.changed_cart == "refuse_400":
            raise CallRefused(BAD_REQUEST, f"trip {trip.id} has order {earlier.id} with another cart")
        return {"orderId": earlier.id}

    def _check_time(self, trip: CalledTrip) -> None:
        if trip.record is None:
            return
        ended_at = trip.record.ended_at
        if ended_at is None:
            raise CallRefused(BAD_REQUEST, f"the shopper of trip {trip.id} is still inside")
        if self._clock.now() > ended_at + timedelta(hours=self._rules.trip_expires_h):
            raise CallRefused(EXPIRED_TRIP, f"trip {trip.id} ended more than {self._rules.trip_expires_h:g} hours ago")


def checkout_router(checkouts: Checkouts, signed: SignedCalls) -> APIRouter:
    """Make the route of the call."""
    router = APIRouter(tags=["checkout"])
    signed.add(router, CHECKOUT_CART, checkouts.check_out)
    return router
