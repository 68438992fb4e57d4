"""The comparison with an earlier run: what grew, by which factor, and whether that is a finding.

`read` and `check` come before a run: a file that cannot be compared with must not cost one.
"""

from __future__ import annotations

import json
import math
import zlib
from pathlib import Path
from typing import Any

from hdrh.codec import HdrCookieException, HdrHistogramSettingsException, HdrLengthException
from hdrh.histogram import HdrHistogram

from load.errors import BadOptions
from load.histogram import merged, percentile_ms
from load.results import Results
from load.settings import LoadOptions

_SHOWN = ("rate", "duration_s", "budget_s")
_UNREADABLE = (zlib.error, HdrCookieException, HdrHistogramSettingsException, HdrLengthException)
_PERCENTILES = (50.0, 95.0, 99.0, 99.9)
Document = dict[str, Any]


def read(path: str) -> Document:
    """Read an earlier load.json. Raises BadOptions if the file is not one, or is damaged."""
    try:
        earlier = json.loads(Path(path).read_text("utf-8"))
        is_ours = earlier["suite"]["name"] == "jwo-load"
        _ = (str(earlier["scenario"]["name"]), str(earlier["verdict"]["word"]), int(earlier["counts"]["late"]))
        _ = [float(earlier["options"][name]) for name in _SHOWN], float(earlier.get("knee_per_s", 0.0))
        _ = _latencies(earlier)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadOptions(f"{path} is not the load.json of an earlier run ({error!r})", "see --out") from error
    except _UNREADABLE as error:
        raise BadOptions(f"{path} is damaged: its histograms cannot be read ({error!r})", "see --out") from error
    if not is_ours:
        raise BadOptions(f"{path} is not the load.json of an earlier run", "see --out")
    return dict(earlier)


def check(options: LoadOptions, scenario: str) -> None:
    """Make sure that the baseline can be read and, where it decides, is of the same run. Raises BadOptions if not."""
    if not options.baseline:
        if options.max_slowdown:
            raise BadOptions("--max-slowdown compares with an earlier run", "name its load.json with --baseline")
        return
    earlier = read(options.baseline)
    if not options.max_slowdown:
        return
    must_match = ("scenario",) if scenario == "find_knee" else ("scenario", "rate")
    if differs := [name for name in _differs_in(earlier, options, scenario) if name in must_match]:
        raise BadOptions(
            f"--max-slowdown: {options.baseline} is of another run ({', '.join(differs)} differ)",
            "compare runs of the same scenario and rate, or leave --max-slowdown out to see both",
        )


def compare(results: Results, options: LoadOptions, scenario: str) -> Document | None:
    """Return both runs' figures side by side; None without a baseline."""
    if not options.baseline:
        return None
    earlier = read(options.baseline_copy or options.baseline)
    then, now = _latencies(earlier), results.latency()
    pairs = {f"p{each:g}": (percentile_ms(then, each), percentile_ms(now, each)) for each in _PERCENTILES}
    rows = {name: {"then": a, "now": b, "factor": _factor(a, b)} for name, (a, b) in pairs.items()}
    factor = rows["p99"]["factor"] or 0.0
    return {
        "file": options.baseline,
        "differs_in": _differs_in(earlier, options, scenario),
        "verdict": earlier["verdict"]["word"],
        "late": [earlier["counts"]["late"], results.late],
        "latency_ms": rows,
        "slower": _too_much(factor, f"p99 is {factor:.2f} times that of the baseline", options),
    }


def saturation_points(now: float, earlier: Document, options: LoadOptions) -> Document:
    """Return both searches' saturation points side by side; latencies at different rates are not compared."""
    then = float(earlier.get("knee_per_s", 0.0))
    factor = then / now if now else math.inf if then else 1.0
    return {
        "file": options.baseline,
        "differs_in": [] if earlier["scenario"]["name"] == "find_knee" else ["scenario"],
        "verdict": earlier["verdict"]["word"],
        "latency_ms": {},
        "knee_per_s": [then, now],
        "slower": _too_much(
            factor, f"the saturation point fell from {then:g}/s to {now:g}/s, by {factor:.2f}", options
        ),
    }


def slower(compared: Document | None) -> str:
    """Say what grew by more than is allowed; empty when nothing did, or nothing is asked."""
    return str(compared["slower"]) if compared else ""


def _too_much(factor: float, sentence: str, options: LoadOptions) -> str:
    allowed = 1 + options.max_slowdown
    if not options.max_slowdown or factor <= allowed:
        return ""
    return f"{sentence}, {allowed:.2f} are allowed"


def _differs_in(earlier: Document, options: LoadOptions, scenario: str) -> list[str]:
    mine = options.model_dump()
    differs = [] if earlier["scenario"]["name"] == scenario else ["scenario"]
    return differs + [name for name in _SHOWN if earlier["options"][name] != mine[name]]


def _latencies(earlier: Document) -> HdrHistogram:
    return merged(*(text for name, text in earlier["histograms"].items() if name.startswith(("scan_", "cart_"))))


def _factor(then: float | None, now: float | None) -> float | None:
    return round(now / then, 3) if then and now is not None else None
