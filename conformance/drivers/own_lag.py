"""How late the suite itself runs: a thread that sleeps for short times and counts how much longer each sleep took.

A process that does not get the processor, or runs many threads, adds this time to every call that it measures. An
answer that is late only by the suite's own lag is no finding.
"""

from __future__ import annotations

import functools
import threading
import time
from collections import deque
from typing import NamedTuple

_EACH_S = 0.02
_USUAL_S = 0.005
"""A sleep that takes this much longer is usual, and no lag."""
_REMEMBERED = 3000


class _Oversleep(NamedTuple):
    """A sleep that ended at `until` of the performance counter, `too_long_s` after its planned end."""

    until: float
    too_long_s: float


class OwnLag:
    """Measures the lag of this process from its start on."""

    def __init__(self) -> None:
        self._overslept: deque[_Oversleep] = deque(maxlen=_REMEMBERED)
        self._planned = time.perf_counter() + _EACH_S
        """When the sleep that runs now should end."""
        threading.Thread(target=self._watch, daemon=True, name="own lag").start()

    def since(self, start: float) -> float:
        """Return the sum of the lags, in seconds, since a moment of the performance counter."""
        now = time.perf_counter()
        running_s = now - max(start, self._planned)
        lags = [min(each.too_long_s, each.until - start) for each in list(self._overslept) if each.until > start]
        return sum(lags) + (running_s if running_s > _USUAL_S else 0.0)

    def _watch(self) -> None:
        while True:
            time.sleep(_EACH_S)
            now = time.perf_counter()
            too_long_s = now - self._planned
            self._planned = now + _EACH_S
            if too_long_s > _USUAL_S:
                self._overslept.append(_Oversleep(now, too_long_s))


@functools.cache
def own_lag() -> OwnLag:
    """Return the measurement of this process, which begins at the first call."""
    return OwnLag()
