"""What each gate shows: its light, until when it is unlocked, and its last decision; remembered over a restart."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from jwo_toolkit.json_types import JsonObject
from simulator.memory import Facts


class GateState(NamedTuple):
    """One gate after its last decision."""

    light: str
    unlocked_until: datetime
    decision: JsonObject


class Lights:
    """All gates that have decided; a gate that let somebody in stays unlocked for `open_s` seconds."""

    def __init__(self, open_s: float, facts: Facts[GateState] | None = None) -> None:
        self._open_s = open_s
        self._facts = facts or Facts("gate", GateState)
        self._states = self._facts.all()

    def show(self, gate: str, light: str, decision: JsonObject, now: datetime) -> None:
        """Show a decision of a gate from now on."""
        until = now + timedelta(seconds=self._open_s if decision["opens"] else 0)
        self._states[gate] = GateState(light, until, decision)
        self._facts.keep(gate, self._states[gate])

    def state(self, gate: str, now: datetime) -> JsonObject:
        """Tell a gate's light, its lock, and its last decision with its time."""
        state = self._states.get(gate)
        unlocked = state is not None and now < state.unlocked_until
        return {
            "lock": "unlocked" if unlocked else "locked",
            "light": state.light if state else "off",
            "lastDecision": state.decision if state else None,
        }
