"""Visits to a store of the simulated platform: people at gates, carts on their way, and what the journal says of both.

A day has gates of its own, so that nothing of another case shows up in its part of the journal.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient, declared_secrets
from conformance.end_to_end.journal import exchange_of, is_call
from conformance.end_to_end.needs import case_ids
from conformance.errors import Finding, HarnessBroke, NotDeclared
from conformance.platform_control import Decision, Delivery, Fault, PlatformControl
from conformance.requests import Requests
from conformance.run.recorder import Recorder
from contract.gate import NoAnswer
from contract.operations import CREATE_PURCHASES
from contract.profile import KeyKind
from jwo_toolkit.json_types import JsonObject

GATES = 2
_TRIES, _TRIES_AT_A_LIMIT = 4, 12
_LOOK_EVERY_S = 0.05
_SETTLED_WITHIN_S = 25.0
_WASTED = 3
"""So many answers that take nothing over, one after the other, and no further one will."""
_USELESS = {"malformed_answer", "server_error"}
_TAKEN_S = 1.1
"""A window of a rate limit, and a little more."""
_TOO_MANY = "429"


@dataclass
class Visit:
    """One person's way through the store; `decision` is the gate's last one, `delivery` how the cart ended."""

    label: str
    gate: str
    key: str = ""
    decision: Decision = field(default_factory=Decision)
    has_left: bool = False
    delivery: Delivery = field(default_factory=Delivery)
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def is_in(self) -> bool:
        """Say whether the gate opened."""
        return bool(self.decision.get("opens"))

    @property
    def trip_id(self) -> str:
        """Return the shopping trip; empty for somebody who was kept out."""
        return str(self.decision.get("shoppingTripId") or "")

    def of(self, operation_name: str) -> list[Exchange]:
        """Return its exchanges of one call that were answered, oldest first."""
        return [each for each in self.exchanges if each.operation.name == operation_name and each.answer]


def gates_of(store_id: str, case_id: str) -> list[str]:
    """Name the gates of a case in a store: no two cases share one, and a name can stand in an address."""
    store = hashlib.sha256(store_id.encode()).hexdigest()[:10]
    return [f"{store}-{case_id}-{number}" for number in range(1, GATES + 1)]


class StoreDay:
    """What one case lets happen at the platform."""

    def __init__(
        self,
        requests: Requests,
        recorder: Recorder,
        connector: ConnectorClient,
        control: PlatformControl,
        case_id: str,
        store_id: str = "",
    ) -> None:
        self._requests = requests
        self._recorder = recorder
        self._connector = connector
        self._control = control
        self._rate = requests.profile.limits.rate_limit_per_second
        self.case_id = case_id
        self.store_id = store_id or requests.profile.store.id
        self.gates = gates_of(self.store_id, case_id)
        self.visits: list[Visit] = []
        self._armed: dict[str, Fault] = {}

    def elsewhere(self, store_id: str) -> StoreDay:
        """Return the same day in another store."""
        return StoreDay(self._requests, self._recorder, self._connector, self._control, self.case_id, store_id)

    def open(self) -> None:
        """Set the store up at the platform, with the gates of all cases."""
        gates = [gate for case_id in case_ids() for gate in gates_of(self.store_id, case_id)]
        self._control.set_up_store(self.store_id, gates, self._requests.profile.connector)

    @contextmanager
    def told(self) -> Iterator[None]:
        """Hand what the journal says of this day over to the report, whatever becomes of the block."""
        try:
            yield
        finally:
            self.read()

    def come(self, label: str, kind: KeyKind = "shopper", gate: int = 0) -> Visit:
        """Let somebody show a key at a gate, again where no answer came in time; returns what the gate did."""
        visit = Visit(label, self.gates[gate])
        self.visits.append(visit)
        self._show_keys(visit, kind)
        return visit

    def enter(self, label: str, kind: KeyKind = "shopper", gate: int = 0) -> Visit:
        """Let somebody in who must be let in; a Finding when the gate stays closed.

        Lateness is judged by a case of its own. Where the gate stays closed for anybody, only the first case says so.
        """
        visit = self.come(label, kind, gate)
        if not visit.is_in:
            cause = visit.decision["cause"].replace("_", " ")
            if visit.decision["cause"] == NoAnswer.TIMED_OUT:
                raise NotDeclared("the gate had no answer in time, which is judged by VIK-9")
            if visit.decision["cause"] == _TOO_MANY and self._rate:
                raise NotDeclared("the gate stayed closed for the declared rate, which other calls used up")
            if self.case_id != case_ids()[0] and not self._lets_in(kind):
                raise NotDeclared(f"the gate opens for no {kind}: {cause}; that is judged by {case_ids()[0]}")
            raise Finding(f"the gate opens for the declared {kind}", f"it stays closed: {cause}")
        return visit

    def take(self, visit: Visit, quantity: int = 1) -> None:
        """Take some of the first declared item."""
        self._control.pick(visit.trip_id, self._requests.profile.catalog.skus[0], quantity)

    def leave(self, visit: Visit) -> None:
        """Walk out; the platform delivers the cart from now on."""
        self._control.leave(visit.trip_id)
        visit.has_left = True

    def arm_gate(self, fault: Fault, gate: int = 0) -> None:
        """Arm a fault for the scans at a gate."""
        self._armed[self._control.arm(fault, gate=self.gates[gate])] = fault

    def arm(self, fault: Fault, visit: Visit) -> str:
        """Arm a fault for the cart of a visit, and return its id."""
        fault_id = self._control.arm(fault, trip=visit.trip_id, operation=CREATE_PURCHASES.name)
        self._armed[fault_id] = fault
        return fault_id

    def disarm(self, fault_id: str) -> None:
        """Take a fault back."""
        self._control.disarm(fault_id)
        del self._armed[fault_id]

    def needs_all_struck(self) -> None:
        """Make sure that every fault struck that was to: without it nothing is proven. HarnessBroke otherwise."""
        if missed := sorted({self._armed[each].name for each in self._control.armed() & set(self._armed)}):
            raise HarnessBroke(f"the simulated platform never let happen what was armed: {', '.join(missed)}")

    def repeats(self, wanted: int) -> int:
        """Make room for repetitions of one scan at the same moment, and return how many the declared rate allows."""
        allowed = min(wanted, self._rate - 1) if self._rate else wanted
        if not allowed:
            raise NotDeclared("[limits] rate_limit_per_second leaves no room for a scan and its repetition")
        return self._connector.book(allowed)

    def again(
        self, visit: Visit, operation_name: str, wanted: Callable[[JsonObject], bool] = lambda _entry: True
    ) -> None:
        """Let the first call of a visit that is wanted arrive once more, as it was; again where that is too often."""
        calls = [entry for entry in self._entries(visit) if is_call(entry) and entry["operation"] == operation_name]
        first = next((entry["seq"] for entry in calls if wanted(entry)), None)
        if first is None:
            raise NotDeclared("the first attempt was never answered, which another case judges")
        for _ in range(_TRIES):
            self._connector.book(1)
            answer = self._control.resend(first)["response"]
            if answer is None:
                raise NotDeclared("the repetition had no answer, so nothing can be compared")
            if not (self._rate and str(answer["status"]) == _TOO_MANY):
                return
            time.sleep(_TAKEN_S)
        raise NotDeclared(f"the repetition was refused {_TRIES} times for the declared rate")

    def settle(
        self, visits: Sequence[Visit] = (), within_s: float = _SETTLED_WITHIN_S, *, redrive: bool = False
    ) -> None:
        """Wait until the carts are taken; no longer once it is sure that one never will be."""
        deadline, waiting = time.monotonic() + within_s, list(visits) or self.left()
        while waiting:
            for visit in waiting:
                visit.delivery = self._control.delivery(visit.trip_id)
                if redrive and visit.delivery["state"] == "dead_letter":
                    self._control.redrive(visit.trip_id)
            if time.monotonic() > deadline or any(is_lost(visit.delivery) and not redrive for visit in waiting):
                return
            waiting = [visit for visit in waiting if visit.delivery["state"] != "delivered"]
            time.sleep(_LOOK_EVERY_S if waiting else 0)

    def left(self) -> list[Visit]:
        """Return the visits that ended, each of which has a cart."""
        return [visit for visit in self.visits if visit.has_left]

    def attempts(self, visit: Visit) -> int:
        """Return how often a cart was sent."""
        return len(self._control.delivery(visit.trip_id)["attempts"])

    def read(self) -> None:
        """Read the journal of every visit, and keep its calls for the report."""
        kept: dict[int, Exchange] = {}
        secrets = frozenset(declared_secrets(self._requests.profile)) | {visit.key for visit in self.visits}
        for visit in self.visits:
            calls = {entry["seq"]: entry for entry in self._entries(visit) if is_call(entry)}
            found = {seq: exchange_of(entry, visit.label, secrets) for seq, entry in sorted(calls.items())}
            visit.exchanges = list(found.values())
            kept |= found
        self._recorder.keep_all(kept[seq] for seq in sorted(kept))

    def _show_keys(self, visit: Visit, kind: KeyKind) -> None:
        """Show a key, and another one where no answer came in time or the declared rate was used up."""
        for _ in range(_TRIES_AT_A_LIMIT if self._rate else _TRIES):
            self._show_key(visit, kind)
            if visit.decision["cause"] not in {NoAnswer.TIMED_OUT, _TOO_MANY if self._rate else ""}:
                return
            time.sleep(_TAKEN_S if visit.decision["cause"] == _TOO_MANY else 0)

    def _show_key(self, visit: Visit, kind: KeyKind) -> None:
        self._connector.book(1)
        visit.key = self._requests.keys.unknown() if kind == "unknown" else self._requests.keys.take(kind)
        visit.decision = self._control.scan(visit.gate, visit.key)

    def _lets_in(self, kind: KeyKind) -> bool:
        """Say whether the gate opens when nothing special happens."""
        control = Visit("", self.gates[-1])
        self._show_keys(control, kind)
        return control.is_in

    def _entries(self, visit: Visit) -> list[JsonObject]:
        """Return what the journal says of a visit; of somebody who was kept out, by the event at the gate."""
        if visit.trip_id:
            return self._control.journal(trip=visit.trip_id)
        return [entry for entry in self._control.journal(gate=visit.gate) if _event(entry) == self._event_of(visit)]

    @staticmethod
    def _event_of(visit: Visit) -> str:
        return str(visit.decision.get("authEventId"))


def _event(entry: JsonObject) -> str:
    body: Any = entry.get("request", {}).get("body")
    event = body.get("authEvent") if isinstance(body, dict) else None
    return str(event.get("id")) if isinstance(event, dict) else ""


def is_lost(delivery: Delivery) -> bool:
    """Say whether a cart was given up, or answered in vain so often that nothing will come of it."""
    judged = [attempt["outcome"] for attempt in delivery["attempts"] if attempt["outcome"] != "rate_limited"]
    in_vain = len(judged) >= _WASTED and set(judged[-_WASTED:]) <= _USELESS
    return delivery["state"] == "dead_letter" or (delivery["state"] == "pending" and in_vain)
