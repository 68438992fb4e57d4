"""Shopping trips: one for each entry, from the open gate to the final cart, which goes to delivery.

Current trips are in memory. Every step is also in the storage, and the next start continues from there.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal

from jwo_contract.house import House
from jwo_contract.values import format_instant, parse_instant
from jwo_toolkit.json_types import JsonObject
from simulator.carts import Line
from simulator.catalog.items import CatalogItems
from simulator.clock import Clock
from simulator.delivery import Deliveries
from simulator.errors import NotKnown, NotNow
from simulator.journal import Journal
from simulator.portal.stores import Stores
from simulator.storage.trips import TripStorage
from simulator.trip_record import AuthEvent, Trip

_FORGOTTEN_AT_ONCE = 16
"""Trips. To delete them takes less than half a millisecond, for which a gate may wait."""
_FORGET_EVERY_S, _BETWEEN_BATCHES_S = 1.0, 0.01


class Trips:
    """The current trips, and through the storage those that have ended."""

    def __init__(
        self,
        deliveries: Deliveries,
        catalog: CatalogItems,
        stores: Stores,
        storage: TripStorage,
        journal: Journal,
        *,
        house: House,
        clock: Clock,
    ) -> None:
        self._deliveries = deliveries
        self._catalog = catalog
        self._stores = stores
        self._storage = storage
        self._journal = journal
        self._house = house
        self._clock = clock
        self._inside: dict[str, Trip] = {}
        self._leaving: dict[str, asyncio.Lock] = {}

    async def start(self, trip: Trip) -> None:
        """Start a trip for an entry. The trip survives a kill of the platform after this returns."""
        self._inside[trip.id] = trip
        self._storage.save(trip)

    async def join(self, trip_id: str, event: AuthEvent) -> Trip:
        """Add the event of a person who came in on the same means of payment, or of a loyalty scan."""
        trip = await self.shopping(trip_id)
        trip.events.append(event)
        self._storage.save(trip)
        return trip

    async def remember_loyalty(self, trip_id: str, event: AuthEvent, details: JsonObject) -> None:
        """Add an accepted loyalty scan, with its details, to a trip."""
        trip = await self.join(trip_id, event)
        trip.loyalty = details
        self._storage.save(trip)

    async def pick(self, trip_id: str, line: Line, quantity: Decimal) -> JsonObject:
        """Put an item into the virtual cart. Raises NotNow if the item is archived."""
        trip = await self.shopping(trip_id)
        if self._catalog.is_archived(trip.store_id, line.type, line.id):
            raise NotNow(f"{line.id} is archived and no longer on sale")
        self.take(trip, line, quantity)
        return self._to_json(trip)

    async def put_back(self, trip_id: str, line: Line, quantity: Decimal) -> JsonObject:
        """Take an item out of the virtual cart. Raises NotNow if the cart holds less of it."""
        trip = await self.shopping(trip_id)
        self.take(trip, line, -quantity)
        return self._to_json(trip)

    def take(self, trip: Trip, line: Line, quantity: Decimal) -> None:
        """Move goods into the cart, or out of it if the quantity is below zero."""
        trip.cart.move(line, quantity)
        self._storage.move(trip.id, line, quantity)

    async def leave(self, trip_id: str) -> JsonObject:
        """End the trip: its cart is final and goes to delivery, also if it is empty. Leaving twice changes nothing.

        If the cart cannot be stored, this raises StorageFailed: the journal has no exit, and the shopper stays inside.
        """
        trip = await self.find(trip_id)
        if trip_id in self._inside:
            async with self._leaving.setdefault(trip_id, asyncio.Lock()):
                if trip_id in self._inside:
                    await self._end(trip)
        return self._to_json(trip)

    async def _end(self, trip: Trip) -> None:
        ended_at = trip.ended_at = trip.ended_at or max(self._clock.now(), trip.started_at)
        try:
            if self._has_cart(trip):
                await self._deliveries.submit(trip.id, trip.store_id, self._purchase(trip, ended_at))
        except BaseException:
            trip.ended_at = None
            raise
        self._storage.end(trip.id, ended_at)
        entry = {"tripId": trip.id, "storeId": trip.store_id, "lines": len(trip.cart)}
        self._journal.add("exit", {**entry, "cartIsSent": self._has_cart(trip)})
        del self._inside[trip.id], self._leaving[trip.id]

    async def show(self, trip_id: str) -> JsonObject:
        """Return a trip as JSON. Raises NotKnown if there is no such trip."""
        return self._to_json(await self.find(trip_id))

    def inside(self, store_id: str = "") -> list[str]:
        """Return the ids of the trips of shoppers inside."""
        return [trip.id for trip in self._inside.values() if not store_id or trip.store_id == store_id]

    async def resume(self) -> None:
        """Continue the trips of the last run of the platform; a trip with a final cart has ended."""
        for trip_id in await self._storage.under_way():
            if cart := await self._deliveries.cart(trip_id):
                self._storage.end(trip_id, parse_instant(cart["shoppingTrip"]["endTime"]))
            else:
                self._inside[trip_id] = await self.find(trip_id)

    async def forget_ended(self, keep: int) -> None:
        """Delete the oldest ended trips beyond the newest `keep`, in small batches, until cancelled."""
        while True:
            deleted = self._storage.forget_ended(keep, _FORGOTTEN_AT_ONCE)
            await asyncio.sleep(_BETWEEN_BATCHES_S if deleted else _FORGET_EVERY_S)

    async def find(self, trip_id: str) -> Trip:
        """Return a trip. Raises NotKnown if there is no such trip."""
        if trip_id in self._inside:
            return self._inside[trip_id]
        trip = await self._storage.find(trip_id)
        if trip is None:
            raise NotKnown("trip", trip_id, hint="JWO_PLATFORM_ENDED_TRIPS sets how many ended ones it keeps")
        return trip

    async def shopping(self, trip_id: str) -> Trip:
        """Return a current trip. Raises NotKnown if there is no such trip, and NotNow if it has ended."""
        trip = await self.find(trip_id)
        if trip.ended_at is not None:
            raise NotNow(f"trip {trip_id} has ended: its cart is final")
        return trip

    def _has_cart(self, trip: Trip) -> bool:
        store = self._stores.find(trip.store_id)
        if store is not None and store.charge_calculation == "amazon":
            return False
        associate = trip.visitor is not None and trip.visitor.type == "ASSOCIATE"
        return not associate or self._house.simulator.associate_cart

    def _items(self, trip: Trip) -> list[JsonObject]:
        return trip.cart.items(lambda sku: self._catalog.identifiers(trip.store_id, sku))

    def _purchase(self, trip: Trip, ended_at: datetime) -> JsonObject:
        """Return the message of Create Purchases; each attempt of its delivery adds its own requestId."""
        identity = {"shopperIdentity": {"id": trip.shopper_identity}} if trip.shopper_identity else {}
        return {
            "idempotentShoppingTripId": trip.id,
            "storeId": trip.store_id,
            "shoppingTrip": {
                "startTime": format_instant(trip.started_at),
                "endTime": format_instant(ended_at),
                "authEvents": [event.to_json() for event in trip.events],
            },
            "cartItems": self._items(trip),
            **identity,
        }

    def _to_json(self, trip: Trip) -> JsonObject:
        return {
            "tripId": trip.id,
            "storeId": trip.store_id,
            "gate": trip.gate,
            "authEventId": trip.events[0].id,
            "authEvents": [event.to_json() for event in trip.events],
            "visitor": trip.visitor._asdict() if trip.visitor else None,
            "state": "left" if trip.ended_at else "shopping",
            "startTime": format_instant(trip.started_at),
            "endTime": format_instant(trip.ended_at) if trip.ended_at else None,
            "cartItems": self._items(trip),
            "cartIsSent": trip.ended_at is not None and self._has_cart(trip),
            "authorizedAmount": trip.authorized_amount,
            "loyalty": trip.loyalty,
        }
