"""Keeps calls below a rate, over all threads of a process and, through a file, over all its processes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such lock: there the pace holds within a process
    fcntl = None  # type: ignore[assignment]

_LONGEST_WAIT_S = 60.0
"""Of one call: a clock that was set back must not stop all calls."""


class Pace:
    """Lets at most `calls` go in any `window_s`; `calls` 0 lets all go. Safe to use from several threads.

    With a `shared` file, all processes that name it keep the pace together; `clock_s` must then be the same for all.
    """

    def __init__(
        self,
        calls: int,
        window_s: float,
        clock_s: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        shared: Path | None = None,
    ) -> None:
        self._calls = calls
        self._window_s = window_s
        self._clock_s = clock_s
        self._sleep = sleep
        self._shared = shared if fcntl is not None else None
        self._lock = threading.Lock()
        self._sent: list[float] = []

    def wait(self) -> None:
        """Wait until one more call may go, and count it."""
        self.book(1)

    def book(self, count: int) -> int:
        """Return how many of `count` calls may go at the same moment, wait until they may, and count them."""
        return self._wait_for(count, is_counted=True)

    def at_once(self, count: int) -> int:
        """As `book`, for calls that count themselves."""
        return self._wait_for(count, is_counted=False)

    def count(self) -> None:
        """Count a call that goes without waiting."""
        if self._calls:
            with self._counted() as sent:
                sent.append(self._clock_s())

    def _wait_for(self, count: int, *, is_counted: bool) -> int:
        if not self._calls:
            return count
        allowed = min(count, self._calls)
        with self._counted() as sent:
            due_s = self._due_s(sent, allowed)
            sent.extend([due_s] * allowed if is_counted else [])
        self._sleep(max(0.0, due_s - self._clock_s()))
        return allowed

    def _due_s(self, sent: list[float], count: int) -> float:
        """Return when `count` more calls may go: when the call that is in the way is a window old."""
        now_s = self._clock_s()
        in_the_way = len(sent) + count - self._calls
        if in_the_way <= 0:
            return now_s
        return max(now_s, min(sent[in_the_way - 1] + self._window_s, now_s + _LONGEST_WAIT_S))

    @contextmanager
    def _counted(self) -> Iterator[list[float]]:
        """Yield the moments of the latest calls, oldest first, and keep what the block adds."""
        with self._lock:
            if self._shared is None:
                yield self._sent
                del self._sent[: -self._calls]
            else:
                with _kept(self._shared, self._calls) as sent:
                    yield sent


@contextmanager
def _kept(path: Path, most: int) -> Iterator[list[float]]:
    """Yield the moments in a file that this process alone holds, and write the latest `most` back."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)  # no link in its place
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        sent = [float(line) for line in os.read(file, 32 * (most + 1)).split()]
        yield sent
        os.lseek(file, 0, os.SEEK_SET)
        os.ftruncate(file, 0)
        os.write(file, "\n".join(f"{moment:.6f}" for moment in sent[-most:]).encode())
    finally:
        os.close(file)
