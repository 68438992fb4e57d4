"""The findings of a report by probable cause: each root with the findings and blocked cases that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from conformance.report.model import Case
from conformance.report.verdict import findings
from conformance.verdicts import FINDINGS, Verdict


class Finding(NamedTuple):
    """A finding with a cause of its own, the findings that probably follow from it, and the cases that it blocks."""

    root: Case
    consequences: tuple[Case, ...] = ()
    blocked: tuple[Case, ...] = ()


def by_cause(cases: Sequence[Case]) -> list[Finding]:
    """Return the findings by cause, in the order of the worst verdict of each group, else in running order.

    A finding is its own root if the report has no finding with the id of its cause.
    """
    found = findings(cases)
    present = {case.id for case in found}

    def root_of(case: Case) -> str:
        return case.follows_from if case.follows_from in present else case.id

    groups = [
        Finding(
            root,
            tuple(case for case in found if root_of(case) == root.id and case is not root),
            tuple(case for case in cases if case.verdict is Verdict.BLOCKED and case.follows_from == root.id),
        )
        for root in found
        if root_of(root) == root.id
    ]
    return sorted(groups, key=_worst)


def _worst(finding: Finding) -> int:
    return min(FINDINGS.index(case.verdict) for case in (finding.root, *finding.consequences))


def ids(cases: Sequence[Case], most: int) -> str:
    """Return the ids of cases as text; of more than `most` the number of the others."""
    shown = ", ".join(case.id for case in cases[:most])
    return shown if len(cases) <= most else f"{shown} and {len(cases) - most} more"
