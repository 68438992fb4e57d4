"""Searches for the saturation point: doubles the rate until a run fails, then halves the gap.

Each probe is a run with its own verdict. An invalid probe is the upper end of the search: above it, the figures show
the generator, not the connector.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from load.report.baseline import compare_saturation_points, read, slower
from load.report.writing import write
from load.settings import LoadOptions
from load.verdict import EXIT_CODES

FIRST_SHARE = 0.25
"""The rate of the first probe, as a share of the required rate."""
GROWTH = 2.0
CLOSE_ENOUGH = 0.1
MOST_PROBES = 10
PROBE_SHARE = 0.125
"""The length of a probe, as a share of the duration."""
SHORTEST_PROBE_S = 2.0

Document = dict[str, Any]
RunProbe = Callable[[LoadOptions], Document]


def search(options: LoadOptions, run_probe: RunProbe) -> Document:
    """Return the report of the best probe, with the verdict of the whole search and the list of all probes."""
    best: Document | None = None
    broke_at: float | None = None
    worst: Document | None = None
    probes: list[Document] = []
    rate = options.rate * FIRST_SHARE
    for _ in range(MOST_PROBES):
        report = run_probe(_probe(options, rate))
        probes.append(_row(rate, report))
        if report["verdict"]["word"] == "pass":
            best = report
        else:
            broke_at, worst = rate, report
        reached = best["options"]["rate"] if best else 0.0
        if broke_at is not None and broke_at - reached <= CLOSE_ENOUGH * broke_at:
            break
        rate = reached * GROWTH if broke_at is None else (reached + broke_at) / 2
    return _conclusion(options, best, worst, probes)


def _probe(options: LoadOptions, rate: float) -> LoadOptions:
    """Return the options of a probe: only the whole search has a baseline and writes reports."""
    length_s = max(options.duration_s * PROBE_SHARE, SHORTEST_PROBE_S)
    return options.model_copy(
        update={"rate": rate, "duration_s": length_s, "baseline": "", "max_slowdown": 0, "out": ""}
    )


def _row(rate: float, report: Document) -> Document:
    latency = report["latency_ms"]["all"]
    return {
        "rate": rate,
        "word": report["verdict"]["word"],
        "late": report["counts"]["late"],
        "p99_ms": latency["p99"],
        "max_ms": latency["max"],
    }


def _conclusion(
    options: LoadOptions, best: Document | None, worst: Document | None, probes: list[Document]
) -> Document:
    report = best or worst
    assert report is not None
    saturation_per_s = float(best["options"]["rate"]) if best else 0.0
    word, reasons = _judge(options, saturation_per_s, best, worst)
    compared = None
    if options.baseline:
        compared = compare_saturation_points(saturation_per_s, read(options.baseline_copy or options.baseline), options)
    if word == "pass" and (worse := slower(compared)):
        word, reasons = "fail", [worse, *reasons]
    report["verdict"] |= {"word": word, "exit_code": EXIT_CODES[word], "reasons": reasons}
    report["baseline"] = compared
    report["probes"] = sorted(probes, key=lambda probe: float(probe["rate"]))
    report["knee_per_s"], report["asked_per_s"] = saturation_per_s, options.rate
    report["options"] |= {"baseline": options.baseline, "out": options.out}
    if options.out:
        write(report, Path(options.out))
    return report


def _judge(
    options: LoadOptions, saturation_per_s: float, best: Document | None, worst: Document | None
) -> tuple[str, list[str]]:
    upper = _describe_limit(worst)
    if best and saturation_per_s >= options.rate:
        reached = f"the saturation point is at {saturation_per_s:g}/s or above; {options.rate:g}/s are required"
        return "pass", [reached, _describe_best(best), upper]
    if worst and worst["verdict"]["word"] == "invalid":
        return "invalid", [upper, *([_describe_best(best)] if best else [])]
    if best:
        missed = f"the saturation point is at {saturation_per_s:g}/s, below the required {options.rate:g}/s"
        return "fail", [missed, upper, _describe_best(best)]
    return "fail", [f"every probed rate failed; {options.rate:g}/s are required", upper]


def _describe_limit(worst: Document | None) -> str:
    """Describe the result above the saturation point."""
    if worst is None:
        return "no probe failed: the search ended there"
    rate, why = worst["options"]["rate"], "; ".join(worst["verdict"]["reasons"])
    if worst["verdict"]["word"] == "invalid":
        return f"the generator reached its own limit at {rate:g}/s, so higher rates are unknown: {why}"
    return f"at {rate:g}/s: {why}"


def _describe_best(best: Document) -> str:
    return f"at {best['options']['rate']:g}/s: {'; '.join(best['verdict']['reasons'])}"
