"""The storage of shopping trips, of every item taken or put back, and of the platform's starts.

Each write is done when its method returns, and is not synced: it survives a kill of the process, and no gate waits for
the disk.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

from simulator.carts import Line
from simulator.storage.database import Database, Row
from simulator.trip_record import AuthEvent, ScanResult, Trip

TABLES = """
CREATE TABLE IF NOT EXISTS trip (
    id TEXT PRIMARY KEY, started REAL NOT NULL, body BLOB NOT NULL, ended REAL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS trip_ended ON trip (ended) WHERE ended IS NOT NULL;
CREATE TABLE IF NOT EXISTS hand (
    seq INTEGER PRIMARY KEY, trip_id TEXT NOT NULL, type TEXT NOT NULL, item TEXT NOT NULL, unit TEXT NOT NULL,
    quantity TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS hand_trip ON hand (trip_id);
CREATE TABLE IF NOT EXISTS run (number INTEGER PRIMARY KEY);
"""
_SAVE = "INSERT INTO trip (id, started, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body"
_MOVE = "INSERT INTO hand (trip_id, type, item, unit, quantity) VALUES (?, ?, ?, ?, ?)"
_END = "UPDATE trip SET ended = ? WHERE id = ?"
_UNDER_WAY = "SELECT id FROM trip WHERE ended IS NULL"
_TRIP = "SELECT id, body, ended FROM trip WHERE id = ?"
_MOVES = "SELECT type, item, unit, quantity FROM hand WHERE trip_id = ? ORDER BY seq"
_COUNT_ENDED = "SELECT count(*) AS n FROM trip WHERE ended IS NOT NULL"
_OLDEST_ENDED = "SELECT id FROM trip WHERE ended IS NOT NULL ORDER BY ended LIMIT ?"
_DELETE_MOVES = "DELETE FROM hand WHERE trip_id = ?"
_DELETE_TRIP = "DELETE FROM trip WHERE id = ?"
_BEGIN_RUN = "INSERT INTO run DEFAULT VALUES"
_EARLIER_RUNS = "SELECT max(number) - 1 AS n FROM run"


class TripStorage:
    """The trips of all stores; every method raises StorageFailed if the database fails."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ended = int(database.read_now(_COUNT_ENDED)[0]["n"])

    def begin_run(self) -> int:
        """Count a start of the platform on this file; returns the number of earlier starts."""
        self._database.write_now((_BEGIN_RUN, ()))
        return int(self._database.read_now(_EARLIER_RUNS)[0]["n"])

    def save(self, trip: Trip) -> None:
        """Store a trip, without its cart."""
        self._database.write_now((_SAVE, to_row(trip)))

    def move(self, trip_id: str, line: Line, quantity: Decimal) -> None:
        """Store what a shopper took, or put back if the quantity is below zero."""
        self._database.write_now((_MOVE, (trip_id, line.type, line.id, line.unit, str(quantity))))

    def end(self, trip_id: str, at: datetime) -> None:
        """Store the end of a trip."""
        self._ended += self._database.write_now((_END, (at.timestamp(), trip_id)))

    def forget_ended(self, keep: int, most: int) -> int:
        """Delete the oldest ended trips beyond the newest `keep`, at most `most`; returns how many."""
        surplus = min(self._ended - keep, most)
        oldest = self._database.read_now(_OLDEST_ENDED, surplus) if surplus > 0 else []
        if oldest:
            deletions = [(sql, (row["id"],)) for row in oldest for sql in (_DELETE_MOVES, _DELETE_TRIP)]
            self._database.write_now(*deletions)
            self._ended -= len(oldest)
        return len(oldest)

    async def under_way(self) -> list[str]:
        """Return the ids of the trips that have not ended."""
        return [row["id"] for row in await self._database.read(_UNDER_WAY)]

    async def find(self, trip_id: str) -> Trip | None:
        """Return a trip with its cart; None if there is no such trip."""
        rows = await self._database.read(_TRIP, trip_id)
        if not rows:
            return None
        trip = from_row(rows[0])
        for row in await self._database.read(_MOVES, trip_id):
            trip.cart.move(Line(row["type"], row["item"], row["unit"]), Decimal(row["quantity"]))
        return trip


def to_row(trip: Trip) -> tuple[Any, ...]:
    """Return the columns of a trip."""
    body = {
        "store": trip.store_id,
        "gate": trip.gate,
        "events": [event.to_json() for event in trip.events],
        "visitor": list(trip.visitor) if trip.visitor else None,
        "shopperIdentity": trip.shopper_identity,
        "authorizedAmount": trip.authorized_amount,
        "loyalty": trip.loyalty,
    }
    return trip.id, trip.started_at.timestamp(), orjson.dumps(body)


def from_row(row: Row) -> Trip:
    """Return the trip of a row, with an empty cart."""
    body = orjson.loads(row["body"])
    return Trip(
        id=row["id"],
        store_id=body["store"],
        gate=body["gate"],
        events=[AuthEvent.from_json(event) for event in body["events"]],
        visitor=ScanResult(*body["visitor"]) if body["visitor"] else None,
        shopper_identity=body["shopperIdentity"],
        authorized_amount=body["authorizedAmount"],
        loyalty=body["loyalty"],
        ended_at=None if row["ended"] is None else datetime.fromtimestamp(row["ended"], UTC),
    )
