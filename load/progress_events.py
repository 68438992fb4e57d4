"""The events of `--progress`: the settings of the run, one event a second, and the verdict."""

from __future__ import annotations

from typing import Any

from jwo_toolkit.progress_lines import ProgressLines
from load.run import Progress
from load.settings import LoadOptions


class LoadEvents:
    """Writes the events of one run."""

    def __init__(self, lines: ProgressLines) -> None:
        self._lines = lines
        self._seconds = 0

    def started(self, options: LoadOptions) -> None:
        """Write `started`: what the run sends, and for how long."""
        members = {"scenario": options.scenario, "rate": options.rate, "durationS": options.duration_s}
        self._lines.write("started", {**members, "budgetMs": options.budget_s * 1000})

    def second(self, progress: Progress) -> None:
        """Write `second`: the counts so far, and the latencies of the answers since the last event."""
        self._seconds += 1
        members = {
            "atS": self._seconds,
            "started": progress.started,
            "answered": progress.answered,
            "late": progress.late,
            "failed": progress.failed,
            "missed": progress.missed,
            "lagMs": progress.lag_us / 1000,
            "p50Ms": progress.p50_ms,
            "p95Ms": progress.p95_ms,
            "p99Ms": progress.p99_ms,
            "maxMs": progress.max_ms,
        }
        self._lines.write("second", members)

    def ended(self, document: dict[str, Any]) -> None:
        """Write `ended`: the verdict with its reasons, and the figures of the whole run, as load.json has them."""
        verdict = document["verdict"]
        members = {"verdict": verdict["word"], "reasons": list(verdict["reasons"]), "counts": document["counts"]}
        self._lines.write("ended", {**members, "latencyMs": document["latency_ms"]["all"]})
