"""How much of its tiers a run judged: every MUST with a scenario, except those that need what the profile omits.

`[suite] not_offered` of the profile lists what the retailer does not offer. Cases that need it are not missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from conformance.catalogue import scenario_entries
from conformance.report.model import Completeness, NotJudged
from conformance.retailer_clients.clients import undeclared
from conformance.run.configuration import Selection
from conformance.verdicts import JUDGED, CaseResult, Verdict
from jwo_contract.not_offered import signs_of
from jwo_contract.profile import Profile
from jwo_contract.register import Requirement, rules

_NOT_SELECTED = "it was not selected; run all cases of the tier, without --only"


def completeness(results: Mapping[str, CaseResult], selection: Selection, profile: Profile) -> Completeness:
    """Return which MUST rules of the selected tiers and edition a run judged, and why it did not judge the others."""
    wanted = [row for row in _must_rules(selection, profile) if not _is_excused(results.get(row.id), profile)]
    not_judged = tuple(
        NotJudged(row.id, row.title, _reason(results.get(row.id)))
        for row in wanted
        if row.id not in results or results[row.id].verdict not in JUDGED
    )
    return Completeness(
        complete=not not_judged,
        judged=len(wanted) - len(not_judged),
        total=len(wanted),
        not_judged=not_judged,
        not_offered=tuple(profile.suite.not_offered),
    )


def not_offered(result: CaseResult, profile: Profile) -> str:
    """Return the name in `[suite] not_offered` that makes a case not applicable; empty where there is none."""
    if result.verdict is not Verdict.NOT_APPLICABLE:
        return ""
    return next((name for name in profile.suite.not_offered if signs_of(name) in result.reason), "")


def _is_excused(result: CaseResult | None, profile: Profile) -> bool:
    return result is not None and bool(not_offered(result, profile))


def _must_rules(selection: Selection, profile: Profile) -> Iterator[Requirement]:
    """Yield the rules to judge; without those of clients that only some stores need, unless they are declared."""
    proven = {each for entry in scenario_entries() for each in entry.ids}
    for row in rules(selection.edition).values():
        if row.tier in selection.tiers and row.level == "must" and row.id in proven and _has_client(row, profile):
            yield row


def _reason(result: CaseResult | None) -> str:
    if result is None:
        return _NOT_SELECTED
    return result.reason or f"it ended as {result.verdict}"


def _has_client(row: Requirement, profile: Profile) -> bool:
    return row.api not in undeclared(profile)
