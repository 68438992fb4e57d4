"""Counts the requests and answers of one worker. It counts every request, and rounds no value before counting.

`snapshot` returns all counts as plain values; `load.results` merges the snapshots of several workers.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from load.expectations import Finding
from load.histogram import Tally, encoded
from load.http_client.exchange import NEVER_LEFT, Exchange, NoAnswer

_MOST_EXAMPLES = 5
_SECOND_NS = 1_000_000_000
GROUPS = ("scan_cold", "scan_warm", "cart_cold", "cart_warm")
Row = dict[str, Any]


class Recorder:
    """Counts exchanges, and compares them with a budget. All times are nanoseconds after the start of the run."""

    def __init__(self, budget_ns: int, begins_ns: int) -> None:
        self._budget_ns = budget_ns
        self._begins_ns = begins_ns
        self.counts: Counter[str] = Counter()
        self.findings: Counter[str] = Counter()
        self.causes: Counter[str] = Counter()
        self.missed: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.tallies = {name: Tally() for name in (*GROUPS, "service", "lag", "read_delay")}
        self.seconds: dict[int, Row] = {}
        self.recent = Tally()
        """The latencies since the last report of progress."""
        self.longest_ns = 0

    def started(self, exchange: Exchange) -> None:
        """Count a sent request."""
        lag_us = exchange.lag_ns // 1000
        self.tallies["lag"].add(lag_us)
        self.counts["started"] += 1
        row = self._row(exchange.started_ns)
        row["started"] += 1
        row["lag_us"] = max(row["lag_us"], lag_us)

    def miss(self, cause: str, count: int = 1) -> None:
        """Count arrivals without a sent request."""
        self.missed[cause] += count

    def ended(self, exchange: Exchange, group: str, wrong: tuple[Finding, str] | None) -> None:
        """Count the result of a sent request, or undo the count of a request that could not be sent."""
        if exchange.failure in NEVER_LEFT:
            self._undo_start(exchange, exchange.failure)
            return
        row = self._row(exchange.intended_ns)
        latency_ns = exchange.latency_ns
        self.counts["cold" if exchange.cold else "warm"] += 1
        self.counts["resent"] += exchange.resent
        if exchange.failure is None:
            self.counts["answered"] += 1
            self.tallies["read_delay"].add(exchange.read_delay_ns // 1000)
        else:
            self._fail(row, exchange.failure)
        if exchange.failure in (None, NoAnswer.TIMED_OUT):
            self._time(exchange, group, row, latency_ns)
        if wrong:
            self._add_finding(row, *wrong)

    def _undo_start(self, exchange: Exchange, failure: NoAnswer) -> None:
        self.counts["started"] -= 1
        self._row(exchange.started_ns)["started"] -= 1
        self.miss(failure.value)

    def add_late_finding(self, finding: Finding, example: str, count: int) -> None:
        """Count a finding of the requests after the load, which belongs to no second of the run."""
        self._note(finding, example, count)

    def _time(self, exchange: Exchange, group: str, row: Row, latency_ns: int) -> None:
        latency_us = -(-latency_ns // 1000)
        self.tallies[f"{group}_{'cold' if exchange.cold else 'warm'}"].add(latency_us)
        self.tallies["service"].add((exchange.answered_ns - exchange.started_ns) // 1000)
        row["latency"].add(latency_us)
        self.recent.add(latency_us)
        self.longest_ns = max(self.longest_ns, latency_ns)
        if latency_ns > self._budget_ns:
            self._late(exchange, group, row, latency_ns)

    def _late(self, exchange: Exchange, group: str, row: Row, latency_ns: int) -> None:
        row["late"] += 1
        self.counts["late"] += 1
        self.counts[f"late_{group}s"] += 1
        if exchange.failure is None:
            self.counts["late_commits"] += group == "cart" and exchange.status in (200, 201)
            own_ns = exchange.lag_ns + exchange.read_delay_ns
            self.counts["in_doubt"] += latency_ns - own_ns <= self._budget_ns

    def _fail(self, row: Row, failure: NoAnswer) -> None:
        row["failed"] += 1
        self.counts["unanswered"] += 1
        self.causes[failure.value] += 1

    def _add_finding(self, row: Row, finding: Finding, example: str) -> None:
        row["failed"] += 1
        self._note(finding, example, 1)

    def _note(self, finding: Finding, example: str, count: int) -> None:
        self.findings[finding.value] += count
        cause = f"{finding.value}: {example.split(' to ', 1)[0]}" if finding is Finding.WRONG_CODE else finding.value
        self.causes[cause] += count
        examples = self.examples.setdefault(finding.value, [])
        if len(examples) < _MOST_EXAMPLES:
            examples.append(example)

    def _row(self, at_ns: int) -> Row:
        second = (at_ns - self._begins_ns) // _SECOND_NS
        row = self.seconds.get(second)
        if row is None:
            row = {"started": 0, "late": 0, "failed": 0, "lag_us": 0, "latency": Tally()}
            self.seconds[second] = row
        return row

    def take_recent(self) -> Tally:
        """Return the latencies since the last call, by microseconds, and forget them."""
        recent, self.recent = self.recent, Tally()
        return recent

    def snapshot(self) -> dict[str, Any]:
        """Return all counts as plain values."""
        return {
            "counts": dict(self.counts),
            "findings": dict(self.findings),
            "causes": dict(self.causes),
            "missed": dict(self.missed),
            "examples": self.examples,
            "longest_ns": self.longest_ns,
            "histograms": {name: encoded(tally) for name, tally in self.tallies.items()},
            "seconds": {
                str(second): {**row, "latency": {str(cell): count for cell, count in row["latency"].items()}}
                for second, row in self.seconds.items()
            },
        }
