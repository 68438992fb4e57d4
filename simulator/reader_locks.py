"""Gates that a retailer's own reader has locked: the platform's readers ignore shoppers there until a time."""

from __future__ import annotations

from datetime import datetime

from simulator.storage.key_values import KeyValueStore


class ReaderLocks:
    """The locked gates, each with the end of its lock; the storage keeps them."""

    def __init__(self, storage: KeyValueStore[datetime] | None = None) -> None:
        self._storage = storage or KeyValueStore("reader lock", datetime)
        self._until = self._storage.all()

    def lock(self, gate: str, until: datetime) -> None:
        """Lock a gate until a time."""
        self._storage.put(gate, until)
        self._until[gate] = until

    def unlock(self, gate: str) -> None:
        """End a lock, if there is one."""
        self._storage.delete(gate)
        self._until.pop(gate, None)

    def is_locked(self, gate: str, now: datetime) -> bool:
        """Return whether a gate is locked at a time."""
        return gate in self._until and now < self._until[gate]
