"""Builds load.json: all figures of the other reports, and the baseline for later runs."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from hdrh.histogram import HdrHistogram

from jwo_contract.register import newest_edition
from load.histogram import PERCENTILES, curve_ms, merged, percentile_ms
from load.results import Results
from load.settings import LoadOptions
from load.verdict import Verdict

Document = dict[str, Any]
_VIEWS = {
    "all": (),
    "scan": ("scan_cold", "scan_warm"),
    "cart": ("cart_cold", "cart_warm"),
    "cold": ("scan_cold", "cart_cold"),
    "warm": ("scan_warm", "cart_warm"),
}


def document(
    results: Results, verdict: Verdict, options: LoadOptions, scenario: Document, baseline: Document | None
) -> Document:
    """Return the whole report as plain values; latencies are in milliseconds, times in seconds of the run.

    `ended_at` is the instant of this call, in UTC.
    """
    started_in = max((second.at_s for second in results.seconds if second.started), default=0) + 1
    return {
        "suite": {"name": "jwo-load", "version": metadata.version("jwo-conformance-kit"), "doc_set": newest_edition()},
        "ended_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "scenario": scenario,
        "options": options.model_dump(exclude={"progress_fd", "baseline_copy"}) | {"read_for_s": options.reads_for_s},
        "verdict": asdict(verdict) | {"exit_code": verdict.exit_code},
        "counts": {"scheduled": results.scheduled, **_counts(results)},
        "rate": {
            "wanted_busiest": max((second.wanted for second in results.seconds), default=0),
            "reached_busiest": max((second.started for second in results.seconds), default=0),
            "mean": round(results.started / started_in, 2),
        },
        "latency_ms": {view: _latency(results.latency(*groups)) for view, groups in _VIEWS.items()},
        "from_actual_start_ms": _latency(merged(results.histograms["service"])),
        "lag_ms": _latency(merged(results.histograms["lag"])),
        "read_delay_ms": _latency(merged(results.histograms["read_delay"])),
        "percentile_curve_ms": curve_ms(results.latency()),
        "generator": {
            "workers": results.workers_wanted,
            "workers_heard": results.workers_heard,
            "busiest_cpu_share": round(results.cpu_share, 3),
            "keys": results.keys,
            "stale_keys": results.stale_keys,
            "asked_alone": results.asked_alone,
            "priority": results.priority,
        },
        "findings": dict(results.findings),
        "causes": dict(results.causes.most_common()),
        "missed": dict(results.missed),
        "examples": results.examples,
        "baseline": baseline,
        "probes": [],
        "knee_per_s": 0.0,
        "asked_per_s": 0.0,
        "seconds": [asdict(second) for second in results.seconds],
        "histograms": results.histograms,
    }


def _counts(results: Results) -> dict[str, int]:
    names = (
        *("started", "answered", "unanswered", "late", "late_scans", "late_carts", "late_commits", "in_doubt"),
        *("cold", "warm", "resent"),
    )
    return {name: results.counts[name] for name in names} | {
        "missed": results.missed.total(),
        "findings": results.findings.total(),
    }


def _latency(of: HdrHistogram) -> dict[str, float | int | None]:
    values: dict[str, float | int | None] = {"count": of.get_total_count()}
    for percentile in PERCENTILES:
        values[f"p{percentile:g}"] = percentile_ms(of, percentile)
    values["max"] = percentile_ms(of, 100.0)
    return values
