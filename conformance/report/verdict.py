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


def overall_verdict(cases: Iterable[Case], *, strict: bool, stale: int = 0) -> Overall:
    """Judge the run: `error` when the harness broke or nothing was judged; with `strict` a warning fails too.

    Expected failures do not fail it; so many `stale` entries of their file, which do not hold any more, do.
    """
    cases = list(cases)
    present = {case["verdict"] for case in cases}
    if "error" in present or not present & _JUDGED:
        return "error"
    return "fail" if stale or broken(cases, strict=strict) else "pass"


def findings(cases: Iterable[Case]) -> list[Case]:
    """Return what a person must look at, worst first and otherwise in running order; not what is expected."""
    new = (case for case in cases if case["verdict"] in FINDINGS and not is_expected(case))
    return sorted(new, key=lambda case: FINDINGS.index(case["verdict"]))


def is_expected(case: Case) -> bool:
    """Say whether the case is broken, and named so beforehand."""
    return bool(case.get("expectedFailure"))


def expected_failures(cases: Iterable[Case]) -> list[Case]:
    """Return the cases that are broken as expected, in running order."""
    return [case for case in cases if is_expected(case)]


def broken(cases: Sequence[Case], *, strict: bool) -> list[Case]:
    """Return the cases that fail the run; those that are expected to be broken do not."""
    counted = {"fail", "warn"} if strict else {"fail"}
    return [case for case in cases if case["verdict"] in counted and not is_expected(case)]


def judged_tiers(cases: Iterable[Case]) -> list[str]:
    """Return the tiers of which at least one case was judged, core first."""
    present = {case["tier"] for case in cases if case["verdict"] in _JUDGED}
    return [tier for tier in ("core", "entry", "catalog", "outer") if tier in present]
