"""Merges the snapshots of all workers into the results of a run, without averaging.

It adds histograms cell by cell, and counts as integers. So four workers and one worker give equal results.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hdrh.histogram import HdrHistogram

from load.histogram import Tally, histogram, merged, percentile_ms
from load.recorder import GROUPS


@dataclass(frozen=True)
class Second:
    """One second of the run; the latencies are those of the requests scheduled in it."""

    at_s: int
    wanted: int
    started: int
    late: int
    failed: int
    lag_ms: float
    p50_ms: float | None
    p99_ms: float | None
    max_ms: float | None


@dataclass(frozen=True)
class Results:
    """Counts, findings and histograms of a whole run."""

    scheduled: int
    counts: Counter[str]
    findings: Counter[str]
    causes: Counter[str]
    missed: Counter[str]
    examples: dict[str, list[str]]
    histograms: dict[str, str]
    """Encoded HDR histograms in microseconds: scan and cart, each cold and warm; service, lag, read_delay."""
    seconds: list[Second]
    longest_ns: int
    workers_wanted: int
    workers_heard: int
    trouble: tuple[str, ...] = ()
    is_usage: bool = False
    """Whether the trouble is a usage error, which the user can fix."""
    asked_alone: int = 0  # requests that were sent alone, before and after the load
    cpu_share: float = 0.0
    """The busiest worker's share of its core."""
    keys: str = ""
    stale_keys: int = 0
    priority: str = ""

    def latency(self, *groups: str) -> HdrHistogram:
        """Return the latencies from the intended start, of the named groups or of all."""
        return merged(*(self.histograms[name] for name in groups or GROUPS))

    @property
    def late(self) -> int:
        """The number of requests without an answer within the budget."""
        return self.counts["late"]

    @property
    def started(self) -> int:
        """The number of sent requests."""
        return self.counts["started"]

    @property
    def lag_p99_ms(self) -> float:
        """The p99 of the generator's own lag, in milliseconds."""
        return percentile_ms(merged(self.histograms["lag"]), 99.0) or 0.0


@dataclass
class Merging:
    """Collects the workers' snapshots."""

    wanted_by_second: list[int]
    workers_wanted: int
    snapshots: list[dict[str, Any]] = field(default_factory=list)

    def results(self) -> Results:
        """Merge the snapshots so far."""
        some = self.snapshots
        findings = _sum(some, "findings")
        if twice := _shared_purchases([each.get("purchases", []) for each in some]):
            findings["cross-talk"] += twice
        names = {name for each in some for name in each["histograms"]}
        return Results(
            scheduled=sum(self.wanted_by_second),
            counts=_sum(some, "counts"),
            findings=findings,
            causes=_sum(some, "causes"),
            missed=_sum(some, "missed"),
            examples=_examples(some),
            histograms={name: str(_merged(some, name)) for name in (*GROUPS, "service", "lag", "read_delay", *names)},
            seconds=_seconds(some, self.wanted_by_second),
            longest_ns=max((each["longest_ns"] for each in some), default=0),
            workers_wanted=self.workers_wanted,
            workers_heard=len(some),
            trouble=tuple(dict.fromkeys(each["trouble"] for each in some if each.get("trouble"))),
            is_usage=any(each.get("is_usage") for each in some),
            asked_alone=sum(each.get("asked_alone", 0) for each in some),
            cpu_share=max((each.get("cpu_share", 0.0) for each in some), default=0.0),
            keys=next((each["keys"] for each in some if each.get("keys")), ""),
            priority=next((each["priority"] for each in some if each.get("priority")), ""),
            stale_keys=sum(each.get("stale_keys", 0) for each in some),
        )


def _sum(snapshots: Sequence[dict[str, Any]], name: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in snapshots:
        total.update(each[name])
    return total


def _merged(snapshots: Sequence[dict[str, Any]], name: str) -> str:
    together = merged(*(each["histograms"][name] for each in snapshots if name in each["histograms"]))
    return str(together.encode().decode())


def _examples(snapshots: Sequence[dict[str, Any]]) -> dict[str, list[str]]:
    together: dict[str, list[str]] = {}
    for each in snapshots:
        for finding, examples in each["examples"].items():
            together.setdefault(finding, []).extend(examples)
    return {finding: examples[:5] for finding, examples in together.items()}


def _shared_purchases(lists: Sequence[list[int]]) -> int:
    """Count the purchase ids that more than one worker received: workers share no trips."""
    counts = Counter(purchase for purchases in lists for purchase in set(purchases))
    return sum(1 for count in counts.values() if count > 1)


def _seconds(snapshots: Sequence[dict[str, Any]], wanted: list[int]) -> list[Second]:
    numbers = {int(second) for each in snapshots for second in each["seconds"]} | set(range(len(wanted)))
    return [_second(number, snapshots, wanted) for number in sorted(numbers) if number >= 0]


def _second(number: int, snapshots: Sequence[dict[str, Any]], wanted: list[int]) -> Second:
    rows = [each["seconds"][str(number)] for each in snapshots if str(number) in each["seconds"]]
    tally = Tally()
    for row in rows:
        for cell, count in row["latency"].items():
            tally[int(cell)] = tally.get(int(cell), 0) + count
    of = histogram(tally)
    return Second(
        at_s=number,
        wanted=wanted[number] if number < len(wanted) else 0,
        started=sum(row["started"] for row in rows),
        late=sum(row["late"] for row in rows),
        failed=sum(row["failed"] for row in rows),
        lag_ms=max((row["lag_us"] for row in rows), default=0) / 1000,
        p50_ms=percentile_ms(of, 50.0),
        p99_ms=percentile_ms(of, 99.0),
        max_ms=percentile_ms(of, 100.0),
    )
