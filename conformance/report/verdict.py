"""How the cases of a report add up; `conformance.verdicts` holds the algebra. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from conformance.report.model import Case
from conformance.verdicts import FINDINGS, JUDGED, Verdict, count, failing, overall


def count_verdicts(cases: Iterable[Case]) -> dict[str, int]:
    """Count cases by verdict; every verdict is a member, zero included."""
    return count(case.verdict for case in cases)


def overall_verdict(cases: Sequence[Case], *, strict: bool, stale: int = 0) -> Verdict:
    """Judge the run: `error` when the harness broke or nothing was judged; with `strict` a warning fails too.

    Expected failures do not fail it; so many `stale` entries of their file, which do not hold any more, do.
    """
    fails = bool(stale or broken(cases, strict=strict))
    return overall((case.verdict for case in cases), fails=fails)


def findings(cases: Iterable[Case]) -> list[Case]:
    """Return what a person must look at, worst first and otherwise in running order; not what is expected."""
    new = (case for case in cases if case.verdict in FINDINGS and not is_expected(case))
    return sorted(new, key=lambda case: FINDINGS.index(case.verdict))


def is_expected(case: Case) -> bool:
    """Say whether the case is broken, and named so beforehand."""
    return bool(case.expected_failure)


def expected_failures(cases: Iterable[Case]) -> list[Case]:
    """Return the cases that are broken as expected, in running order."""
    return [case for case in cases if is_expected(case)]


def broken(cases: Iterable[Case], *, strict: bool) -> list[Case]:
    """Return the cases that fail the run; those that are expected to be broken do not."""
    return [case for case in cases if case.verdict in failing(strict=strict) and not is_expected(case)]


def judged_tiers(cases: Iterable[Case]) -> list[str]:
    """Return the tiers of which at least one case was judged, core first."""
    present = {case.tier for case in cases if case.verdict in JUDGED}
    return [tier for tier in ("core", "entry", "catalog", "outer") if tier in present]
