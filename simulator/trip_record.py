"""The data of a shopping trip: its auth events, its visitor, and the virtual cart."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from jwo_contract.values import format_instant, parse_instant
from jwo_toolkit.json_types import JsonObject
from simulator.carts import Cart


class ScanResult(NamedTuple):
    """The visitor, by the retailer's id and type."""

    id: str
    type: str


class AuthEvent(NamedTuple):
    """One person's entry, or a loyalty scan, for the cart's authEvents."""

    id: str
    at: datetime
    payload_type: Literal["SCAN_CODE", "FINANCIAL"]
    location: Literal["ENTRY", "MANUAL_IN_STORE"] = "ENTRY"
    scan: ScanResult | None = None

    def to_json(self) -> JsonObject:
        """Return the event as a member of `authEvents`."""
        event: JsonObject = {
            "id": self.id,
            "timestamp": format_instant(self.at),
            "location": self.location,
            "payloadType": self.payload_type,
        }
        return {**event, "scanResult": self.scan._asdict()} if self.scan else event

    @classmethod
    def from_json(cls, event: JsonObject) -> AuthEvent:
        """Read the result of `to_json`."""
        scan = ScanResult(**event["scanResult"]) if "scanResult" in event else None
        return cls(event["id"], parse_instant(event["timestamp"]), event["payloadType"], event["location"], scan)


@dataclass(slots=True)
class Trip:
    """One visit. It has no visitor if the gate opened by the store default decision, or for a card."""

    id: str
    store_id: str
    gate: str
    events: list[AuthEvent]
    visitor: ScanResult | None
    shopper_identity: str = ""
    authorized_amount: float | None = None
    loyalty: JsonObject | None = None
    cart: Cart = field(default_factory=Cart)
    ended_at: datetime | None = None

    @property
    def started_at(self) -> datetime:
        """Return when the first person of the trip came in."""
        return self.events[0].at
