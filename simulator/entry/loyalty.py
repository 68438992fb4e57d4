"""Resolve Scan and Get Scan Details: for a loyalty card at a gate, or at an associate's device inside the store."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any, Literal, NamedTuple

from jwo_contract.errors import MalformedBody
from jwo_contract.gate import GateAction, NoAnswer, decide
from jwo_contract.house import House
from jwo_contract.messages import message, parse_object
from jwo_contract.operations import GET_SCAN_DETAILS, RESOLVE_SCAN
from jwo_contract.values import format_instant
from simulator.connector import Exchange, OutgoingRequest
from simulator.connector_calls import CallContext, ConnectorCalls
from simulator.portal.stores import Store
from simulator.seed import Seed
from simulator.trip_record import ScanResult

Channel = Literal["OPTICAL", "CONTACT", "RADIO"]
_OK = 200


class Resolution(NamedTuple):
    """The result of a loyalty scan; `details` are the loyalty provider and promotions, if the connector sent them."""

    accepted: bool
    cause: str
    action: GateAction
    opens: bool
    elapsed_ms: int
    result: ScanResult | None = None
    details: dict[str, Any] | None = None
    faults: tuple[str, ...] = ()
    """The faults that applied to Resolve Scan."""


class LoyaltyReader:
    """Resolves loyalty scans."""

    def __init__(self, calls: ConnectorCalls, house: House, seed: Seed) -> None:
        self._calls = calls
        self._house = house
        self._seed = seed

    async def resolve(
        self, store: Store, context: CallContext, text: str, channel: Channel, *, event_id: str, at: datetime
    ) -> Resolution:
        """Call Resolve Scan, and Get Scan Details if the connector accepts the scan."""
        connector = store.connector_for("loyalty")
        request = self._message(store.id, text, channel, event_id, at)
        secrets = context._replace(secrets=(text, *_texts(request["scanEvent"])))
        outgoing = OutgoingRequest(RESOLVE_SCAN, connector, request, self._house.gate.timeout_s)
        exchange, triggered = await self._calls.make(outgoing, secrets)
        self._calls.note(exchange, secrets, triggered)
        outcome, result = self._outcome(exchange)
        if outcome == _OK:
            action, opens = (GateAction.OPEN, True) if result else (GateAction.STAY_CLOSED, False)
            cause = "accepted" if result else "rejected"
        else:
            opens, action, cause = decide(outcome, store.store_default)
        details = await self._details(store, secrets._replace(faults={}), result) if result else None
        faults = tuple(sorted(triggered))
        return Resolution(result is not None, cause, action, opens, exchange.elapsed_ms, result, details, faults)

    async def _details(self, store: Store, context: CallContext, result: ScanResult) -> dict[str, Any] | None:
        request = {"storeId": store.id, "scanResult": result._asdict()}
        connector, timeout_s = store.connector_for("loyalty"), self._house.gate.timeout_s
        outgoing = OutgoingRequest(GET_SCAN_DETAILS, connector, request, timeout_s)
        exchange, triggered = await self._calls.make(outgoing, context)
        self._calls.note(exchange, context, triggered)
        answer = _object(exchange)
        is_valid = answer is not None and message("get_scan_details.response", self._house).is_valid(answer)
        return answer if exchange.status == _OK and is_valid else None

    def _outcome(self, exchange: Exchange) -> tuple[int | NoAnswer, ScanResult | None]:
        if exchange.failure is not None or exchange.status != _OK:
            return exchange.failure or exchange.status or NoAnswer.NO_CONNECTION, None
        answer = _object(exchange)
        if answer is None or not message("resolve_scan.response", self._house).is_valid(answer):
            return NoAnswer.MALFORMED_ANSWER, None
        result = answer.get("scanResult", answer)
        accepted = answer.get("resolution", answer.get("action")) == "ACCEPT"
        return _OK, ScanResult(result["id"], result["type"]) if accepted else None

    def _message(self, store_id: str, text: str, channel: Channel, event_id: str, at: datetime) -> dict[str, Any]:
        rules = self._house.resolve_scan
        encoded = base64.b64encode(text.encode()).decode()
        event: dict[str, Any] = {"id": event_id, "timestamp": format_instant(at), "location": "ENTRY"}
        if rules.profile == "faq":
            event |= {"id": f"{encoded} ", "channel": channel}
        else:
            event |= {"value": encoded if channel in rules.value_base64 else text, "channel": channel}
        return {"requestId": self._seed.id("request", event_id), "storeId": store_id, "scanEvent": event}


def _texts(event: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(event[name]).strip() for name in ("value",) if name in event)


def _object(exchange: Exchange) -> dict[str, Any] | None:
    try:
        return parse_object(exchange.body)
    except MalformedBody:
        return None
