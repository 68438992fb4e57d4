"""Compares a run with an earlier one: each figure, its factor, and whether the slowdown is a finding.

`read` and `check` run before the load, so that an unusable baseline does not waste a run.
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
_NAME_ANOTHER = "name a load.json that jwo load wrote"
Document = dict[str, Any]


def read(path: str) -> Document:
    """Read an earlier load.json. Raises BadOptions if the file is something else, or damaged."""
    try:
        earlier = json.loads(Path(path).read_text("utf-8"))
        is_ours = earlier["suite"]["name"] == "jwo-load"
        _ = (str(earlier["scenario"]["name"]), str(earlier["verdict"]["word"]), int(earlier["counts"]["late"]))
        _ = [float(earlier["options"][name]) for name in _SHOWN], float(earlier.get("knee_per_s", 0.0))
        _ = _latencies(earlier)
    except OSError as error:
        raise BadOptions(f"--baseline: cannot read {path} ({error.strerror})", _NAME_ANOTHER) from error
    except _UNREADABLE as error:
        raise BadOptions(f"{path} is damaged: its histograms are not readable ({error})", _NAME_ANOTHER) from error
    except json.JSONDecodeError as error:
        raise BadOptions(
            f"--baseline: {path} is not the load.json of an earlier run, since it is not JSON ({error})", _NAME_ANOTHER
        ) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadOptions(f"{path} is not the load.json of an earlier run ({error!r})", _NAME_ANOTHER) from error
    if not is_ours:
        raise BadOptions(f"{path} is not the load.json of an earlier run", _NAME_ANOTHER)
    return dict(earlier)


def check(options: LoadOptions, scenario: str) -> None:
    """Check that the baseline is readable and, for --max-slowdown, of a similar run. Raises BadOptions if not."""
    if not options.baseline:
        if options.max_slowdown:
            raise BadOptions("--max-slowdown needs an earlier run", "name its load.json with --baseline")
        return
    earlier = read(options.baseline)
    if not options.max_slowdown:
        return
    must_match = ("scenario",) if scenario == "find_knee" else ("scenario", "rate")
    if differs := [name for name in _differs_in(earlier, options, scenario) if name in must_match]:
        raise BadOptions(
            f"--max-slowdown: {options.baseline} is the result of a different run ({', '.join(differs)} differ)",
            "compare runs of the same scenario and rate, or omit --max-slowdown to see both",
        )


def compare(results: Results, options: LoadOptions, scenario: str) -> Document | None:
    """Return the figures of both runs; None without a baseline."""
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
        "slower": _slowdown_text(factor, f"p99 is {factor:.2f} times that of the baseline", options),
    }


def compare_saturation_points(now: float, earlier: Document, options: LoadOptions) -> Document:
    """Return the saturation points of both searches; it compares no latencies, as their rates differ."""
    then = float(earlier.get("knee_per_s", 0.0))
    factor = then / now if now else math.inf if then else 1.0
    return {
        "file": options.baseline,
        "differs_in": [] if earlier["scenario"]["name"] == "find_knee" else ["scenario"],
        "verdict": earlier["verdict"]["word"],
        "latency_ms": {},
        "knee_per_s": [then, now],
        "slower": _slowdown_text(
            factor, f"the saturation point fell from {then:g}/s to {now:g}/s, by {factor:.2f}", options
        ),
    }


def slower(compared: Document | None) -> str:
    """Return a sentence about a slowdown above the limit; an empty text if there is none, or no limit."""
    return str(compared["slower"]) if compared else ""


def _slowdown_text(factor: float, sentence: str, options: LoadOptions) -> str:
    allowed = 1 + options.max_slowdown
    if not options.max_slowdown or factor <= allowed:
        return ""
    return f"{sentence}; the limit is {allowed:.2f}"


def _differs_in(earlier: Document, options: LoadOptions, scenario: str) -> list[str]:
    current = options.model_dump()
    differs = [] if earlier["scenario"]["name"] == scenario else ["scenario"]
    return differs + [name for name in _SHOWN if earlier["options"][name] != current[name]]


def _latencies(earlier: Document) -> HdrHistogram:
    return merged(*(text for name, text in earlier["histograms"].items() if name.startswith(("scan_", "cart_"))))


def _factor(then: float | None, now: float | None) -> float | None:
    return round(now / then, 3) if then and now is not None else None
