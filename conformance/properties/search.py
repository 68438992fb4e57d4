"""A search for a counterexample within a time limit, which ends with the smallest one found.

Hypothesis draws and shrinks cases. After the time limit, an untried case counts as fine and a tried one keeps its
verdict, so that a search always ends with a real answer of the connector.
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
    """The number of examples and the time for all of them; a finding gets the same time again to become smaller."""

    examples: int
    seconds: float
    ends_one: bool = False
    """Whether the first case has no time limit; otherwise a search with one long case would finish no case."""


USUAL = Effort(40, 8.0)
ONE_STEP = Effort(400, 8.0)
"""There are about a hundred single changes, so a quick connector gets all of them."""
STORIES = Effort(20, 12.0)
RESTARTS = Effort(6, 3.0, ends_one=True)
DEEP = Effort(1000, 60.0)
DEEP_RESTARTS = Effort(100, 60.0, ends_one=True)


def warm_up() -> None:
    """Let Hypothesis read the constants of all loaded modules, which takes most of a second, once in a process."""
    search(st.lists(st.integers(), min_size=200, max_size=200), lambda _case, _until: True, Effort(2, 1.0))


def search(cases: st.SearchStrategy[Case], attempt: Callable[[Case, float], bool], effort: Effort) -> int:
    """Try cases, and return how many finished. An attempt gets a case and a time limit, by the monotonic clock.

    An attempt returns whether it finished. Any error other than a Finding ends the search: Hypothesis would call a case
    flaky if its next attempt had another result. Raises the Finding of the smallest case if one is found.
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
        if not until:  # the limit does not include the time that Hypothesis needs to start
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
            until[-1] = 0.0  # no further attempt after an error
            raise found

    with tempfile.TemporaryDirectory(prefix="jwo-") as folder:
        set_hypothesis_home_dir(folder)
        tried()
    return sum(verdict is True for verdict in verdicts.values())


def _outcome(attempt: Callable[[], bool]) -> Exception | bool:
    try:
        return attempt()
    except Exception as found:  # noqa: BLE001 - Hypothesis needs the same error in the next attempt
        return found
