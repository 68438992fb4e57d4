"""One search for a counterexample, bounded in time, that ends with the smallest one found.

Hypothesis draws and shrinks. When the time is up, what was not tried counts as fine, and what was tried keeps its
verdict, so that a search always ends with an answer that it has seen.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.configuration import set_hypothesis_home_dir

from conformance.errors import Finding

Case = TypeVar("Case")


class Effort(NamedTuple):
    """How many examples, and for how long in all; a finding gets as long once more to become smaller."""

    examples: int
    seconds: float
    ends_one: bool = False
    """Whether the first case may take as long as it needs; where one is long, none would come to its end."""


USUAL = Effort(40, 8.0)
ONE_STEP = Effort(400, 8.0)
"""There are about a hundred single steps, so this is all of them for a quick connector."""
STORIES = Effort(20, 12.0)
RESTARTS = Effort(6, 3.0, ends_one=True)
DEEP = Effort(1000, 60.0)
DEEP_RESTARTS = Effort(100, 60.0, ends_one=True)


def warm_up() -> None:
    """Let Hypothesis read the constants of every loaded module, which takes it most of a second and is done once."""
    search(st.lists(st.integers(), min_size=200, max_size=200), lambda _case, _until: True, Effort(2, 1.0))


def search(cases: st.SearchStrategy[Case], attempt: Callable[[Case, float], bool], effort: Effort) -> int:
    """Try cases until one raises a Finding, and raise the Finding of the smallest; return how many were tried.

    An attempt is told until when, by the monotonic clock, it may go on, and says whether it came to its end. Whatever
    else it raises ends the search: a case that says otherwise the next time would make Hypothesis call it flaky.
    """
    verdicts: dict[str, Exception | bool] = {}
    until: list[float] = []

    @settings(
        max_examples=effort.examples,
        database=None,
        deadline=None,
        derandomize=True,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases)
    def tried(case: Case) -> None:
        name = repr(case)
        if not until:  # what Hypothesis takes to warm up is not the connector's
            until.append(time.monotonic() + effort.seconds)
        if name not in verdicts and time.monotonic() < until[-1]:
            latest = math.inf if effort.ends_one and not verdicts else until[-1]
            verdicts[name] = _outcome(lambda: attempt(case, latest))
        found = verdicts.get(name)
        if isinstance(found, Finding):
            if len(until) == 1:
                until.append(time.monotonic() + effort.seconds)
            raise Finding(found.expected, found.got, found.story)
        if isinstance(found, Exception):
            until[-1] = 0.0  # what broke stays broken
            raise found

    with tempfile.TemporaryDirectory(prefix="jwo-") as folder:
        set_hypothesis_home_dir(folder)
        tried()
    return sum(verdict is True for verdict in verdicts.values())


def _outcome(attempt: Callable[[], bool]) -> Exception | bool:
    try:
        return attempt()
    except Exception as found:  # noqa: BLE001 - whatever it is, Hypothesis asks for it again
        return found
