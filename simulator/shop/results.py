"""The results of a day, counted from the entries of the journal and from the visits."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from jwo_contract.gate import ANSWER_WITHIN_S
from jwo_contract.house import DEFAULT, House
from jwo_contract.operations import RESOLVE_SCAN, SHOPPER_AUTHORIZATION, VERIFY_IDENTITY_KEYS
from jwo_contract.values import parse_instant
from jwo_toolkit.json_types import JsonObject
from simulator.entry.decision import ACCEPT
from simulator.journal import Entry
from simulator.shop.plan import Kind, Visit, Way

_Key = TypeVar("_Key", str, tuple[str, str, bool], "Decider")
BUDGET_MS = 2_000
CALLS: dict[str, str] = {
    "app": VERIFY_IDENTITY_KEYS.name,
    "badge": VERIFY_IDENTITY_KEYS.name,
    "card": SHOPPER_AUTHORIZATION.name,
    "palm": SHOPPER_AUTHORIZATION.name,
    "loyalty": RESOLVE_SCAN.name,
}
"""The call to the connector by way in."""
_CONNECTORS = {"retailer", "store_default"}
"""The parts that decide after a call to the connector."""


class Latency(NamedTuple):
    """The times of calls, in milliseconds."""

    calls: int
    p50: int
    p95: int
    p99: int
    worst: int
    over_budget: int


class Decider(NamedTuple):
    """The part that decided, the reason, and the result; the first two are empty for a way in without them."""

    strategy: str
    recommendation: str
    method: str
    decided_by: str
    cause: str
    opens: bool


def ranked(counts: Counter[_Key]) -> list[tuple[_Key, int]]:
    """List counts, the largest first; equal counts are in the order of their keys, so that two runs list them alike."""
    return sorted(counts.items(), key=lambda row: (-row[1], row[0]))


def reason(decider: Decider) -> str:
    """Return the cause of a decision, with the platform's recommendation if the decider overrode it."""
    advice, cause = decider.recommendation, decider.cause.replace("_", " ")
    has_advice = decider.strategy == "amazon_recommendation" and decider.decided_by == "retailer"
    if not has_advice or (advice == ACCEPT) == decider.opens:
        return cause
    return f"{cause}, against the platform's {'accept' if advice == ACCEPT else advice}"


class Judged(NamedTuple):
    """Visitors of the same kind; `admitted` is the plan's expectation."""

    way: Way
    kind: Kind
    admitted: bool | None


class Results:
    """Counts of a day; `receive` counts an entry of the journal, and `receive_visit` a visit at a gate."""

    def __init__(self, house: House = DEFAULT) -> None:
        self.gate_budget_s = min(ANSWER_WITHIN_S, house.gate.timeout_s)
        self.order_budget_s = house.ordering.answer_budget_s
        self.arrivals: Counter[int] = Counter()
        """By hour."""
        self.causes: Counter[tuple[str, str, bool]] = Counter()
        """Decisions by way in, cause, and whether the gate opened."""
        self.stores: Counter[tuple[str, bool]] = Counter()
        self.deciders: Counter[Decider] = Counter()
        self.visitors: Counter[tuple[str, bool]] = Counter()
        """Visits by a description of the visitor, and whether the gate opened."""
        self.answered: Counter[tuple[Judged, bool, str]] = Counter()
        """Answers of the connector without faults: whether it let the visitor in, and the cause."""
        self.late: Counter[str] = Counter()
        """Late answers of the connector without faults, by call."""
        self.joined = 0
        """Decisions on further people of groups."""
        self.gate_ms: Counter[int] = Counter()
        self.order_ms: Counter[int] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.attempts: Counter[str] = Counter()
        """By trip."""
        self.carts = 0
        self.empty_carts = 0
        self.lines = 0
        self.at: datetime | None = None

    def receive(self, entry: Entry) -> None:
        """Count an entry of the journal."""
        kind = entry["kind"]
        if kind == "gate_decision":
            self._decision(entry)
        elif kind == "exit" and entry["cartIsSent"]:
            self.carts += 1
            self.empty_carts += not entry["lines"]
            self.lines += entry["lines"]
        elif kind == "delivery":
            self.order_ms[entry["elapsedMs"]] += 1
            is_late = entry["elapsedMs"] > 1000 * self.order_budget_s
            self.late[entry["operation"]] += is_late and not entry.get("faults")
            self.outcomes[entry.get("outcome", "extra")] += 1
            self.attempts[entry["tripId"]] += 1

    def _decision(self, entry: Entry) -> None:
        self.at = parse_instant(entry["at"])
        method, cause, opens = entry["method"], entry["cause"], entry["opens"]
        if "joins" in entry:
            self.joined += 1
        else:
            self.arrivals[self.at.hour] += 1
            self.stores[(entry["storeId"], opens)] += 1
        self.causes[(method, cause, opens)] += 1
        strategy, advice = entry.get("strategy", ""), entry.get("recommendation", "")
        self.deciders[Decider(strategy, advice, method, entry["decidedBy"], cause, opens)] += 1
        if entry["action"] != "not_called":
            self.gate_ms[entry["elapsedMs"]] += 1
            is_late = entry["elapsedMs"] > 1000 * self.gate_budget_s or cause.startswith("timed_out")
            self.late[CALLS[method]] += is_late and not entry.get("faultsOfCalls")

    def receive_visit(self, visit: Visit, answer: JsonObject) -> None:
        """Count a visit by the answer of its gate, or by that to a loyalty card shown inside."""
        if "opens" not in answer:
            self.visitors[("loyalty card shown inside", answer["accepted"])] += 1
            return
        opens = answer["opens"]
        if answer["decidedBy"] in _CONNECTORS and "faultsOfCalls" not in answer:
            lets_in = opens and answer["decidedBy"] == "retailer"
            self.answered[(Judged(visit.way, visit.kind, visit.admitted), lets_in, answer["cause"])] += 1
        if "joins" not in answer:
            self.visitors.update((name, opens) for name in _descriptions(visit))

    @property
    def decisions(self) -> int:
        """Return the number of decisions on visits; those on further people of groups are in `joined`."""
        return sum(self.arrivals.values())

    @property
    def opened(self) -> int:
        """Return the number of visits for which a gate opened."""
        return sum(count for (_, opens), count in self.stores.items() if opens)

    def visitor_rows(self) -> list[tuple[str, int, int]]:
        """Return each description of visitors, with the number of visits and of those let in."""
        rows = [(name, self.visitors[(name, True)], self.visitors[(name, False)]) for name, _ in self.visitors]
        found = {(name, let_in + kept_out, let_in) for name, let_in, kept_out in rows}
        return sorted(found, key=lambda row: (-row[1], row[0]))

    def summary(self) -> dict[str, Any]:
        """Return the numbers as JSON."""
        return {
            "decisions": self.decisions,
            "opened": self.opened,
            "decisionsByCause": [
                {"method": method, "cause": cause, "opens": opens, "count": count}
                for (method, cause, opens), count in ranked(self.causes)
            ],
            "decisionsByDecider": [{**decider._asdict(), "count": count} for decider, count in ranked(self.deciders)],
            "visitors": [
                {"visitor": name, "visits": visits, "letIn": let_in} for name, visits, let_in in self.visitor_rows()
            ],
            "joined": self.joined,
            "arrivalsByHour": dict(sorted(self.arrivals.items())),
            "gateMs": latency(self.gate_ms)._asdict(),
            "orderMs": latency(self.order_ms)._asdict(),
            "carts": self.carts,
            "emptyCarts": self.empty_carts,
            "lines": self.lines,
            "deliveryAttempts": dict(ranked(self.outcomes)),
            "deliveriesByAttempts": dict(sorted(Counter(self.attempts.values()).items())),
        }


def _descriptions(visit: Visit) -> list[str]:
    """Return the descriptions of a visitor: the way in, and what else the day has of it."""
    found = [f"{visit.kind.replace('_', ' ')} with {_WITH[visit.way]}"]
    if visit.people > 1:
        found.append("group, one event for each person" if visit.joins else "group, one entry for all")
    if visit.returns:
        found.append("goods returned at the exit")
    if visit.comes_again:
        found.append("re-entry")
    return found


_WITH: dict[Way, str] = {
    "app": "the app",
    "badge": "a badge",
    "card": "a card",
    "palm": "a palm",
    "loyalty": "a loyalty card",
}


def latency(measured: Counter[int]) -> Latency:
    """Return the percentiles of times; `measured` has the number of calls for each millisecond."""
    count = sum(measured.values())
    if not count:
        return Latency(0, 0, 0, 0, 0, 0)
    found, seen, wanted = [], 0, [0.5, 0.95, 0.99]
    for ms, times in sorted(measured.items()):
        seen += times
        while wanted and seen >= wanted[0] * count:
            found.append(ms)
            wanted.pop(0)
    over = sum(times for ms, times in measured.items() if ms > BUDGET_MS)
    return Latency(count, found[0], found[1], found[2], max(measured), over)
