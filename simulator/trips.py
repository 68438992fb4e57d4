"""Shopping trips: one for each entry, from the open gate to the final cart that is handed to delivery.

Who is inside is in memory; every step is in the ledger as well, from which a trip is taken up again after a restart.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

import orjson

from contract.house import House
from contract.values import format_instant, parse_instant
from jwo_toolkit.json_types import JsonObject
from simulator.carts import Cart, Line
from simulator.catalog.items import CatalogItems
from simulator.clock import Clock
from simulator.delivery import Deliveries
from simulator.errors import NotKnown, NotNow
from simulator.journal import Journal
from simulator.ledger import Ledger, Statement
from simulator.portal.stores import Stores


class ScanResult(NamedTuple):
    """Who came, in the retailer's own words."""

    id: str
    type: str


class AuthEvent(NamedTuple):
    """One person's entry, or a loyalty scan, as the cart tells it."""

    id: str
    at: datetime
    payload_type: Literal["SCAN_CODE", "FINANCIAL"]
    location: Literal["ENTRY", "MANUAL_IN_STORE"] = "ENTRY"
    scan: ScanResult | None = None


@dataclass(slots=True)
class Trip:
    """One visit; without a visitor the gate opened by the store default, or for a card, and nobody knows who came."""

    id: str
    store_id: str
    gate: str
    events: list[AuthEvent]
    visitor: ScanResult | None
    shopper_identity: str = ""
    authorized_amount: float | None = None
    loyalty: JsonObject | None = None
    cart: Cart = field(default_factory=Cart)
    ended_at: datetime | None = None

    @property
    def started_at(self) -> datetime:
        """Return when the first person of the trip came in."""
        return self.events[0].at


class Trips:
    """Everybody who is inside, and by the ledger everybody who was."""

    def __init__(
        self,
        deliveries: Deliveries,
        catalog: CatalogItems,
        stores: Stores,
        ledger: Ledger,
        journal: Journal,
        *,
        house: House,
        clock: Clock,
    ) -> None:
        self._deliveries = deliveries
        self._catalog = catalog
        self._stores = stores
        self._ledger = ledger
        self._journal = journal
        self._house = house
        self._clock = clock
        self._inside: dict[str, Trip] = {}
        self._leaving: dict[str, asyncio.Lock] = {}

    async def start(self, trip: Trip) -> None:
        """Open a trip for an entry; a platform that is killed after this knows it."""
        self._inside[trip.id] = trip
        await self._ledger.put(_kept(trip))

    async def join(self, trip_id: str, event: AuthEvent) -> Trip:
        """Add a person who came in on the same means of payment, or a loyalty scan."""
        trip = await self.shopping(trip_id)
        trip.events.append(event)
        await self._ledger.put(_kept(trip))
        return trip

    async def remember_loyalty(self, trip_id: str, event: AuthEvent, details: JsonObject) -> None:
        """Keep an accepted loyalty scan with its trip."""
        trip = await self.join(trip_id, event)
        trip.loyalty = details
        await self._ledger.put(_kept(trip))

    async def pick(self, trip_id: str, line: Line, quantity: Decimal) -> JsonObject:
        """Put something into the virtual cart; NotNow when it was taken out of sale."""
        trip = await self.shopping(trip_id)
        if self._catalog.is_archived(trip.store_id, line.type, line.id):
            raise NotNow(f"{line.id} is archived and no longer on sale")
        self.take(trip, line, quantity)
        await self._ledger.settled()
        return self._shown(trip)

    async def put_back(self, trip_id: str, line: Line, quantity: Decimal) -> JsonObject:
        """Take something out of the virtual cart."""
        trip = await self.shopping(trip_id)
        self.take(trip, line, -quantity)
        await self._ledger.settled()
        return self._shown(trip)

    def take(self, trip: Trip, line: Line, quantity: Decimal) -> None:
        """Move goods into the cart, or out of it when the quantity is below zero."""
        _move(trip.cart, line, quantity)
        self._ledger.put(
            (
                "INSERT INTO hand (trip_id, type, item, unit, quantity) VALUES (?, ?, ?, ?, ?)",
                (trip.id, line.type, line.id, line.unit, str(quantity)),
            )
        )

    async def leave(self, trip_id: str) -> JsonObject:
        """End the trip: the cart is final and goes to delivery, an empty one too. Leaving twice changes nothing.

        Nobody is told of an exit whose cart is not kept: when it cannot be, the shopper is still inside.
        """
        trip = await self.find(trip_id)
        if trip_id in self._inside:
            async with self._leaving.setdefault(trip_id, asyncio.Lock()):
                if trip_id in self._inside:
                    await self._end(trip)
        await self._ledger.settled()
        return self._shown(trip)

    async def _end(self, trip: Trip) -> None:
        ended_at = trip.ended_at = trip.ended_at or max(self._clock.now(), trip.started_at)
        try:
            if self._has_cart(trip):
                await self._deliveries.submit(trip.id, trip.store_id, self._purchase(trip, ended_at))
        except BaseException:
            trip.ended_at = None
            raise
        await self._ledger.put(("UPDATE trip SET ended = ? WHERE id = ?", (ended_at.timestamp(), trip.id)))
        self._journal.add("exit", {"tripId": trip.id, "storeId": trip.store_id, "lines": len(trip.cart)})
        del self._inside[trip.id], self._leaving[trip.id]

    async def show(self, trip_id: str) -> JsonObject:
        """Return a trip as JSON, or raise NotKnown."""
        return self._shown(await self.find(trip_id))

    def inside(self, store_id: str = "") -> list[str]:
        """Return the trips of those who are inside."""
        return [trip.id for trip in self._inside.values() if not store_id or trip.store_id == store_id]

    async def resume(self) -> None:
        """Take up the trips that were under way when the platform stopped; whose cart is final has left."""
        for row in await self._ledger.read("SELECT id FROM trip WHERE ended IS NULL"):
            if cart := await self._deliveries.cart(row["id"]):
                ended = parse_instant(cart["shoppingTrip"]["endTime"]).timestamp()
                await self._ledger.put(("UPDATE trip SET ended = ? WHERE id = ?", (ended, row["id"])))
                continue
            trip = await self.find(row["id"])
            self._inside[trip.id] = trip

    async def find(self, trip_id: str) -> Trip:
        """Return a trip, or raise NotKnown."""
        if trip_id in self._inside:
            return self._inside[trip_id]
        rows = await self._ledger.read("SELECT * FROM trip WHERE id = ?", trip_id)
        if not rows:
            raise NotKnown("trip", trip_id)
        trip = _read(trip_id, orjson.loads(rows[0]["body"]), rows[0]["ended"])
        for row in await self._ledger.read("SELECT * FROM hand WHERE trip_id = ? ORDER BY seq", trip_id):
            _move(trip.cart, Line(row["type"], row["item"], row["unit"]), Decimal(row["quantity"]))
        return trip

    async def shopping(self, trip_id: str) -> Trip:
        """Return a trip that has not ended; NotNow when it has."""
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
        """Join visit and cart as Create Purchases; each attempt of its delivery adds its own requestId."""
        identity = {"shopperIdentity": {"id": trip.shopper_identity}} if trip.shopper_identity else {}
        return {
            "idempotentShoppingTripId": trip.id,
            "storeId": trip.store_id,
            "shoppingTrip": {
                "startTime": format_instant(trip.started_at),
                "endTime": format_instant(ended_at),
                "authEvents": [_told(event) for event in trip.events],
            },
            "cartItems": self._items(trip),
            **identity,
        }

    def _shown(self, trip: Trip) -> JsonObject:
        return {
            "tripId": trip.id,
            "storeId": trip.store_id,
            "gate": trip.gate,
            "authEventId": trip.events[0].id,
            "authEvents": [_told(event) for event in trip.events],
            "visitor": trip.visitor._asdict() if trip.visitor else None,
            "state": "left" if trip.ended_at else "shopping",
            "startTime": format_instant(trip.started_at),
            "endTime": format_instant(trip.ended_at) if trip.ended_at else None,
            "cartItems": self._items(trip),
            "cartIsSent": trip.ended_at is not None and self._has_cart(trip),
            "authorizedAmount": trip.authorized_amount,
            "loyalty": trip.loyalty,
        }


def _move(cart: Cart, line: Line, quantity: Decimal) -> None:
    if quantity < 0:
        cart.put_back(line, -quantity)
    else:
        cart.pick(line, quantity)


def _told(event: AuthEvent) -> JsonObject:
    told: JsonObject = {
        "id": event.id,
        "timestamp": format_instant(event.at),
        "location": event.location,
        "payloadType": event.payload_type,
    }
    return {**told, "scanResult": event.scan._asdict()} if event.scan else told


def _kept(trip: Trip) -> Statement:
    body = {
        "store": trip.store_id,
        "gate": trip.gate,
        "events": [_told(event) for event in trip.events],
        "visitor": list(trip.visitor) if trip.visitor else None,
        "shopperIdentity": trip.shopper_identity,
        "authorizedAmount": trip.authorized_amount,
        "loyalty": trip.loyalty,
    }
    return (
        "INSERT INTO trip (id, started, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        (trip.id, trip.started_at.timestamp(), orjson.dumps(body)),
    )


def _read(trip_id: str, body: JsonObject, ended: float | None) -> Trip:
    return Trip(
        id=trip_id,
        store_id=body["store"],
        gate=body["gate"],
        events=[_event(told) for told in body["events"]],
        visitor=ScanResult(*body["visitor"]) if body["visitor"] else None,
        shopper_identity=body["shopperIdentity"],
        authorized_amount=body["authorizedAmount"],
        loyalty=body["loyalty"],
        ended_at=None if ended is None else datetime.fromtimestamp(ended, UTC),
    )


def _event(told: JsonObject) -> AuthEvent:
    scan = ScanResult(**told["scanResult"]) if "scanResult" in told else None
    return AuthEvent(told["id"], parse_instant(told["timestamp"]), told["payloadType"], told["location"], scan)
