"""The events of `jwo certify --progress`: the chosen cases, the result of each, and the verdict of the run."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.report.clean import clean, cut
from conformance.report.model import Report, to_json
from conformance.summary import reported_case
from conformance.verdicts import FINDINGS, CaseResult, Verdict
from jwo_contract.profile import Profile
from jwo_contract.register import rules
from jwo_toolkit.json_types import Json, JsonObject
from jwo_toolkit.progress_lines import ProgressLines

_MOST_TEXT = 600
_LOOKED_AT = (*FINDINGS, Verdict.BLOCKED, Verdict.NOT_APPLICABLE)
"""The verdicts with a reason that a reader needs."""


class CertifyEvents:
    """Writes the events of one run."""

    def __init__(self, lines: ProgressLines, profile: Profile, edition: str = "") -> None:
        self._lines = lines
        self._profile = profile
        self._rules = rules(edition)

    def selected(self, ids: Sequence[str]) -> None:
        """Write `selected`: the cases in the order of the register, with their rules."""
        rows = (self._rules[each] for each in ids)
        cases: list[Json] = [
            {"id": row.id, "title": row.title, "api": row.api, "level": row.level, "rule": row.text} for row in rows
        ]
        self._lines.write("selected", {"cases": cases})

    def case(self, result: CaseResult) -> None:
        """Write `case`: a verdict. A case with several examples gets several events, and the last one counts."""
        members: JsonObject = {"id": result.id, "verdict": str(result.verdict)}
        if result.verdict in _LOOKED_AT:
            reported = reported_case(result, self._rules[result.id], self._profile)
            (case,) = clean({"cases": [to_json(reported)]})["cases"]
            members |= {name: cut(case[name], _MOST_TEXT) for name in ("expected", "got", "reason") if case[name]}
        self._lines.write("case", members | {"durationMs": round(result.duration_s * 1000)})


def write_ended(lines: ProgressLines, report: Report) -> None:
    """Write `ended`: the verdict of the run and the counts, after the report files."""
    members: JsonObject = {"verdict": str(report.verdict), "counts": dict(report.counts), "partial": report.is_partial}
    if report.completeness:
        members |= {"judged": report.completeness.judged, "mustRules": report.completeness.total}
    lines.write("ended", members)
