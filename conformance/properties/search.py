"""One search for a counterexample, bounded in time, that ends with the smallest one found.

Hypothesis draws and shrinks. When the time is up, what was not tried counts as fine, and what was tried keeps its
verdict, so that a search always ends with an answer that it has seen.
"""

from __future__ import annotations

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
    """How many examples, and for how long in all."""

    examples: int
    seconds: float


USUAL = Effort(40, 12.0)
ONE_STEP = Effort(400, 12.0)
"""There are about a hundred single steps, so this is all of them for a quick connector."""
DEEP = Effort(1000, 60.0)


def search(cases: st.SearchStrategy[Case], attempt: Callable[[Case], None], effort: Effort) -> int:
    """Try cases until one raises a Finding, and raise the Finding of the smallest; return how many were tried."""
    verdicts: dict[str, Finding | None] = {}
    deadline = time.monotonic() + effort.seconds

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
        if name not in verdicts and time.monotonic() < deadline:
            verdicts[name] = _finding(attempt, case)
        if found := verdicts.get(name):
            raise Finding(found.expected, found.got)

    with tempfile.TemporaryDirectory(prefix="jwo-") as folder:
        set_hypothesis_home_dir(folder)
        tried()
    return len(verdicts)


def _finding(attempt: Callable[[Case], None], case: Case) -> Finding | None:
    try:
        attempt(case)
    except Finding as found:
        return found
    return None
