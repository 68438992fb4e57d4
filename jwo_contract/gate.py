"""The gate table: what a gate does after a connector's answer, or if there is no answer.

Statuses 200, 400, 401, 429 and 500 are published (sample_store_app_entry); for everything else a house
rule applies: a connector failure leads to the store default decision.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple

StoreDefault = Literal["open", "closed"]

ANSWER_WITHIN_S = 2.0
"""Published: the time limit for the whole answer to Verify Identity Keys. A setting may shorten it, never extend it."""


class GateAction(StrEnum):
    """A row's decision."""

    OPEN = "open"
    STAY_CLOSED = "stay_closed"
    STORE_DEFAULT = "store_default"


class NoAnswer(StrEnum):
    """Why there is no usable answer."""

    TIMED_OUT = "timed_out"
    NO_CONNECTION = "no_connection"
    MALFORMED_ANSWER = "malformed_answer"


class GateDecision(NamedTuple):
    """Whether the gate opens, the row of the table that decides, and the cause: a status or a `NoAnswer` value."""

    opens: bool
    action: GateAction
    cause: str


_PUBLISHED = {
    200: GateAction.OPEN,
    400: GateAction.STAY_CLOSED,
    401: GateAction.STAY_CLOSED,
    429: GateAction.STAY_CLOSED,
    500: GateAction.STORE_DEFAULT,
}


def action_for(outcome: int | NoAnswer) -> GateAction:
    """Return the table's decision for the status of a valid answer, or for the reason why there is none."""
    if isinstance(outcome, NoAnswer):
        return GateAction.STORE_DEFAULT
    return _PUBLISHED.get(outcome, GateAction.STORE_DEFAULT)


def decide(outcome: int | NoAnswer, store_default: StoreDefault = "closed") -> GateDecision:
    """Decide for a store with the default decision `open` or `closed`."""
    action = action_for(outcome)
    opens = action is GateAction.OPEN or (action is GateAction.STORE_DEFAULT and store_default == "open")
    return GateDecision(opens, action, str(outcome))
