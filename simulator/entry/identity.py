"""Verify Identity Keys: the gate's request, and the classification of the answer."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from jwo_contract.errors import MalformedBody
from jwo_contract.gate import NoAnswer
from jwo_contract.house import House
from jwo_contract.messages import message, parse_object
from simulator.connector import Exchange
from simulator.trip_record import ScanResult

KeyChannel = Literal["OPTICAL", "CONTACT", "RADIO"]
BadgeChannel = Literal["CONTACT", "RADIO"]
"""How a badge reader reads."""
_ACCEPTED = 200


class Outcome(NamedTuple):
    """The row of the gate table, and the visitor if the connector accepted the key."""

    cause: int | NoAnswer
    visitor: ScanResult | None = None


def identity_message(
    *, request_id: str, event_id: str, at: str, identity_key: str, store_id: str, key_channel: KeyChannel = "OPTICAL"
) -> dict[str, Any]:
    """Make the request; `at` is the time of the scan in whole seconds with Z."""
    return {
        "requestId": request_id,
        "identityKey": identity_key,
        "storeId": store_id,
        "authEvent": {"id": event_id, "timestamp": at, "location": "ENTRY"},
        "keyChannel": key_channel,
    }


def outcome_of(exchange: Exchange, house: House) -> Outcome:
    """Classify an exchange; a 200 with a body that violates its schema is a malformed answer."""
    if exchange.failure is not None or exchange.status is None:
        return Outcome(exchange.failure or NoAnswer.NO_CONNECTION)
    if exchange.status != _ACCEPTED:
        return Outcome(exchange.status)
    try:
        answer = parse_object(exchange.body)
    except MalformedBody:
        return Outcome(NoAnswer.MALFORMED_ANSWER)
    if not message("verify_identity_keys.response", house).is_valid(answer):
        return Outcome(NoAnswer.MALFORMED_ANSWER)
    details = answer["visitorDetails"]
    return Outcome(_ACCEPTED, ScanResult(details["id"], details["type"]))
