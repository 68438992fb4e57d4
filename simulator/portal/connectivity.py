"""The portal's connectivity test: one identity call to the saved connector, which must answer 200.

What it sends is taken to be Amazon's mock sample: its key, its store id, and an event of 2008. The event is older than
the code in the key, so that a connector which checks the age of codes still has no reason to refuse.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from contract.house import House
from contract.operations import VERIFY_IDENTITY_KEYS
from contract.values import format_instant
from simulator.clock import Clock
from simulator.connector import ConnectorClient
from simulator.entry.identity import outcome_of
from simulator.errors import BadCall
from simulator.journal import Journal
from simulator.portal.stores import Store

MOCK_KEY = "SldPSU1BRzE4YmMwNTU0ZDA0NWE0OGIyOWFmYTllMmFhYWMxNGFl"
MOCK_STORE = "sample-store-id"
MOCK_EVENT_AT = "2008-01-01T00:00:00Z"
_EXPECTED = 200


class Probe(NamedTuple):
    """The tester's own inputs; with a key and no store id the store under test is named."""

    identity_key: str | None = None
    store_id: str | None = None


class ConnectivityTest:
    """Calls a saved connector once and reports."""

    def __init__(
        self, client: ConnectorClient, house: House, clock: Clock, new_id: Callable[[], str], journal: Journal
    ) -> None:
        self._client = client
        self._house = house
        self._clock = clock
        self._new_id = new_id
        self._journal = journal

    async def run(self, store: Store, probe: Probe) -> dict[str, Any]:
        """Return `passed`, `status`, `cause`, `elapsedMs`; BadCall when the store has no saved connector."""
        if store.connector is None:
            raise BadCall(f"store {store.id} has no connector", hint="save one with PUT /portal/stores/{storeId}")
        message = self._message(store, probe)
        exchange = await self._client.call(VERIFY_IDENTITY_KEYS, store.connector, message, self._house.gate.timeout_s)
        self._journal.add("connectivity_test", {"storeId": store.id, **exchange.for_journal((message["identityKey"],))})
        cause = str(outcome_of(exchange, self._house).cause)
        return {
            "storeId": store.id,
            "operation": exchange.operation,
            "sentStoreId": message["storeId"],
            "expected": _EXPECTED,
            "status": exchange.status,
            "cause": cause,
            "passed": cause == str(_EXPECTED),
            "elapsedMs": exchange.elapsed_ms,
        }

    def _message(self, store: Store, probe: Probe) -> dict[str, Any]:
        own_store = store.id if probe.identity_key else MOCK_STORE
        return {
            "requestId": self._new_id(),
            "identityKey": probe.identity_key or MOCK_KEY,
            "storeId": probe.store_id or own_store,
            "authEvent": {
                "id": self._new_id(),
                "timestamp": format_instant(self._clock.now()) if probe.identity_key else MOCK_EVENT_AT,
                "location": "ENTRY",
            },
            "keyChannel": "OPTICAL",
        }
