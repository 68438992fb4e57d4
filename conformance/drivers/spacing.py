"""Notes when calls were under way, to know whether the suite itself called more often than the declared rate allows.

A call arrives at some moment between its start and its end. So two calls are certainly apart only if one starts long
enough after the other ended. A 429 proves something only about such a call.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf

_KEPT = 256


@dataclass(eq=False)
class UnderWay:
    """A call, or several together, and the times between which they arrive."""

    start_s: float
    end_s: float = inf
    count: int = 1


class Spacing:
    """The latest calls to one connector under a declared rate; a rate of 0 is no limit. Safe to use from threads."""

    def __init__(self, rate: int, burst: int, clock_s: Callable[[], float] = time.perf_counter) -> None:
        is_even = burst == 1
        self._window_s = 1 / rate if rate and is_even else 1.0
        self._allowed: float = inf if not rate else 1 if is_even else max(rate, burst)
        self._clock_s = clock_s
        self._calls: deque[UnderWay] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    @contextmanager
    def call(self) -> Iterator[UnderWay]:
        """Note one call, which is under way during the block."""
        call = UnderWay(self._clock_s())
        with self._lock:
            self._calls.append(call)
        try:
            yield call
        finally:
            call.end_s = self._clock_s()

    def note(self, count: int, within_s: float) -> None:
        """Note calls that the caller sends in another way, and that arrive within some seconds from now."""
        now_s = self._clock_s()
        with self._lock:
            self._calls.append(UnderWay(now_s, now_s + within_s, count))

    def was_kept(self, call: UnderWay) -> bool:
        """Say whether the rate was certainly kept when a call arrived."""
        with self._lock:
            near = [each for each in self._calls if self._is_near(each, call)]
        return sum(each.count for each in near) <= self._allowed

    def _is_near(self, each: UnderWay, call: UnderWay) -> bool:
        return each is call or (each.end_s > call.start_s - self._window_s and each.start_s < call.end_s)
