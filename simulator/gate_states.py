"""The state of each gate: its light, its lock, and its last decision. A restart keeps it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from jwo_toolkit.json_types import JsonObject
from simulator.reader_locks import ReaderLocks
from simulator.storage.key_values import KeyValueStore


class GateState(NamedTuple):
    """One gate after its last decision."""

    light: str
    unlocked_until: datetime
    decision: JsonObject


class GateStates:
    """The states of all gates that have decided; a gate that opened stays unlocked for `open_s` seconds."""

    def __init__(
        self,
        open_s: float,
        storage: KeyValueStore[GateState] | None = None,
        reader_locks: ReaderLocks | None = None,
    ) -> None:
        self._open_s = open_s
        self.reader_locks = reader_locks or ReaderLocks()
        self._storage = storage or KeyValueStore("gate", GateState)
        self._states = self._storage.all()

    def show(self, gate: str, light: str, decision: JsonObject, now: datetime) -> None:
        """Set the state of a gate after a decision."""
        until = now + timedelta(seconds=self._open_s if decision["opens"] else 0)
        self._states[gate] = GateState(light, until, decision)
        self._storage.put(gate, self._states[gate])

    def state(self, gate: str, now: datetime) -> JsonObject:
        """Return a gate's light, its lock, and its last decision with its time."""
        state = self._states.get(gate)
        unlocked = state is not None and now < state.unlocked_until
        return {
            "lock": "unlocked" if unlocked else "locked",
            "light": state.light if state else "off",
            "lastDecision": state.decision if state else None,
        }
