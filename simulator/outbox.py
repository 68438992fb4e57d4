"""The outbox: carts on their way to a connector, in SQLite, so that a restart of the platform loses none.

A cart that is being sent is marked, so that it is not sent twice at once; opening the file clears the marks.
"""

from __future__ import annotations

import sqlite3
import threading
from typing import Any, NamedTuple

import orjson

_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS delivery (
    trip_id TEXT PRIMARY KEY, store_id TEXT NOT NULL, cart BLOB NOT NULL, state TEXT NOT NULL,
    series_start REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL,
    sending INTEGER NOT NULL DEFAULT 0, purchase_id TEXT, reason TEXT);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (state, sending, next_at);
CREATE TABLE IF NOT EXISTS attempt (
    seq INTEGER PRIMARY KEY, trip_id TEXT NOT NULL REFERENCES delivery, request_id TEXT NOT NULL, at TEXT NOT NULL,
    status INTEGER, elapsed_ms INTEGER NOT NULL, outcome TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempt_trip ON attempt (trip_id);
UPDATE delivery SET sending = 0;
"""


class Parcel(NamedTuple):
    """A cart to send; its window began at epoch second `series_start`, and `tries` counts within it."""

    trip_id: str
    store_id: str
    cart: dict[str, Any]
    series_start: float
    tries: int


class Attempt(NamedTuple):
    """One sending of a cart, as it is told afterwards."""

    request_id: str
    at: str
    status: int | None
    elapsed_ms: int
    outcome: str


class Standing(NamedTuple):
    """Where a delivery stands after an attempt; `state` is pending, delivered or dead_letter."""

    state: str
    next_at: float
    purchase_id: str | None = None
    reason: str | None = None


class Outbox:
    """All methods block on the disk: call them in a thread."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(_TABLES)

    def add(self, trip_id: str, store_id: str, cart: dict[str, Any], now: float) -> None:
        """Keep a final cart; the first cart of a trip stands."""
        with self._lock:
            self._db.execute(
                "INSERT OR IGNORE INTO delivery (trip_id, store_id, cart, state, series_start, next_at)"
                " VALUES (?, ?, ?, 'pending', ?, ?)",
                (trip_id, store_id, orjson.dumps(cart), now, now),
            )

    def claim(self, now: float, most: int) -> list[Parcel]:
        """Take up to `most` parcels that are due, the longest waiting first, and mark them as being sent."""
        with self._lock:
            rows = self._db.execute(
                "UPDATE delivery SET sending = 1 WHERE trip_id IN (SELECT trip_id FROM delivery WHERE"
                " state = 'pending' AND sending = 0 AND next_at <= ? ORDER BY next_at LIMIT ?) RETURNING *",
                (now, most),
            ).fetchall()
        return [
            Parcel(row["trip_id"], row["store_id"], orjson.loads(row["cart"]), row["series_start"], row["tries"])
            for row in rows
        ]

    def next_due(self) -> float | None:
        """Return the epoch second at which the next parcel is due; None when none waits."""
        with self._lock:
            row = self._db.execute(
                "SELECT min(next_at) FROM delivery WHERE state = 'pending' AND sending = 0"
            ).fetchone()
        return None if row[0] is None else float(row[0])

    def record(self, trip_id: str, attempt: Attempt, standing: Standing) -> None:
        """Keep an attempt and what follows from it, in one transaction."""
        with self._lock, self._db:
            self._db.execute("BEGIN")
            self._db.execute(
                "INSERT INTO attempt (trip_id, request_id, at, status, elapsed_ms, outcome) VALUES (?, ?, ?, ?, ?, ?)",
                (trip_id, *attempt),
            )
            self._db.execute(
                "UPDATE delivery SET state = ?, next_at = ?, purchase_id = ?, reason = ?, tries = tries + 1,"
                " sending = 0 WHERE trip_id = ?",
                (*standing, trip_id),
            )

    def redrive(self, trip_id: str, now: float) -> bool:
        """Start a dead delivery anew with a fresh window; False when it is not on the dead-letter list."""
        with self._lock:
            changed = self._db.execute(
                "UPDATE delivery SET state = 'pending', series_start = ?, tries = 0, next_at = ?, reason = NULL"
                " WHERE trip_id = ? AND state = 'dead_letter'",
                (now, now, trip_id),
            )
        return changed.rowcount == 1

    def deliveries(self, trip_id: str = "", state: str = "") -> list[dict[str, Any]]:
        """Tell deliveries with their attempts, oldest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM delivery WHERE (? = '' OR trip_id = ?) AND (? = '' OR state = ?) ORDER BY rowid",
                (trip_id, trip_id, state, state),
            ).fetchall()
            return [self._told(row) for row in rows]

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _told(self, row: sqlite3.Row) -> dict[str, Any]:
        attempts = self._db.execute(
            "SELECT request_id AS requestId, at, status, elapsed_ms AS elapsedMs, outcome FROM attempt"
            " WHERE trip_id = ? ORDER BY seq",
            (row["trip_id"],),
        )
        return {
            "tripId": row["trip_id"],
            "storeId": row["store_id"],
            "state": row["state"],
            "attempts": [dict(attempt) for attempt in attempts],
            "purchaseId": row["purchase_id"],
            "reason": row["reason"],
        }
