"""The time limit of a run: how long it may take, which cases always run, and the results of those without time.

A connector that is late at every call would otherwise hold the suite for many minutes. The cases about late answers run
even then, since they name the cause of everything that was not judged.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence

from conformance.drivers.http import ConnectorClient
from conformance.errors import OutOfTime
from conformance.run.configuration import RunConfiguration
from conformance.run.plan import Group
from conformance.verdicts import CaseResult, Verdict
from jwo_contract.operations import CREATE_PURCHASES
from jwo_contract.profile import Profile

_RUN_S = 240
_CALLS = 4000
"""More than a run ever sends to a quick connector; under a rate limit, the default limit leaves time for them."""
_USUAL_BUDGET_S, _BUDGETS = 5.0, 10
"""A run may take ten times as long as a longer budget for carts, in addition."""
_RESERVE_S = 45.0
"""The time at the end of a run for the cases about late answers, and for calls that are still under way."""
_LATE = {"CP-X.11": "Create Purchases", "VIK-9": "Verify Identity Keys"}
"""The cases about late answers, and the API of each."""
_BROKEN = {Verdict.FAIL, Verdict.WARN}


def limit_s(profile: Profile, *, deep: bool) -> float:
    """Return the most seconds of a run."""
    limits = profile.limits
    if limits.run_s:
        return limits.run_s
    if deep:
        return math.inf
    longer_s = _CALLS / limits.rate_limit_per_second if limits.rate_limit_per_second else 0.0
    budget_s = CREATE_PURCHASES.answer_budget_s(profile.house)
    return _RUN_S + longer_s + (_BUDGETS * budget_s if budget_s > _USUAL_BUDGET_S else 0.0)


def end_of_cases(configuration: RunConfiguration) -> float:
    """Return the time of the monotonic clock after which only the cases about late answers still call the connector."""
    total_s = limit_s(configuration.profile, deep=configuration.selection.deep)
    return time.monotonic() + max(total_s - _RESERVE_S, total_s / 2)


def late_first(groups: Sequence[Group], connector: ConnectorClient) -> Iterator[Group]:
    """Yield the groups of cases about late answers, and give them more time, before the other groups."""
    usual_until = connector.until
    late = [group for group in groups if _LATE.keys() & set(group)]
    connector.until = max(usual_until, time.monotonic() + _RESERVE_S)
    yield from late
    connector.until = usual_until
    yield from (group for group in groups if group not in late)


def explain(results: Mapping[str, CaseResult], api_of: Mapping[str, str], total_s: float) -> None:
    """Give each result that had no time its cause: a case about late answers, or else the limit itself."""
    causes = {_LATE[each]: results[each] for each in _LATE if each in results and results[each].verdict in _BROKEN}
    for result in results.values():
        if result.verdict is not Verdict.BLOCKED or result.blocked_by != OutOfTime.by:
            continue
        cause = causes.get(api_of[result.id]) or next(iter(causes.values()), None)
        over = f"the time of the run ({total_s:g} s) was over"
        if cause is None:
            result.verdict, result.blocked_by = Verdict.NOT_APPLICABLE, ""
            result.reason = f"{over} before this case; raise [limits] run_s"
        else:
            result.blocked_by = cause.id
            result.reason = f"{over} before this case, because {_slowness(cause)}"


def _slowness(late: CaseResult) -> str:
    times = sorted(each.elapsed_s for each in late.exchanges)
    return f"an answer takes {times[len(times) // 2]:.1f} s" if times else "answers are late"
