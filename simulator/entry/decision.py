"""The decision of a gate and its cause; every way into a store ends in a Decision."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

from simulator.portal.stores import Store
from simulator.trip_record import AuthEvent, ScanResult

Light = Literal["green", "red", "unreadable"]
Decider = Literal["gate", "reader", "platform", "retailer", "store_default"]
READER, ACCEPT = "reader", "accept"
"""The beginning of the cause when the card reader decides, and the platform's recommendation without a risk."""


class EntryAttempt(NamedTuple):
    """One attempt to enter a store: its place, its time, its ids, and the faults that its data arms."""

    store: Store
    gate: str
    event_id: str
    trip_id: str
    at: datetime
    faults: dict[str, float]


class Decision(NamedTuple):
    """The decision of a gate; `action` is the row of the gate table, or `not_called`."""

    opens: bool
    cause: str
    action: str
    light: Light
    elapsed_ms: int = 0
    event: AuthEvent | None = None
    visitor: ScanResult | None = None
    """The visitor by the connector's answer: SHOPPER, ASSOCIATE or CASH_SHOPPER."""
    shopper_identity: str = ""
    """The platform's id of the card or palm; empty for other ways in."""
    authorized_amount: float | None = None
    recommendation: str = ""
    """The platform's opinion of a card or palm, `accept` or its risks; empty for other ways in."""
    channel: str = ""
    """The keyChannel of a badge; empty for other ways in."""
    faults: tuple[str, ...] = ()
    """The faults that applied to the calls. The connector is not to blame for their effects."""


def decided_by(cause: str, action: str) -> Decider:
    """Return the part that made a decision, from its cause and its action."""
    if action == "not_called":
        return _NOT_CALLED.get(cause.partition(":")[0], "gate")
    if action == "store_default":
        return "platform" if cause.endswith(":recommendation") else "store_default"
    return "retailer"


_NOT_CALLED: dict[str, Decider] = {
    READER: "reader",
    "no_strategy": "reader",
    "amazon_managed": "platform",
    "risk": "platform",
}
"""By the first word of the cause. Every other decision without a call is the gate's own."""


def decided(*, opens: bool, cause: str, action: str, **more: Any) -> Decision:  # noqa: ANN401 - the members of Decision
    """Make a decision with a green light if the gate opens, and a red one if not."""
    return Decision(opens, cause, action, "green" if opens else "red")._replace(**more)


def not_called(cause: str, light: Light = "red", *, opens: bool = False) -> Decision:
    """Make a decision without a call to a connector."""
    return Decision(opens=opens, cause=cause, action="not_called", light="green" if opens else light)
