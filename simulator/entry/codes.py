"""Entry by code, of the retailer's app or on a badge: the connector identifies the visitor."""

from __future__ import annotations

from jwo_contract.gate import decide
from jwo_contract.house import House
from jwo_contract.messages import message
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.values import format_instant
from simulator.connector import OutgoingRequest
from simulator.connector_calls import CallContext, ConnectorCalls
from simulator.entry.app_code import Scan, passes_pattern
from simulator.entry.decision import Decision, EntryAttempt, decided, not_called
from simulator.entry.identity import KeyChannel, identity_message, outcome_of
from simulator.seed import Seed
from simulator.trip_record import AuthEvent, ScanResult


class CodeReader:
    """Decides on codes by calls to the identity connector."""

    def __init__(self, calls: ConnectorCalls, house: House, seed: Seed) -> None:
        self._calls = calls
        self._house = house
        self._seed = seed

    async def read(
        self,
        attempt: EntryAttempt,
        scan: Scan,
        *,
        channel: KeyChannel = "OPTICAL",
        filtered: bool = True,
        assisted: bool = False,
    ) -> Decision:
        """Decide on one scan; if `filtered`, only a scan that matches the store's QR pattern goes to the connector."""
        store = attempt.store
        if filtered and not passes_pattern(scan, store.qr_pattern):
            return not_called("qr_pattern")
        request = identity_message(
            request_id=self._seed.id("request", attempt.event_id),
            event_id=attempt.event_id,
            at=format_instant(attempt.at),
            identity_key=scan.identity_key,
            store_id=store.id,
            key_channel=channel,
        )
        if not message("verify_identity_keys.request", self._house).is_valid(request):
            return not_called("unsendable_key")
        secrets = (scan.identity_key, scan.text or "")
        context = CallContext(store.id, attempt.gate, attempt.trip_id, faults=attempt.faults, secrets=secrets)
        connector, timeout_s = store.connector_for("identity"), self._house.gate.timeout_s
        outgoing = OutgoingRequest(VERIFY_IDENTITY_KEYS, connector, request, timeout_s)
        exchange, triggered = await self._calls.make(outgoing, context)
        outcome = outcome_of(exchange, self._house)
        opens, action, cause = decide(outcome.cause, store.store_default)
        self._calls.note(exchange, context if opens else context._replace(trip=""), triggered, cause=cause)
        scanned = self._to_scan_result(outcome.visitor)
        return decided(
            opens=opens,
            cause=cause,
            action=str(action),
            elapsed_ms=exchange.elapsed_ms,
            event=AuthEvent(
                attempt.event_id, attempt.at, "SCAN_CODE", "MANUAL_IN_STORE" if assisted else "ENTRY", scanned
            ),
            visitor=outcome.visitor,
            faults=tuple(sorted(triggered)),
        )

    def _to_scan_result(self, visitor: ScanResult | None) -> ScanResult | None:
        """Return the visitor as the scanResult of a cart, in which the type for cash has another name."""
        if visitor is None or visitor.type != "CASH_SHOPPER":
            return visitor
        return ScanResult(visitor.id, self._house.ordering.cash_type)
