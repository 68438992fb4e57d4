"""The outbox: which carts are due at which connector. Carts are in the storage, due times are also in memory.

The storage does not mark a cart during an attempt: after a crash, the next start finds the cart pending and sends it
again.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from typing import Any, NamedTuple

from simulator.storage.deliveries import (
    Attempt,
    DeliveredCart,
    DeliveredOrder,
    DeliveryRecord,
    DeliveryState,
    DeliveryStorage,
    QueuedDelivery,
)


class PendingDelivery(NamedTuple):
    """A cart to send now; see QueuedDelivery for the other members."""

    cart: dict[str, Any]
    due: float
    trip_id: str
    store_id: str
    series_start: float
    tries: int
    attempts: int


class Outbox:
    """The pending deliveries by store, with a limit of attempts at the same moment for each store's connector."""

    def __init__(self, storage: DeliveryStorage) -> None:
        self._storage = storage
        self._queues: defaultdict[str, list[QueuedDelivery]] = defaultdict(list)
        self._sending: Counter[str] = Counter()
        for queued in storage.queued():
            self._push(queued)

    async def add(self, trip_id: str, store_id: str, cart: dict[str, Any], due: float) -> None:
        """Add a final cart, which is on disk when this returns. A later cart of the same trip changes nothing."""
        if await self._storage.add(trip_id, store_id, cart, due):
            self._push(QueuedDelivery(due, trip_id, store_id, series_start=due))

    async def claim(self, now: float, most: int, most_per_store: int) -> list[PendingDelivery]:
        """Take up to `most` due deliveries, longest wait first, with at most `most_per_store` attempts per store."""
        taken = self._pop_due(now, most, most_per_store)
        if not taken:
            return []
        try:
            carts = await self._storage.carts(queued.trip_id for queued in taken)
        except BaseException:
            for queued in taken:
                self._push(queued)
                self._sending[queued.store_id] -= 1
            raise
        return [PendingDelivery(carts[queued.trip_id], *queued) for queued in taken]

    def next_due(self, most_per_store: int) -> float | None:
        """Return the epoch second of the next due delivery; None if the platform may send no delivery."""
        heads = [
            queue[0].due for store, queue in self._queues.items() if queue and self._sending[store] < most_per_store
        ]
        return min(heads, default=None)

    def waiting(self) -> int:
        """Return how many deliveries wait or have a running attempt."""
        return sum(len(queue) for queue in self._queues.values()) + sum(self._sending.values())

    async def record(self, delivery: PendingDelivery, attempt: Attempt, state: DeliveryState) -> None:
        """Store an attempt and the state after it."""
        await self._storage.record(delivery.trip_id, attempt, state)
        if state.state == "pending":
            self.put_back(delivery, state.next_at)

    def put_back(self, delivery: PendingDelivery, due: float) -> None:
        """Queue a delivery for its next attempt, in memory only."""
        self._push(
            QueuedDelivery(
                due=due,
                trip_id=delivery.trip_id,
                store_id=delivery.store_id,
                series_start=delivery.series_start,
                tries=delivery.tries + 1,
                attempts=delivery.attempts + 1,
            )
        )

    def end_sending(self, delivery: PendingDelivery) -> None:
        """Note that the attempt of a delivery has ended, with any result."""
        self._sending[delivery.store_id] -= 1

    async def redrive(self, trip_id: str, now: float) -> bool:
        """Make a dead letter pending, with a new window; False if the delivery is not a dead letter."""
        (known,) = await self.deliveries(trip_id)
        if not await self._storage.redrive(trip_id, now):
            return False
        self._push(QueuedDelivery(now, trip_id, known.store_id, series_start=now, attempts=len(known.attempts)))
        return True

    async def deliveries(self, trip_id: str = "", state: str = "", limit: int = 1_000_000) -> list[DeliveryRecord]:
        """Return deliveries with their attempts, oldest first."""
        return await self._storage.find(trip_id, state, limit)

    async def cart(self, trip_id: str) -> dict[str, Any] | None:
        """Return the cart of a delivery; None if there is no delivery."""
        return await self._storage.cart(trip_id)

    async def orders(self) -> list[DeliveredOrder]:
        """Return every delivered cart, oldest first."""
        return await self._storage.orders()

    async def newest_delivered(self, most: int) -> list[DeliveredCart]:
        """Return the carts that were delivered last, in the order of their deliveries."""
        return await self._storage.newest_delivered(most)

    async def counts(self) -> dict[str, int]:
        """Return how many deliveries are in each state, and how many attempts there were."""
        return await self._storage.counts()

    def _push(self, queued: QueuedDelivery) -> None:
        heapq.heappush(self._queues[queued.store_id], queued)

    def _pop_due(self, now: float, most: int, most_per_store: int) -> list[QueuedDelivery]:
        heads = [queue[0] for store, queue in self._queues.items() if self._may_send(store, now, most_per_store)]
        heapq.heapify(heads)
        taken: list[QueuedDelivery] = []
        while heads and len(taken) < most:
            store = heapq.heappop(heads).store_id
            taken.append(heapq.heappop(self._queues[store]))
            self._sending[store] += 1
            if self._may_send(store, now, most_per_store):
                heapq.heappush(heads, self._queues[store][0])
        return taken

    def _may_send(self, store: str, now: float, most_per_store: int) -> bool:
        queue = self._queues[store]
        return bool(queue) and queue[0].due <= now and self._sending[store] < most_per_store
