"""The verdict and the counts of a report, from its cases, as pure functions. `conformance.verdicts` has the rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from conformance.report.model import Case
from conformance.verdicts import FINDINGS, JUDGED, Verdict, count, failing, overall


def count_verdicts(cases: Iterable[Case]) -> dict[str, int]:
    """Count cases by verdict; every verdict is a member, zero included."""
    return count(case.verdict for case in cases)


def overall_verdict(cases: Sequence[Case], *, strict: bool, stale: int = 0, own: Sequence[Verdict] = ()) -> Verdict:
    """Judge the run: `error` if the harness broke or no case was judged; with `strict` a warning fails the run too.

    Expected failures do not fail it. `stale` is the number of stale entries in their file; one or more fail the run.
    `own` has the verdicts of the profile's own cases, of which a failed one fails the run.
    """
    fails = bool(stale or broken(cases, strict=strict) or Verdict.FAIL in own)
    broke = [verdict for verdict in own if verdict is Verdict.ERROR]
    return overall([*(case.verdict for case in cases), *broke], fails=fails)


def findings(cases: Iterable[Case]) -> list[Case]:
    """Return the cases that a person must look at, worst first, else in running order, without expected failures."""
    new = (case for case in cases if case.verdict in FINDINGS and not is_expected(case))
    return sorted(new, key=lambda case: FINDINGS.index(case.verdict))


def is_expected(case: Case) -> bool:
    """Say whether the case fails as the file of expected failures says."""
    return bool(case.expected_failure)


def expected_failures(cases: Iterable[Case]) -> list[Case]:
    """Return the cases that fail as expected, in running order."""
    return [case for case in cases if is_expected(case)]


def broken(cases: Iterable[Case], *, strict: bool) -> list[Case]:
    """Return the cases that fail the run, without expected failures."""
    return [case for case in cases if case.verdict in failing(strict=strict) and not is_expected(case)]


def judged_tiers(cases: Iterable[Case]) -> list[str]:
    """Return the tiers with at least one judged case, core first."""
    present = {case.tier for case in cases if case.verdict in JUDGED}
    return [tier for tier in ("core", "entry", "catalog", "outer") if tier in present]
