"""The files of one platform: the first has the carts, and two more next to it have the trips and the catalog."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from simulator.storage import deliveries, items, key_values, trips
from simulator.storage.database import MEMORY, Database, DatabaseLock, sibling_path
from simulator.storage.deliveries import DeliveryStorage
from simulator.storage.items import ItemStorage
from simulator.storage.key_values import KeyValueStore
from simulator.storage.trips import TripStorage

T = TypeVar("T")


class Storage:
    """All storage of one platform; `path` is the first file, or `:memory:`.

    Raises StorageUnreadable if a file cannot be opened or another platform uses it.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self.is_file = path != MEMORY
        self.cart_database = Database(path, deliveries.TABLES, sync=True)
        self._lock = DatabaseLock(path)
        self.trip_database = Database(sibling_path(path, "trips"), trips.TABLES + key_values.TABLES, sync=False)
        self.item_database = Database(sibling_path(path, "catalog"), items.TABLES, sync=False)
        self.deliveries = DeliveryStorage(self.cart_database)
        self.trips = TripStorage(self.trip_database)
        self.items = ItemStorage(self.item_database)

    def key_values(self, subject: str, shape: type[T]) -> KeyValueStore[T]:
        """Return the key-value store of one subject."""
        return KeyValueStore(subject, shape, self.trip_database)

    def sibling_path(self, name: str) -> Path | None:
        """Return the path of another file of this platform; None in memory."""
        return Path(sibling_path(self._path, name)) if self.is_file else None

    async def close(self) -> None:
        """Commit the waiting transactions, close the files, and let other platforms use them."""
        await self.trip_database.close()
        await self.cart_database.close()
        await self.item_database.close()
        self._lock.close()
