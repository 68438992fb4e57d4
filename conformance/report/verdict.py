"""How cases add up: the order of verdicts, the counts, the verdict of a group and of the whole run. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

Case = Mapping[str, Any]
Verdict = Literal["pass", "fail", "warn", "not_applicable", "error"]
Overall = Literal["pass", "fail", "error"]

WORST_FIRST: tuple[Verdict, ...] = ("error", "fail", "warn", "pass", "not_applicable")
FINDINGS: tuple[Verdict, ...] = ("error", "fail", "warn")
_JUDGED = frozenset({"pass", "fail", "warn"})


def worst(verdicts: Iterable[str]) -> Verdict:
    """Return the verdict of a group, which is its worst child's; an empty group is `not_applicable`."""
    present = set(verdicts)
    return next((verdict for verdict in WORST_FIRST if verdict in present), "not_applicable")


def count_verdicts(cases: Iterable[Case]) -> dict[str, int]:
    """Count cases by verdict; every verdict is a member, zero included."""
    counts = {"pass": 0, "fail": 0, "warn": 0, "not_applicable": 0, "error": 0}
    for case in cases:
        counts[case["verdict"]] += 1
    return counts


def overall_verdict(cases: Iterable[Case], *, strict: bool) -> Overall:
    """Judge the run: `error` when the harness broke or nothing was judged; with `strict` a warning fails too."""
    present = {case["verdict"] for case in cases}
    if "error" in present or not present & _JUDGED:
        return "error"
    if "fail" in present or (strict and "warn" in present):
        return "fail"
    return "pass"


def findings(cases: Iterable[Case]) -> list[Case]:
    """Return what a person must look at, worst first and otherwise in running order."""
    return sorted((case for case in cases if case["verdict"] in FINDINGS), key=lambda c: FINDINGS.index(c["verdict"]))


def broken(cases: Sequence[Case], *, strict: bool) -> list[Case]:
    """Return the cases that make the connector not conformant."""
    counted = {"fail", "warn"} if strict else {"fail"}
    return [case for case in cases if case["verdict"] in counted]


def judged_tiers(cases: Iterable[Case]) -> list[str]:
    """Return the tiers of which at least one case was judged, core first."""
    present = {case["tier"] for case in cases if case["verdict"] in _JUDGED}
    return [tier for tier in ("core", "entry", "catalog", "outer") if tier in present]
