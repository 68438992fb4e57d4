"""The stores of all retailers, each with its connectors, its ways in and its gates; a gate belongs to one store.

The storage keeps all stores. A stored store replaces the store of a world file with the same id.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from jwo_contract.gate import StoreDefault
from jwo_toolkit.patterns import BadPattern, checked_pattern
from simulator.connector import Connector
from simulator.entry.identity import BadgeChannel
from simulator.entry.strategies import Strategy
from simulator.errors import BadCall, NotKnown, NotNow
from simulator.storage.key_values import KeyValueStore

Method = Literal["app", "badge", "card", "palm"]
ConnectorKind = Literal["identity", "loyalty", "ordering", "fraud_and_abuse"]
ConfigurationStatus = Literal["Incomplete", "Complete", "Not Required"]
PaymentProcessor = Literal["retailer", "amazon", "checkout"]
"""The side that charges a shopper who enters by card or palm. amazon: Amazon, and the retailer's payment calls end each
charge. checkout: Amazon, by the totals of Checkout Cart; no call ends the charge of an empty cart."""
CONNECTOR_KINDS: tuple[ConnectorKind, ...] = get_args(ConnectorKind)


class Store(NamedTuple):
    """One store; without a connector its gates follow the store default decision."""

    id: str
    retailer: str
    store_default: StoreDefault
    qr_pattern: str = ""
    gates: tuple[str, ...] = ()
    connector: Connector | None = None
    """The connector for every kind of call without an entry in `connectors`."""
    connectors: tuple[tuple[ConnectorKind, Connector], ...] = ()
    methods: tuple[Method, ...] = ("app", "badge")
    strategy: Strategy = "amazon_managed"
    loyalty: bool = False
    charge_calculation: Literal["retailer", "amazon"] = "retailer"
    payment_processor: PaymentProcessor = "retailer"
    authorized_amount: float | None = None
    """The amount to reserve on a card; None means the amount of the house rules."""
    badge_channel: BadgeChannel = "CONTACT"
    """How the badge readers at the gates read, unless a visitor's call says otherwise."""

    def connector_for(self, kind: ConnectorKind) -> Connector | None:
        """Return the saved connector for a kind of call, or None."""
        return dict(self.connectors).get(kind, self.connector)

    def status_of(self, kind: ConnectorKind) -> ConfigurationStatus:
        """Return whether a connector configuration is required, and whether it is saved. This makes no test call."""
        needed = {
            "identity": bool({"app", "badge"} & set(self.methods)),
            "loyalty": self.loyalty,
            "ordering": self.charge_calculation == "retailer",
            "fraud_and_abuse": bool({"card", "palm"} & set(self.methods))
            and self.strategy in {"amazon_recommendation", "retailer_managed"},
        }
        if not needed[kind]:
            return "Not Required"
        return "Complete" if self.connector_for(kind) else "Incomplete"

    def configuration(self) -> ConfigurationStatus:
        """Return whether all required connector configurations are saved."""
        statuses = {self.status_of(kind) for kind in CONNECTOR_KINDS}
        if "Incomplete" in statuses:
            return "Incomplete"
        return "Complete" if "Complete" in statuses else "Not Required"


class Stores:
    """All stores, by id and by gate."""

    def __init__(self, stores: tuple[Store, ...] = (), storage: KeyValueStore[Store] | None = None) -> None:
        self._storage = storage or KeyValueStore("store", Store)
        self._stores: dict[str, Store] = {}
        self._by_gate: dict[str, str] = {}
        for store in self._storage.all().values():
            self._index(store)
        for store in stores:
            if store.id not in self._stores:
                self.put(store)

    def put(self, store: Store) -> None:
        """Add a store, or replace it.

        Raises NotNow if one of its gates belongs to another store, and BadCall if its QR pattern is not valid.
        """
        try:
            checked_pattern(store.qr_pattern)
        except BadPattern as error:
            raise BadCall(f"the QR pattern of store {store.id} {error}") from error
        for gate in store.gates:
            if self._by_gate.get(gate, store.id) != store.id:
                raise NotNow(f"gate {gate} belongs to store {self._by_gate[gate]}")
        self._index(store)
        self._storage.put(store.id, store)

    def _index(self, store: Store) -> None:
        for gate in self._stores[store.id].gates if store.id in self._stores else ():
            del self._by_gate[gate]
        self._by_gate.update(dict.fromkeys(store.gates, store.id))
        self._stores[store.id] = store

    def all(self) -> list[Store]:
        """Return all stores."""
        return list(self._stores.values())

    def get(self, store_id: str) -> Store:
        """Return a store. Raises NotKnown if there is no such store."""
        if store_id not in self._stores:
            raise NotKnown("store", store_id, hint="set it up with PUT /portal/stores/{storeId}")
        return self._stores[store_id]

    def find(self, store_id: str) -> Store | None:
        """Return a store, or None if there is no such store."""
        return self._stores.get(store_id)

    def connector(self, store_id: str, kind: ConnectorKind) -> Connector | None:
        """Return the connector of a store for a kind of call; None if one of them does not exist."""
        store = self._stores.get(store_id)
        return store.connector_for(kind) if store else None

    def of_gate(self, gate: str) -> Store:
        """Return the store of a gate. Raises NotKnown if there is no such gate."""
        if gate not in self._by_gate:
            raise NotKnown("gate", gate, hint="name it in the gates of PUT /portal/stores/{storeId}")
        return self._stores[self._by_gate[gate]]

    def of_retailer(self, retailer: str) -> frozenset[str]:
        """Return the ids of a retailer's stores."""
        return frozenset(store.id for store in self._stores.values() if store.retailer == retailer)
