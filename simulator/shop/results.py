"""The results of a day, counted from the entries of the journal."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

from contract.values import parse_instant
from simulator.journal import Entry

_BUDGET_MS = 2_000


class Latency(NamedTuple):
    """The times of calls, in milliseconds."""

    calls: int
    p50: int
    p95: int
    p99: int
    worst: int
    over_budget: int


class Results:
    """Counts of a day; `receive` counts an entry of the journal."""

    def __init__(self) -> None:
        self.arrivals: Counter[int] = Counter()
        """By hour."""
        self.causes: Counter[tuple[str, str, bool]] = Counter()
        """Decisions by way in, cause, and whether the gate opened."""
        self.stores: Counter[tuple[str, bool]] = Counter()
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
        elif kind == "exit":
            self.carts += 1
            self.empty_carts += not entry["lines"]
            self.lines += entry["lines"]
        elif kind == "delivery":
            self.order_ms[entry["elapsedMs"]] += 1
            self.outcomes[entry.get("outcome", "extra")] += 1
            self.attempts[entry["tripId"]] += 1

    def _decision(self, entry: Entry) -> None:
        self.at = parse_instant(entry["at"])
        self.arrivals[self.at.hour] += 1
        self.causes[(entry["method"], entry["cause"], entry["opens"])] += 1
        self.stores[(entry["storeId"], entry["opens"])] += 1
        if entry["action"] != "not_called":
            self.gate_ms[entry["elapsedMs"]] += 1

    @property
    def decisions(self) -> int:
        """Return the number of decisions."""
        return sum(self.arrivals.values())

    @property
    def opened(self) -> int:
        """Return the number of decisions that opened a gate."""
        return sum(count for (_, opens), count in self.stores.items() if opens)

    def summary(self) -> dict[str, Any]:
        """Return the numbers as JSON."""
        return {
            "decisions": self.decisions,
            "opened": self.opened,
            "decisionsByCause": [
                {"method": method, "cause": cause, "opens": opens, "count": count}
                for (method, cause, opens), count in self.causes.most_common()
            ],
            "arrivalsByHour": dict(sorted(self.arrivals.items())),
            "gateMs": latency(self.gate_ms)._asdict(),
            "orderMs": latency(self.order_ms)._asdict(),
            "carts": self.carts,
            "emptyCarts": self.empty_carts,
            "lines": self.lines,
            "deliveryAttempts": dict(self.outcomes.most_common()),
            "deliveriesByAttempts": dict(sorted(Counter(self.attempts.values()).items())),
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
    over = sum(times for ms, times in measured.items() if ms > _BUDGET_MS)
    return Latency(count, found[0], found[1], found[2], max(measured), over)
