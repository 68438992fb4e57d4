"""The outbox: carts on their way to a connector, in the ledger, and in memory when each is due.

Nothing is marked while it is being sent: a platform that dies finds its carts pending and sends them again.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from typing import Any, NamedTuple

import orjson

from simulator.ledger import Ledger

_ADD = """
INSERT OR IGNORE INTO delivery (trip_id, store_id, cart, state, series_start, next_at)
VALUES (?, ?, ?, 'pending', ?, ?)"""
_ATTEMPT = "INSERT INTO attempt (trip_id, request_id, at, status, elapsed_ms, outcome) VALUES (?, ?, ?, ?, ?, ?)"
_OUTCOME = """
UPDATE delivery SET state = ?, next_at = ?, purchase_id = ?, reason = ?, tries = tries + 1 WHERE trip_id = ?"""
_REDRIVE = """
UPDATE delivery SET state = 'pending', series_start = ?, tries = 0, next_at = ?, reason = NULL
WHERE trip_id = ? AND state = 'dead_letter'"""
_DELIVERIES = """
SELECT * FROM delivery WHERE (? = '' OR trip_id = ?) AND (? = '' OR state = ?) ORDER BY rowid LIMIT ?"""
_ATTEMPTS = """
SELECT trip_id, request_id AS requestId, at, status, elapsed_ms AS elapsedMs, outcome FROM attempt
WHERE trip_id IN (SELECT trip_id FROM delivery WHERE (? = '' OR trip_id = ?) AND (? = '' OR state = ?)
                  ORDER BY rowid LIMIT ?) ORDER BY seq"""


class Parcel(NamedTuple):
    """A cart to send; its window began at epoch second `series_start`, `tries` counts within it, `attempts` ever."""

    trip_id: str
    store_id: str
    cart: dict[str, Any]
    series_start: float
    tries: int
    due: float
    attempts: int


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


class _Waiting(NamedTuple):
    trip_id: str
    store_id: str
    series_start: float
    tries: int
    attempts: int


class Outbox:
    """What waits, by store; a store's connector gets a bounded number of attempts at the same moment."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._queues: defaultdict[str, list[tuple[float, str, _Waiting]]] = defaultdict(list)
        self._sending: Counter[str] = Counter()
        for row in ledger.read_now(
            "SELECT d.*, (SELECT count(*) FROM attempt a WHERE a.trip_id = d.trip_id) AS attempts FROM delivery d"
            " WHERE state = 'pending'"
        ):
            self._push(row["next_at"], _Waiting(*(row[name] for name in _Waiting._fields)))

    async def add(self, trip_id: str, store_id: str, cart: dict[str, Any], due: float) -> None:
        """Keep a final cart, on the disk when this returns; the first cart of a trip stands."""
        statement = (_ADD, (trip_id, store_id, orjson.dumps(cart), due, due))
        if await self._ledger.put(statement):
            self._push(due, _Waiting(trip_id, store_id, due, 0, 0))

    async def claim(self, now: float, most: int, most_per_store: int) -> list[Parcel]:
        """Take up to `most` parcels that are due, the longest waiting first, and no store's more than its share."""
        taken = self._take(now, most, most_per_store)
        if not taken:
            return []
        marks = ",".join("?" * len(taken))
        try:
            rows = await self._ledger.read(
                f"SELECT trip_id, cart FROM delivery WHERE trip_id IN ({marks})",  # noqa: S608 - question marks only
                *(each.trip_id for _, each in taken),
            )
        except BaseException:
            for due, one in taken:
                self._push(due, one)
                self._sending[one.store_id] -= 1
            raise
        carts = {row["trip_id"]: orjson.loads(row["cart"]) for row in rows}
        return [
            Parcel(one.trip_id, one.store_id, carts[one.trip_id], one.series_start, one.tries, due, one.attempts)
            for due, one in taken
        ]

    def next_due(self, most_per_store: int) -> float | None:
        """Return the epoch second at which the next parcel is due; None when none waits that may be sent."""
        heads = [
            queue[0][0] for store, queue in self._queues.items() if queue and self._sending[store] < most_per_store
        ]
        return min(heads, default=None)

    def waiting(self) -> int:
        """Return how many parcels wait or are being sent."""
        return sum(len(queue) for queue in self._queues.values()) + sum(self._sending.values())

    async def record(self, parcel: Parcel, attempt: Attempt, standing: Standing) -> None:
        """Keep an attempt and what follows from it."""
        await self._ledger.put(
            (_ATTEMPT, (parcel.trip_id, *attempt)),
            (_OUTCOME, (*standing, parcel.trip_id)),
        )
        if standing.state == "pending":
            self.put_back(parcel, standing.next_at)

    def put_back(self, parcel: Parcel, due: float) -> None:
        """Let a parcel wait for its next attempt, in memory only."""
        series, tries, attempts = parcel.series_start, parcel.tries + 1, parcel.attempts + 1
        self._push(due, _Waiting(parcel.trip_id, parcel.store_id, series, tries, attempts))

    def give_back(self, parcel: Parcel) -> None:
        """End the sending of a parcel, whatever came of it."""
        self._sending[parcel.store_id] -= 1

    async def redrive(self, trip_id: str, now: float) -> bool:
        """Start a dead delivery anew with a fresh window; False when it is not on the dead-letter list."""
        (told,) = await self.deliveries(trip_id)
        changed = await self._ledger.put((_REDRIVE, (now, now, trip_id)))
        if changed == 1:
            self._push(now, _Waiting(trip_id, told["storeId"], now, 0, len(told["attempts"])))
        return changed == 1

    async def deliveries(self, trip_id: str = "", state: str = "", limit: int = 1_000_000) -> list[dict[str, Any]]:
        """Tell deliveries with their attempts, oldest first."""
        given = (trip_id, trip_id, state, state, limit)
        rows = await self._ledger.read(_DELIVERIES, *given)
        attempts = await self._ledger.read(_ATTEMPTS, *given)
        by_trip: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for attempt in attempts:
            told = dict(attempt)
            by_trip[told.pop("trip_id")].append(told)
        return [_told(row, by_trip[row["trip_id"]]) for row in rows]

    async def cart(self, trip_id: str) -> dict[str, Any] | None:
        """Return the cart of a delivery; None when there is none."""
        rows = await self._ledger.read("SELECT cart FROM delivery WHERE trip_id = ?", trip_id)
        return dict(orjson.loads(rows[0]["cart"])) if rows else None

    async def counts(self) -> dict[str, int]:
        """Return how many deliveries are in each state, and how many attempts there were."""
        rows = await self._ledger.read("SELECT state, count(*) AS n FROM delivery GROUP BY state")
        (attempts,) = await self._ledger.read("SELECT count(*) AS n FROM attempt")
        return {
            **dict.fromkeys(("pending", "delivered", "dead_letter"), 0),
            **{row["state"]: row["n"] for row in rows},
            "attempts": attempts["n"],
        }

    def _push(self, due: float, waiting: _Waiting) -> None:
        heapq.heappush(self._queues[waiting.store_id], (due, waiting.trip_id, waiting))

    def _take(self, now: float, most: int, most_per_store: int) -> list[tuple[float, _Waiting]]:
        heads = [
            (queue[0][0], queue[0][1], store)
            for store, queue in self._queues.items()
            if queue and queue[0][0] <= now and self._sending[store] < most_per_store
        ]
        heapq.heapify(heads)
        taken: list[tuple[float, _Waiting]] = []
        while heads and len(taken) < most:
            _, _, store = heapq.heappop(heads)
            due, _, waiting = heapq.heappop(self._queues[store])
            self._sending[store] += 1
            taken.append((due, waiting))
            queue = self._queues[store]
            if queue and queue[0][0] <= now and self._sending[store] < most_per_store:
                heapq.heappush(heads, (queue[0][0], queue[0][1], store))
        return taken


def _told(row: Any, attempts: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: ANN401 - a row
    return {
        "tripId": row["trip_id"],
        "storeId": row["store_id"],
        "state": row["state"],
        "attempts": attempts,
        "purchaseId": row["purchase_id"],
        "reason": row["reason"],
    }
