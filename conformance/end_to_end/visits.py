"""Visits to a store of the simulated platform: people at gates, the delivery of their carts, and the journal of both.

Each case has gates of its own, so that its part of the journal holds no entry of another case.
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
from conformance.end_to_end.journal import is_call, to_exchange
from conformance.end_to_end.needs import case_ids
from conformance.errors import Blocked, Finding, HarnessBroke, NotDeclared
from conformance.platform_control import Decision, Delivery, Fault, PlatformControl
from conformance.requests import Requests
from conformance.run.recorder import Recorder
from jwo_contract.gate import NoAnswer
from jwo_contract.key_kinds import KeyKind
from jwo_contract.operations import CREATE_PURCHASES
from jwo_toolkit.json_types import JsonObject

GATES = 2
_TWICE = 2
_TRIES, _TRIES_WITH_RATE_LIMIT = 4, 12
_POLL_EVERY_S = 0.05
_SETTLE_TIMEOUT_S = 25.0
_USUAL_BUDGET_S = 5.0
"""With a longer budget for carts, their delivery may take longer in proportion."""
_HOPELESS_ATTEMPTS = 3
"""After this many useless answers in a row, the suite expects the connector to accept no later attempt."""
_USELESS = {"malformed_answer", "server_error"}
_FINAL = {"refused", *_USELESS}
"""Outcomes of the last attempt by which the connector itself has given up a cart, running and able to answer."""
_RATE_WINDOW_S = 1.1
"""One second, the window of a rate limit, and a margin."""
_TOO_MANY = "429"


@dataclass
class Visit:
    """The visit of one person: the gate's last decision, the state of the cart's delivery, and the exchanges."""

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
        """Return the id of the shopping trip; empty if the gate stayed closed."""
        return str(self.decision.get("shoppingTripId") or "")

    def answered(self, operation_name: str) -> list[Exchange]:
        """Return the answered exchanges of one operation, oldest first."""
        return [each for each in self.exchanges if each.operation.name == operation_name and each.answer]


def name_gates(store_id: str, case_id: str) -> list[str]:
    """Name the gates of a case in a store. Names are unique to the case and fit in a URL."""
    store = hashlib.sha256(store_id.encode()).hexdigest()[:10]
    return [f"{store}-{case_id}-{number}" for number in range(1, GATES + 1)]


class StoreDay:
    """The visits of one case to a store of the platform: it plays them, arms faults and reads the journal."""

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
        budget_s = CREATE_PURCHASES.answer_budget_s(requests.profile.house)
        self._settle_timeout_s = _SETTLE_TIMEOUT_S * max(1.0, budget_s / _USUAL_BUDGET_S)
        self.case_id = case_id
        self.store_id = store_id or requests.profile.store.id
        self.gates = name_gates(self.store_id, case_id)
        self.visits: list[Visit] = []
        self._armed: dict[str, Fault] = {}

    def in_store(self, store_id: str) -> StoreDay:
        """Return a day of the same case in another store."""
        return StoreDay(self._requests, self._recorder, self._connector, self._control, self.case_id, store_id)

    def open(self) -> None:
        """Set up the store at the platform, with the gates of all cases."""
        gates = [gate for case_id in case_ids() for gate in name_gates(self.store_id, case_id)]
        self._control.set_up_store(self.store_id, gates, self._requests.profile.connector)

    @contextmanager
    def recorded(self) -> Iterator[None]:
        """Read the journal into the report at the end of the block, even if the block raises."""
        try:
            yield
        finally:
            self.read_journal()

    def try_to_enter(self, label: str, kind: KeyKind = "shopper", gate: int = 0) -> Visit:
        """Let a person show a key at a gate, again after a late answer; return the visit with the gate's decision."""
        visit = Visit(label, self.gates[gate])
        self.visits.append(visit)
        self._show_keys(visit, kind)
        return visit

    def enter(self, label: str, kind: KeyKind = "shopper", gate: int = 0) -> Visit:
        """Let a person enter who must be let in. Raises Finding if the gate stays closed.

        Raises NotDeclared if another case judges the cause: a late answer, the declared rate, or, after the first case,
        a gate that opens for no person of this kind.
        """
        visit = self.try_to_enter(label, kind, gate)
        if not visit.is_in:
            cause = visit.decision["cause"].replace("_", " ")
            if visit.decision["cause"] == NoAnswer.TIMED_OUT:
                raise NotDeclared("the gate got no answer in time, which VIK-9 judges")
            if visit.decision["cause"] == _TOO_MANY and self._rate:
                raise NotDeclared("the gate stayed closed because other calls used up the declared rate")
            if self.case_id != case_ids()[0] and not self._lets_in(kind):
                raise NotDeclared(f"the gate opens for no {kind}: {cause}; {case_ids()[0]} judges this")
            raise Finding(f"the gate opens for the declared {kind}", f"it stays closed: {cause}")
        visitor = visit.decision.get("visitor")
        if kind == "shopper" and visitor and visitor["type"] == "ASSOCIATE":
            raise Blocked("VIK-1.1", "the connector answers the declared shopper as an associate, who has no cart")
        return visit

    def take(self, visit: Visit, quantity: int = 1) -> None:
        """Pick a quantity of the first declared item."""
        self._control.pick(visit.trip_id, self._requests.profile.catalog.skus[0], quantity)

    def leave(self, visit: Visit, *, paced: bool = True) -> None:
        """Leave the store; the platform then delivers the cart, `paced` within the declared rate."""
        if paced:
            self._connector.book(1)
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
        """Disarm a fault, so that it need not apply."""
        self._control.disarm(fault_id)
        del self._armed[fault_id]

    def check_faults_applied(self) -> None:
        """Raises HarnessBroke if an armed fault never applied, because the case then proves nothing."""
        if missed := sorted({self._armed[each].name for each in self._control.armed() & set(self._armed)}):
            raise HarnessBroke(f"the simulated platform never applied these armed faults: {', '.join(missed)}")

    def reserve_repeats(self, count: int) -> int:
        """Reserve rate for repetitions of one scan at the same moment, and return how many the declared rate allows."""
        limits = self._requests.profile.limits
        allowed = min(count, self._rate - 1, limits.burst) if self._rate else count
        if allowed < _TWICE and self._rate:
            raise NotDeclared(f"[limits] burst = {limits.burst} leaves no room for a scan and its repetition at once")
        return self._connector.book(allowed)

    def resend_first(
        self, visit: Visit, operation_name: str, is_wanted: Callable[[JsonObject], bool] = lambda _entry: True
    ) -> None:
        """Resend the first wanted call of a visit unchanged, and again if the connector's rate limit refuses it."""
        calls = [
            entry for entry in self._read_entries(visit) if is_call(entry) and entry["operation"] == operation_name
        ]
        first = next((entry["seq"] for entry in calls if is_wanted(entry)), None)
        if first is None:
            raise NotDeclared("the connector never answered the first attempt, which another case judges")
        for _ in range(_TRIES):
            self._connector.book(1)
            answer = self._control.resend(first)["response"]
            if answer is None:
                raise NotDeclared("the repetition got no answer, so there is nothing to compare")
            if not (self._rate and str(answer["status"]) == _TOO_MANY):
                return
            time.sleep(_RATE_WINDOW_S)
        raise NotDeclared(f"the connector refused the repetition {_TRIES} times because of the declared rate")

    def settle(self, visits: Sequence[Visit] = (), within_s: float = 0.0, *, redrive: bool = False) -> None:
        """Wait until the connector has accepted the carts, or one is lost, or `within_s` is over.

        0 is the usual time. With `redrive`, a cart is delivered again that the platform gave up because the connector
        did not answer; a cart that the connector refused for good is lost.
        """
        deadline = min(time.monotonic() + max(within_s, self._settle_timeout_s), self._connector.until)
        waiting = list(visits) or self.finished_visits()
        while waiting:
            for visit in waiting:
                visit.delivery = self._control.delivery(visit.trip_id)
                if redrive and visit.delivery["state"] == "dead_letter" and not is_refused(visit.delivery):
                    self._control.redrive(visit.trip_id)
            is_over = is_refused if redrive else is_lost
            if time.monotonic() > deadline or any(is_over(visit.delivery) for visit in waiting):
                break
            waiting = [visit for visit in waiting if visit.delivery["state"] != "delivered"]
            time.sleep(_POLL_EVERY_S if waiting else 0)
        self._connector.pause()

    def finished_visits(self) -> list[Visit]:
        """Return the visits that ended; each of them has a cart."""
        return [visit for visit in self.visits if visit.has_left]

    def count_attempts(self, visit: Visit) -> int:
        """Return how many times the platform sent a cart."""
        return len(self._control.delivery(visit.trip_id)["attempts"])

    def read_journal(self) -> None:
        """Read the journal of every visit, and add its calls to the report."""
        recorded: dict[int, Exchange] = {}
        secrets = frozenset(declared_secrets(self._requests.profile)) | {visit.key for visit in self.visits}
        for visit in self.visits:
            calls = {entry["seq"]: entry for entry in self._read_entries(visit) if is_call(entry)}
            found = {seq: to_exchange(entry, visit.label, secrets) for seq, entry in sorted(calls.items())}
            visit.exchanges = list(found.values())
            recorded |= found
        self._recorder.keep_all(recorded[seq] for seq in sorted(recorded))

    def _show_keys(self, visit: Visit, kind: KeyKind) -> None:
        """Show a key, and another one after a late answer or a 429 because of the declared rate."""
        for _ in range(_TRIES_WITH_RATE_LIMIT if self._rate else _TRIES):
            self._show_key(visit, kind)
            if visit.decision["cause"] not in {NoAnswer.TIMED_OUT, _TOO_MANY if self._rate else ""}:
                return
            time.sleep(_RATE_WINDOW_S if visit.decision["cause"] == _TOO_MANY else 0)

    def _show_key(self, visit: Visit, kind: KeyKind) -> None:
        self._connector.book(1)
        visit.key = self._requests.keys.unknown() if kind == "unknown" else self._requests.keys.take(kind)
        visit.decision = self._control.scan(visit.gate, visit.key)

    def _lets_in(self, kind: KeyKind) -> bool:
        """Say whether the gate opens for a person of this kind, without any fault."""
        control = Visit("", self.gates[-1])
        self._show_keys(control, kind)
        return control.is_in

    def _read_entries(self, visit: Visit) -> list[JsonObject]:
        """Return the journal's entries of a visit: by its trip, or by its authEvent if the gate stayed closed."""
        if visit.trip_id:
            return self._control.journal(trip=visit.trip_id)
        event_id = str(visit.decision.get("authEventId"))
        return [entry for entry in self._control.journal(gate=visit.gate) if _auth_event_id(entry) == event_id]


def _auth_event_id(entry: JsonObject) -> str:
    body: Any = entry.get("request", {}).get("body")
    event = body.get("authEvent") if isinstance(body, dict) else None
    return str(event.get("id")) if isinstance(event, dict) else ""


def is_lost(delivery: Delivery) -> bool:
    """Say whether the platform gave up a cart, or its last answers were all useless."""
    judged = [attempt["outcome"] for attempt in delivery["attempts"] if attempt["outcome"] != "rate_limited"]
    is_hopeless = len(judged) >= _HOPELESS_ATTEMPTS and set(judged[-_HOPELESS_ATTEMPTS:]) <= _USELESS
    return delivery["state"] == "dead_letter" or (delivery["state"] == "pending" and is_hopeless)


def is_refused(delivery: Delivery) -> bool:
    """Say whether the platform gave up a cart because of the connector's answer, and not because of the time."""
    return delivery["state"] == "dead_letter" and delivery["attempts"][-1]["outcome"] in _FINAL
