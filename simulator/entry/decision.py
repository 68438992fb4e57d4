"""What a gate decides, and why: every way in ends in one of these."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

from simulator.portal.stores import Store
from simulator.trip_record import AuthEvent, ScanResult

Light = Literal["green", "red", "unreadable"]


class EntryAttempt(NamedTuple):
    """One attempt to enter a store: where, when, the ids that it gets, and the faults that were armed by its data."""

    store: Store
    gate: str
    event_id: str
    trip_id: str
    at: datetime
    faults: dict[str, float]


class Decision(NamedTuple):
    """What the gate shows and does; `action` is the row of the gate table, or `not_called`."""

    opens: bool
    cause: str
    action: str
    light: Light
    elapsed_ms: int = 0
    event: AuthEvent | None = None
    visitor: ScanResult | None = None
    """The connector's type of the visitor: SHOPPER, ASSOCIATE or CASH_SHOPPER."""
    shopper_identity: str = ""
    """The platform's id of the means of payment, for a card or a palm."""
    authorized_amount: float | None = None


def decided(*, opens: bool, cause: str, action: str, **more: Any) -> Decision:  # noqa: ANN401 - the members of Decision
    """Make a decision; the light follows from what the gate does."""
    return Decision(opens, cause, action, "green" if opens else "red")._replace(**more)


def not_called(cause: str, light: Light = "red", *, opens: bool = False) -> Decision:
    """Make a decision for which no connector was asked."""
    return Decision(opens=opens, cause=cause, action="not_called", light="green" if opens else light)
