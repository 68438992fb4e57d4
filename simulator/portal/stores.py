"""The stores of all retailers, each with its connector, its QR pattern and its gates; a gate belongs to one store."""

from __future__ import annotations

import re
from typing import NamedTuple

from contract.gate import StoreDefault
from simulator.connector import Connector
from simulator.errors import BadCall, NotKnown, NotNow


class Store(NamedTuple):
    """One store; without a connector its gates follow the store default."""

    id: str
    retailer: str
    store_default: StoreDefault
    qr_pattern: str = ""
    gates: tuple[str, ...] = ()
    connector: Connector | None = None


class Stores:
    """All stores, by id and by gate."""

    def __init__(self, stores: tuple[Store, ...] = ()) -> None:
        self._stores: dict[str, Store] = {}
        for store in stores:
            self.put(store)

    def put(self, store: Store) -> None:
        """Set a store up, or replace it; NotNow when one of its gates is another store's."""
        try:
            re.compile(store.qr_pattern)
        except re.error as error:
            raise BadCall(f"the QR pattern is no regular expression: {error}") from error
        for other in self._stores.values():
            taken = set(other.gates).intersection(store.gates)
            if other.id != store.id and taken:
                raise NotNow(f"gate {min(taken)} belongs to store {other.id}")
        self._stores[store.id] = store

    def get(self, store_id: str) -> Store:
        """Return a store, or raise NotKnown."""
        if store_id not in self._stores:
            raise NotKnown("store", store_id, hint="set it up with PUT /portal/stores/{storeId}")
        return self._stores[store_id]

    def connector(self, store_id: str) -> Connector | None:
        """Return the connector of a store, where both exist."""
        store = self._stores.get(store_id)
        return store.connector if store else None

    def of_gate(self, gate: str) -> Store:
        """Return the store that a gate belongs to, or raise NotKnown."""
        for store in self._stores.values():
            if gate in store.gates:
                return store
        raise NotKnown("gate", gate, hint="name it in the gates of PUT /portal/stores/{storeId}")

    def of_retailer(self, retailer: str) -> frozenset[str]:
        """Return the ids of a retailer's stores."""
        return frozenset(store.id for store in self._stores.values() if store.retailer == retailer)
