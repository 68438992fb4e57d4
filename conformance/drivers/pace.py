"""Keeps the suite below a declared rate limit, so that a connector is never blamed for enforcing it."""

from __future__ import annotations

import threading
import time
from collections import deque

_WINDOW_S = 1.25
"""A second, and room for calls that arrive closer together than they were sent."""


class Pace:
    """Lets so many calls go in a second; 0 lets all go. Safe to use from several threads."""

    def __init__(self, calls_per_second: int) -> None:
        self._limit = calls_per_second
        self._sent: deque[float] = deque(maxlen=calls_per_second or 1)
        self._lock = threading.Lock()

    def at_once(self, count: int) -> int:
        """Return how many of `count` calls may go at the same moment, and wait until they may."""
        if not self._limit:
            return count
        allowed = min(count, self._limit)
        with self._lock:
            self._wait_for(allowed)
        return allowed

    def book(self, count: int) -> int:
        """As `at_once`, and count them: somebody else makes them at this moment."""
        if not self._limit:
            return count
        allowed = min(count, self._limit)
        with self._lock:
            self._wait_for(allowed)
            self._sent.extend([time.monotonic()] * allowed)
        return allowed

    def wait(self) -> None:
        """Wait until one more call may go, and count it."""
        if self._limit:
            with self._lock:
                self._wait_for(1)
                self._sent.append(time.monotonic())

    def count(self) -> None:
        """Count a call that goes without waiting."""
        with self._lock:
            self._sent.append(time.monotonic())

    def _wait_for(self, calls: int) -> None:
        """Sleep until the call that stands in the way is a window old."""
        in_the_way = len(self._sent) + calls - self._limit
        if in_the_way > 0:
            time.sleep(max(0.0, self._sent[in_the_way - 1] + _WINDOW_S - time.monotonic()))
