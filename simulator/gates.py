"""The gates: a scan becomes an identity call, its answer a decision, and an open gate a shopping trip."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from contract.gate import decide
from contract.house import House
from contract.messages import message
from contract.operations import VERIFY_IDENTITY_KEYS
from contract.values import format_instant
from simulator.clock import Clock
from simulator.connector import ConnectorClient, Exchange
from simulator.entry.app_code import Scan, passes_pattern, scan_of_image
from simulator.entry.identity import Visitor, identity_message, outcome_of
from simulator.journal import Journal
from simulator.portal.stores import Store, Stores
from simulator.trips import Trips

Light = Literal["green", "red", "unreadable"]


class Decision(NamedTuple):
    """What the gate shows and does; `action` is the row of the gate table, or `not_called`."""

    opens: bool
    cause: str
    action: str
    light: Light
    elapsed_ms: int = 0
    auth_event_id: str | None = None
    visitor: Visitor | None = None


def _not_called(cause: str, light: Light = "red") -> Decision:
    return Decision(opens=False, cause=cause, action="not_called", light=light)


class Gates:
    """All gates of all stores."""

    def __init__(
        self,
        stores: Stores,
        client: ConnectorClient,
        trips: Trips,
        journal: Journal,
        *,
        house: House,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._stores = stores
        self._client = client
        self._trips = trips
        self._journal = journal
        self._house = house
        self._clock = clock
        self._new_id = new_id

    async def scan_image(self, gate: str, png: bytes) -> dict[str, Any]:
        """Take what the reader's camera sees; NotKnown when there is no such gate."""
        store = self._stores.of_gate(gate)
        scan = await asyncio.to_thread(scan_of_image, png)
        if scan is None:
            return self._end(store, gate, _not_called("unreadable", "unreadable"), None)
        return await self.scan(gate, scan)

    async def scan(self, gate: str, scan: Scan) -> dict[str, Any]:
        """Take a scanned code, decide, and start a trip when the gate opens."""
        store = self._stores.of_gate(gate)
        if not passes_pattern(scan, store.qr_pattern):
            return self._end(store, gate, _not_called("qr_pattern"), None)
        at = self._clock.now()
        request = identity_message(
            request_id=self._new_id(),
            event_id=self._new_id(),
            at=format_instant(at),
            identity_key=scan.identity_key,
            store_id=store.id,
        )
        if not message("verify_identity_keys.request", self._house).is_valid(request):
            return self._end(store, gate, _not_called("unsendable_key"), None)
        exchange = await self._client.call(VERIFY_IDENTITY_KEYS, store.connector, request, self._house.gate.timeout_s)
        decision = self._decide(store, request["authEvent"]["id"], exchange)
        trip_id = None
        if decision.opens:
            trip_id = self._trips.start(
                store_id=store.id, gate=gate, auth_event_id=request["authEvent"]["id"], at=at, visitor=decision.visitor
            ).id
        secrets = (scan.identity_key, scan.text or "")
        self._journal.add("exchange", {"gate": gate, "tripId": trip_id, **exchange.for_journal(secrets)})
        return self._end(store, gate, decision, trip_id)

    def _decide(self, store: Store, event_id: str, exchange: Exchange) -> Decision:
        outcome = outcome_of(exchange, self._house)
        opens, action, cause = decide(outcome.cause, store.store_default)
        light: Light = "green" if opens else "red"
        return Decision(opens, cause, str(action), light, exchange.elapsed_ms, event_id, outcome.visitor)

    def _end(self, store: Store, gate: str, decision: Decision, trip_id: str | None) -> dict[str, Any]:
        answer = {
            "gate": gate,
            "storeId": store.id,
            "light": decision.light,
            "opens": decision.opens,
            "cause": decision.cause,
            "action": decision.action,
            "elapsedMs": decision.elapsed_ms,
            "authEventId": decision.auth_event_id,
            "shoppingTripId": trip_id,
            "visitor": decision.visitor._asdict() if decision.visitor else None,
        }
        self._journal.add("gate_decision", {**answer, "tripId": trip_id})
        return answer
