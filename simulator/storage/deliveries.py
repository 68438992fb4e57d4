"""The storage of deliveries: final carts, their states, and all attempts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import orjson

from jwo_toolkit.json_types import JsonObject
from simulator.storage.database import Database

TABLES = """
CREATE TABLE IF NOT EXISTS delivery (
    trip_id TEXT PRIMARY KEY, store_id TEXT NOT NULL, cart BLOB NOT NULL, state TEXT NOT NULL,
    series_start REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, purchase_id TEXT, reason TEXT);
CREATE INDEX IF NOT EXISTS delivery_state ON delivery (state);
CREATE TABLE IF NOT EXISTS attempt (
    seq INTEGER PRIMARY KEY, trip_id TEXT NOT NULL REFERENCES delivery, request_id TEXT NOT NULL, at TEXT NOT NULL,
    status INTEGER, elapsed_ms INTEGER NOT NULL, outcome TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempt_trip ON attempt (trip_id);
"""
_ADD = """
INSERT OR IGNORE INTO delivery (trip_id, store_id, cart, state, series_start, next_at)
VALUES (?, ?, ?, 'pending', ?, ?)"""
_QUEUED = """
SELECT next_at, d.trip_id, store_id, series_start, tries,
       (SELECT count(*) FROM attempt a WHERE a.trip_id = d.trip_id)
FROM delivery d WHERE state = 'pending'"""
_ATTEMPT = "INSERT INTO attempt (trip_id, request_id, at, status, elapsed_ms, outcome) VALUES (?, ?, ?, ?, ?, ?)"
_STATE = """
UPDATE delivery SET state = ?, next_at = ?, purchase_id = ?, reason = ?, tries = tries + 1 WHERE trip_id = ?"""
_REDRIVE = """
UPDATE delivery SET state = 'pending', series_start = ?, tries = 0, next_at = ?, reason = NULL
WHERE trip_id = ? AND state = 'dead_letter'"""
_DELIVERIES = """
SELECT trip_id, store_id, state, purchase_id, reason FROM delivery
WHERE (? = '' OR trip_id = ?) AND (? = '' OR state = ?) ORDER BY rowid LIMIT ?"""
_ATTEMPTS = """
SELECT trip_id, request_id, at, status, elapsed_ms, outcome FROM attempt
WHERE trip_id IN (SELECT trip_id FROM delivery WHERE (? = '' OR trip_id = ?) AND (? = '' OR state = ?)
                  ORDER BY rowid LIMIT ?) ORDER BY seq"""
_CART = "SELECT cart FROM delivery WHERE trip_id = ?"
_CARTS = "SELECT trip_id, cart FROM delivery WHERE trip_id IN ({marks})"
_ORDERS = """
SELECT trip_id, store_id, purchase_id, json_array_length(CAST(cart AS TEXT), '$.cartItems') = 0 AS is_empty,
       json_extract(CAST(cart AS TEXT), '$.shopperIdentity.id') IS NOT NULL AS by_card,
       EXISTS (SELECT 1 FROM json_each(CAST(cart AS TEXT), '$.shoppingTrip.authEvents')
               WHERE json_extract(value, '$.payloadType') = 'FINANCIAL') AS has_card
FROM delivery WHERE state = 'delivered' ORDER BY rowid"""
_NEWEST_DELIVERED = """
SELECT d.trip_id, d.store_id, d.purchase_id, a.request_id, d.cart
FROM (SELECT seq, trip_id, request_id FROM attempt WHERE outcome = 'delivered' ORDER BY seq DESC LIMIT ?) a
JOIN delivery d ON d.trip_id = a.trip_id ORDER BY a.seq"""
_COUNT_BY_STATE = "SELECT state, count(*) AS n FROM delivery GROUP BY state"
_COUNT_ATTEMPTS = "SELECT count(*) AS n FROM attempt"


class QueuedDelivery(NamedTuple):
    """A pending delivery without its cart, which stays on disk; `due` and `series_start` are epoch seconds.

    `tries` counts attempts since `series_start`, and `attempts` counts all attempts. Deliveries sort by `due`.
    """

    due: float
    trip_id: str
    store_id: str
    series_start: float
    tries: int = 0
    attempts: int = 0


class Attempt(NamedTuple):
    """One attempt to deliver a cart."""

    request_id: str
    at: str
    status: int | None
    elapsed_ms: int
    outcome: str

    def to_json(self) -> JsonObject:
        """Return it as the control API shows it."""
        return {
            "requestId": self.request_id,
            "at": self.at,
            "status": self.status,
            "elapsedMs": self.elapsed_ms,
            "outcome": self.outcome,
        }


class DeliveryState(NamedTuple):
    """The state of a delivery after an attempt: pending, delivered or dead_letter."""

    state: str
    next_at: float
    purchase_id: str | None = None
    reason: str | None = None


class DeliveryRecord(NamedTuple):
    """One delivery with its attempts, oldest first."""

    trip_id: str
    store_id: str
    state: str
    purchase_id: str | None
    reason: str | None
    attempts: list[Attempt]

    def to_json(self) -> JsonObject:
        """Return it as the control API shows it."""
        return {
            "tripId": self.trip_id,
            "storeId": self.store_id,
            "state": self.state,
            "attempts": [attempt.to_json() for attempt in self.attempts],
            "purchaseId": self.purchase_id,
            "reason": self.reason,
        }


class DeliveredOrder(NamedTuple):
    """A delivered cart: whether its first shopper entered with a means of payment, and whether any of the group did."""

    trip_id: str
    store_id: str
    purchase_id: str
    is_empty: bool
    by_card: bool
    has_card: bool


class DeliveredCart(NamedTuple):
    """A delivered cart with the id of the request that delivered it."""

    trip_id: str
    store_id: str
    purchase_id: str
    request_id: str
    cart: JsonObject


class DeliveryStorage:
    """The deliveries of all stores; every method raises StorageFailed if the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queued(self) -> list[QueuedDelivery]:
        """Return every pending delivery; blocks."""
        return [QueuedDelivery(*row) for row in self._database.read_now(_QUEUED)]

    async def add(self, trip_id: str, store_id: str, cart: JsonObject, due: float) -> bool:
        """Add a final cart, which is on disk when this returns; False if the trip already has a cart."""
        return bool(await self._database.write((_ADD, (trip_id, store_id, orjson.dumps(cart), due, due))))

    async def record(self, trip_id: str, attempt: Attempt, state: DeliveryState) -> None:
        """Store an attempt and the state after it."""
        await self._database.write((_ATTEMPT, (trip_id, *attempt)), (_STATE, (*state, trip_id)))

    async def redrive(self, trip_id: str, now: float) -> bool:
        """Make a dead letter pending, with a new window; False if the delivery is not a dead letter."""
        return bool(await self._database.write((_REDRIVE, (now, now, trip_id))))

    async def find(self, trip_id: str, state: str, limit: int) -> list[DeliveryRecord]:
        """Return deliveries with their attempts, oldest first; an empty text means any."""
        given = (trip_id, trip_id, state, state, limit)
        rows = await self._database.read(_DELIVERIES, *given)
        attempts: defaultdict[str, list[Attempt]] = defaultdict(list)
        for of_trip, *attempt in await self._database.read(_ATTEMPTS, *given):
            attempts[of_trip].append(Attempt(*attempt))
        return [DeliveryRecord(**dict(row), attempts=attempts[row["trip_id"]]) for row in rows]

    async def orders(self) -> list[DeliveredOrder]:
        """Return every delivered cart, oldest first."""
        rows = await self._database.read(_ORDERS)
        return [
            DeliveredOrder(trip, store, purchase or "", bool(empty), by_card=bool(by_card), has_card=bool(has_card))
            for trip, store, purchase, empty, by_card, has_card in rows
        ]

    async def newest_delivered(self, most: int) -> list[DeliveredCart]:
        """Return the carts that were delivered last, in the order of their deliveries."""
        rows = await self._database.read(_NEWEST_DELIVERED, most)
        return [
            DeliveredCart(trip, store, purchase or "", request_id, orjson.loads(cart))
            for trip, store, purchase, request_id, cart in rows
        ]

    async def cart(self, trip_id: str) -> JsonObject | None:
        """Return the cart of a delivery; None if there is no delivery."""
        rows = await self._database.read(_CART, trip_id)
        return dict(orjson.loads(rows[0]["cart"])) if rows else None

    async def carts(self, trip_ids: Iterable[str]) -> dict[str, JsonObject]:
        """Return the carts of deliveries, by trip."""
        wanted = tuple(trip_ids)
        rows = await self._database.read(_CARTS.format(marks=",".join("?" * len(wanted))), *wanted)
        return {row["trip_id"]: orjson.loads(row["cart"]) for row in rows}

    async def counts(self) -> dict[str, int]:
        """Return how many deliveries are in each state, and how many attempts there were."""
        rows = await self._database.read(_COUNT_BY_STATE)
        (attempts,) = await self._database.read(_COUNT_ATTEMPTS)
        return {
            **dict.fromkeys(("pending", "delivered", "dead_letter"), 0),
            **{row["state"]: row["n"] for row in rows},
            "attempts": attempts["n"],
        }
