"""The gate table: what a gate does with a connector's answer, or without one.

Statuses 200, 400, 401, 429 and 500 are published (sample_store_app_entry); everything else is the house rule that a
connector failure follows the store default.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, NamedTuple

StoreDefault = Literal["open", "closed"]

ANSWER_WITHIN_S = 2.0
"""Published: the whole answer of Verify Identity Keys. A setting may ask for less, never allow more."""


class GateAction(StrEnum):
    """What the table says for an outcome."""

    OPEN = "open"
    STAY_CLOSED = "stay_closed"
    STORE_DEFAULT = "store_default"


class NoAnswer(StrEnum):
    """Why there is no answer to look at."""

    TIMED_OUT = "timed_out"
    NO_CONNECTION = "no_connection"
    MALFORMED_ANSWER = "malformed_answer"


class GateDecision(NamedTuple):
    """Whether the gate opens, by which row of the table, and the cause in one word or status."""

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
    """Look an outcome up: a status whose body was as it must be, or the reason why there is none."""
    if isinstance(outcome, NoAnswer):
        return GateAction.STORE_DEFAULT
    return _PUBLISHED.get(outcome, GateAction.STORE_DEFAULT)


def decide(outcome: int | NoAnswer, store_default: StoreDefault = "closed") -> GateDecision:
    """Decide for a store whose default is `open` or `closed`."""
    action = action_for(outcome)
    opens = action is GateAction.OPEN or (action is GateAction.STORE_DEFAULT and store_default == "open")
    return GateDecision(opens, action, str(outcome))
