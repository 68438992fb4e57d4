"""Shopping trips: one for each entry, from the open gate to the final cart that is handed to delivery."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from contract.house import House
from contract.values import format_instant
from simulator.carts import Cart, Line
from simulator.catalog.items import CatalogItems
from simulator.clock import Clock
from simulator.delivery import Deliveries
from simulator.entry.identity import Visitor
from simulator.errors import NotKnown, NotNow

Json = dict[str, Any]


@dataclass
class Trip:
    """One visit; without a visitor the gate opened by the store default and nobody knows who came."""

    id: str
    store_id: str
    gate: str
    auth_event_id: str
    started_at: datetime
    visitor: Visitor | None
    cart: Cart = field(default_factory=Cart)
    ended_at: datetime | None = None


class Trips:
    """All trips that this platform has seen since it started."""

    def __init__(
        self,
        deliveries: Deliveries,
        catalog: CatalogItems,
        house: House,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._deliveries = deliveries
        self._catalog = catalog
        self._house = house
        self._clock = clock
        self._new_id = new_id
        self._trips: dict[str, Trip] = {}

    def start(self, *, store_id: str, gate: str, auth_event_id: str, at: datetime, visitor: Visitor | None) -> Trip:
        """Open a trip for one entry."""
        trip = Trip(self._new_id(), store_id, gate, auth_event_id, at, visitor)
        self._trips[trip.id] = trip
        return trip

    def pick(self, trip_id: str, line: Line, quantity: Decimal) -> Json:
        """Put something into the virtual cart."""
        trip = self._shopping(trip_id)
        trip.cart.pick(line, quantity)
        return self._shown(trip)

    def put_back(self, trip_id: str, line: Line, quantity: Decimal) -> Json:
        """Take something out of the virtual cart."""
        trip = self._shopping(trip_id)
        trip.cart.put_back(line, quantity)
        return self._shown(trip)

    async def leave(self, trip_id: str) -> Json:
        """End the trip: the cart is final and goes to delivery, an empty one too. Leaving twice changes nothing."""
        trip = self._get(trip_id)
        trip.ended_at = trip.ended_at or max(self._clock.now(), trip.started_at)
        if self._has_cart(trip):
            await self._deliveries.submit(trip.id, trip.store_id, self._purchase(trip, trip.ended_at))
        return self._shown(trip)

    def show(self, trip_id: str) -> Json:
        """Return a trip as JSON, or raise NotKnown."""
        return self._shown(self._get(trip_id))

    def _get(self, trip_id: str) -> Trip:
        if trip_id not in self._trips:
            raise NotKnown("trip", trip_id)
        return self._trips[trip_id]

    def _shopping(self, trip_id: str) -> Trip:
        trip = self._get(trip_id)
        if trip.ended_at is not None:
            raise NotNow(f"trip {trip_id} has ended: its cart is final")
        return trip

    def _has_cart(self, trip: Trip) -> bool:
        associate = trip.visitor is not None and trip.visitor.type == "ASSOCIATE"
        return not associate or self._house.simulator.associate_cart

    def _items(self, trip: Trip) -> list[Json]:
        return trip.cart.items(lambda sku: self._catalog.identifiers(trip.store_id, sku))

    def _purchase(self, trip: Trip, ended_at: datetime) -> Json:
        """Join visit and cart as Create Purchases; each attempt of its delivery adds its own requestId."""
        return {
            "idempotentShoppingTripId": trip.id,
            "storeId": trip.store_id,
            "shoppingTrip": {
                "startTime": format_instant(trip.started_at),
                "endTime": format_instant(ended_at),
                "authEvents": [self._auth_event(trip)],
            },
            "cartItems": self._items(trip),
        }

    def _auth_event(self, trip: Trip) -> Json:
        event: Json = {
            "id": trip.auth_event_id,
            "timestamp": format_instant(trip.started_at),
            "location": "ENTRY",
            "payloadType": "SCAN_CODE",
        }
        if trip.visitor is not None:
            cash = trip.visitor.type == "CASH_SHOPPER"
            kind = self._house.ordering.cash_type if cash else trip.visitor.type
            event["scanResult"] = {"id": trip.visitor.id, "type": kind}
        return event

    def _shown(self, trip: Trip) -> Json:
        return {
            "tripId": trip.id,
            "storeId": trip.store_id,
            "gate": trip.gate,
            "authEventId": trip.auth_event_id,
            "visitor": trip.visitor._asdict() if trip.visitor else None,
            "state": "left" if trip.ended_at else "shopping",
            "startTime": format_instant(trip.started_at),
            "endTime": format_instant(trip.ended_at) if trip.ended_at else None,
            "cartItems": self._items(trip),
            "cartIsSent": trip.ended_at is not None and self._has_cart(trip),
        }
