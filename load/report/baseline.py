"""The comparison with an earlier run: what grew, by which factor, and whether that is a finding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from load.errors import BadOptions
from load.histogram import merged, percentile_ms
from load.results import Results
from load.settings import LoadOptions

_MUST_MATCH = ("scenario", "rate", "duration_s", "budget_s")


def read(path: str) -> dict[str, Any]:
    """Read an earlier load.json; BadOptions when it is none."""
    try:
        earlier = json.loads(Path(path).read_text("utf-8"))
        is_ours = earlier["suite"]["name"] == "jwo-load"
        _ = (earlier["latency_ms"]["all"]["p99"], earlier["options"]["rate"], earlier["histograms"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadOptions(f"{path} is not the load.json of an earlier run ({error})", "see --out") from error
    if not is_ours:
        raise BadOptions(f"{path} is not the load.json of an earlier run", "see --out")
    return dict(earlier)


def compare(results: Results, options: LoadOptions) -> dict[str, Any] | None:
    """Return both runs' figures side by side; None without a baseline."""
    if not options.baseline:
        return None
    earlier = read(options.baseline_copy or options.baseline)
    then = merged(*(text for name, text in earlier["histograms"].items() if name.startswith(("scan_", "cart_"))))
    now = results.latency()
    rows = {
        f"p{percentile:g}": (percentile_ms(then, percentile), percentile_ms(now, percentile))
        for percentile in (50.0, 95.0, 99.0, 99.9)
    }
    mine = options.model_dump()
    return {
        "file": options.baseline,
        "differs_in": [name for name in _MUST_MATCH if earlier["options"].get(name) != mine[name]],
        "verdict": earlier["verdict"]["word"],
        "late": [earlier["counts"]["late"], results.late],
        "latency_ms": {name: {"then": a, "now": b, "factor": _factor(a, b)} for name, (a, b) in rows.items()},
    }


def slower(compared: dict[str, Any] | None, options: LoadOptions) -> str:
    """Say that p99 grew by more than is allowed; empty when it did not, or nothing is asked."""
    if not compared or not options.max_slowdown:
        return ""
    factor = compared["latency_ms"]["p99"]["factor"]
    if factor is None or factor <= 1 + options.max_slowdown:
        return ""
    return f"p99 is {factor:.2f} times that of the baseline, {1 + options.max_slowdown:.2f} are allowed"


def _factor(then: float | None, now: float | None) -> float | None:
    return round(now / then, 3) if then and now is not None else None
