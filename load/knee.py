"""The search for the knee: the highest rate at which no answer is late, found by doubling and then halving the gap.

Every probe is a run of its own with its own verdict. An invalid probe ends the search upwards: beyond it the generator,
not the connector, would be measured.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from load.report.writing import write
from load.settings import LoadOptions

FIRST_SHARE = 0.25
"""The first probe's rate as a share of the rate that must be reached."""
GROWTH = 2.0
CLOSE_ENOUGH = 0.1
MOST_PROBES = 10
PROBE_SHARE = 0.125
"""A probe's length as a share of the duration."""
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
    length_s = max(options.duration_s * PROBE_SHARE, SHORTEST_PROBE_S)
    return options.model_copy(update={"rate": rate, "duration_s": length_s, "baseline": ""})


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
    knee = best["options"]["rate"] if best else 0.0
    if knee >= options.rate:
        upper = f" and below {worst['options']['rate']:g}/s" if worst else ", and the search ended there"
        word, reason = "pass", f"no late answer at {knee:g}/s{upper}; {options.rate:g}/s were asked for"
    elif worst is not None and worst["verdict"]["word"] == "invalid":
        word, reason = "invalid", f"the generator gave out above {knee:g}/s: {'; '.join(worst['verdict']['reasons'])}"
    else:
        why = "; ".join(worst["verdict"]["reasons"]) if worst else ""
        word, reason = "fail", f"the knee is at {knee:g}/s, below the {options.rate:g}/s asked for; above it: {why}"
    codes = {"pass": 0, "fail": 1, "invalid": 3}
    report["verdict"] |= {"word": word, "exit_code": codes[word], "reasons": [reason]}
    report["probes"] = sorted(probes, key=lambda probe: float(probe["rate"]))
    report["knee_per_s"] = knee
    if options.out:
        write(report, Path(options.out))
    return report
