"""The Merchant Portal's connectivity test: one call to the saved connector; it ignores unsaved values of the form.

For identity, the test sends Amazon's mock message: the event of the real portal's message, with the key and the store
id of the published sample. The event is older than the code in the key, so a connector that checks the age of codes
has no reason to refuse it. The event is the same in each test, so a connector that admits each code only once gives
the same answer again. The other calls send a sample of ours.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from jwo_contract.gate import NoAnswer
from jwo_contract.house import House
from jwo_contract.operations import (
    CREATE_PURCHASES,
    RESOLVE_SCAN,
    SHOPPER_AUTHORIZATION,
    VERIFY_IDENTITY_KEYS,
    Operation,
)
from jwo_contract.values import format_instant
from jwo_toolkit.json_types import JsonObject
from simulator.clock import Clock
from simulator.connector import Connector, ConnectorClient, Exchange, OutgoingRequest
from simulator.entry.identity import outcome_of
from simulator.errors import BadCall
from simulator.journal import Journal
from simulator.portal.explanations import Tested, explain
from simulator.portal.stores import CONNECTOR_KINDS, ConnectorKind, Store
from simulator.seed import Seed
from simulator.storage.key_values import KeyValueStore

MOCK_KEY = "SldPSU1BRzE4YmMwNTU0ZDA0NWE0OGIyOWFmYTllMmFhYWMxNGFl"
MOCK_STORE = "sample-store-id"
MOCK_EVENT_AT = "2008-11-05T06:00:00Z"
MOCK_EVENT_ID = "11111858-0000-1213-1111-5af1791e9211"
_OPERATIONS: dict[ConnectorKind, Operation] = {
    "identity": VERIFY_IDENTITY_KEYS,
    "loyalty": RESOLVE_SCAN,
    "ordering": CREATE_PURCHASES,
    "fraud_and_abuse": SHOPPER_AUTHORIZATION,
}


class Probe(NamedTuple):
    """The tester's own inputs; with a key and no store id, the message has the id of the tested store."""

    identity_key: str | None = None
    store_id: str | None = None
    sku: str = "SKU-001"


class ConnectorTested(NamedTuple):
    """The result of the newest test of a connector, and the connector that it called."""

    passed: bool
    connector: Connector
    result: JsonObject | None = None
    """The answer of that test, as the portal returned it."""


class ConnectivityTest:
    """Calls a saved connector once, reports the result, and keeps it."""

    def __init__(
        self,
        client: ConnectorClient,
        house: House,
        clock: Clock,
        seed: Seed,
        journal: Journal,
        storage: KeyValueStore[ConnectorTested],
    ) -> None:
        self._storage = storage
        self._results = storage.all()
        self._client = client
        self._house = house
        self._clock = clock
        self._seed = seed
        self._journal = journal
        self._runs = 0

    async def run(self, store: Store, probe: Probe, kind: ConnectorKind = "identity") -> JsonObject:
        """Return `passed`, `status`, `cause`, `meaning`, `fix` and more. Raises BadCall if no connector is saved."""
        connector = store.connector_for(kind)
        if connector is None:
            raise BadCall(
                f"store {store.id} has no {kind} connector", hint="save one with PUT /portal/stores/{storeId}"
            )
        self._runs += 1
        message = self._message(store, probe, kind)
        exchange = await self._client.send(
            OutgoingRequest(_OPERATIONS[kind], connector, message, self._house.gate.timeout_s)
        )
        secrets = (str(message.get("identityKey", "")),)
        self._journal.add_exchange("connectivity_test", {"storeId": store.id}, exchange, secrets)
        cause, expected = self._cause(kind, exchange), self._expected(kind)
        passed = cause in map(str, expected)
        with_sample = kind == "identity" and not (probe.identity_key or probe.store_id)
        test = Tested(_OPERATIONS[kind], connector, exchange, cause, passed, with_sample, message["storeId"])
        explained = explain(test, self._house)
        result = {
            "storeId": store.id,
            "connector": kind,
            "operation": exchange.operation,
            "testedEndpoint": connector.url,
            "sentStoreId": message["storeId"],
            "expected": expected[0],
            "status": exchange.status,
            "cause": cause,
            "passed": passed,
            "elapsedMs": exchange.elapsed_ms,
            "testedAt": format_instant(self._clock.now()),
            "meaning": explained.meaning,
            "fix": explained.fix,
            "breaches": list(explained.breaches),
            "problem": exchange.problem,
            **{name: exchange.for_journal(secrets)[name] for name in ("request", "response")},
        }
        self._keep(store, kind, ConnectorTested(passed, connector, result))
        return result

    def newest(self, store: Store) -> JsonObject:
        """Return, for each kind of connector, the status of its test and the result of the newest one."""
        found = {kind: self._results.get(_key(store, kind)) for kind in CONNECTOR_KINDS}
        return {
            kind: {"status": self.status(store, kind), "result": tested.result if tested else None}
            for kind, tested in found.items()
        }

    def status(self, store: Store, kind: ConnectorKind) -> Literal["Unknown", "Failed", "Success"]:
        """Return the result of the newest test; Unknown if the connector was never tested, or was changed since."""
        result = self._results.get(_key(store, kind))
        if result is None or result.connector != store.connector_for(kind):
            return "Unknown"
        return "Success" if result.passed else "Failed"

    def _keep(self, store: Store, kind: ConnectorKind, result: ConnectorTested) -> None:
        self._results[_key(store, kind)] = result
        self._storage.put(_key(store, kind), result)

    def _expected(self, kind: ConnectorKind) -> tuple[int, ...]:
        return self._house.suite.probe_ok if kind == "ordering" else (200,)

    def _cause(self, kind: ConnectorKind, exchange: Exchange) -> str:
        if kind == "identity":
            return str(outcome_of(exchange, self._house).cause)
        return str(exchange.failure or exchange.status or NoAnswer.NO_CONNECTION)

    def _message(self, store: Store, probe: Probe, kind: ConnectorKind) -> dict[str, Any]:
        store_id = probe.store_id or store.id
        request = {"requestId": self._id("request"), "storeId": store_id}
        now = format_instant(self._clock.now())
        if kind == "identity":
            return self._identity(store, probe)
        if kind == "ordering":
            event = {"id": MOCK_EVENT_ID, "timestamp": now, "location": "ENTRY", "payloadType": "SCAN_CODE"}
            trip = {"startTime": now, "endTime": now, "authEvents": [event]}
            item = {
                "id": probe.sku,
                "type": "SKU",
                "quantity": {"value": "1.0", "unit": "unit"},
                "lineItemId": "line-1",
            }
            trip_id = self._id("trip")
            return {**request, "idempotentShoppingTripId": trip_id, "shoppingTrip": trip, "cartItems": [item]}
        if kind == "loyalty":
            scan = {"id": MOCK_EVENT_ID, "timestamp": MOCK_EVENT_AT, "location": "ENTRY"}
            return {**request, "scanEvent": {**scan, "value": MOCK_KEY, "channel": "OPTICAL"}}
        return {"storeId": store_id, "shopperIdentity": {"id": "connectivity-test"}}

    def _identity(self, store: Store, probe: Probe) -> dict[str, Any]:
        own_store, event_id, event_at = MOCK_STORE, MOCK_EVENT_ID, MOCK_EVENT_AT
        if probe.identity_key:  # a key of the tester is tested as at a gate: a new event, now
            own_store, event_id, event_at = store.id, self._id("event"), format_instant(self._clock.now())
        return {
            "requestId": self._id("request"),
            "identityKey": probe.identity_key or MOCK_KEY,
            "storeId": probe.store_id or own_store,
            "authEvent": {
                "id": event_id,
                "timestamp": event_at,
                "location": "ENTRY",
            },
            "keyChannel": "OPTICAL",
        }

    def _id(self, what: str) -> str:
        return self._seed.id("connectivity", self._runs, what)


def _key(store: Store, kind: ConnectorKind) -> str:
    return f"{kind} {store.id}"
