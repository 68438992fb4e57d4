"""Keeps calls below a rate, over all threads of a process and, through a shared file, over several processes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such lock; there each process has its own pace
    fcntl = None  # type: ignore[assignment]

_LONGEST_WAIT_S = 60.0
"""The longest wait for one call: a clock that was set back must not stop all calls."""


class Pace:
    """Allows at most `calls` calls in any `window_s` seconds; `calls` 0 sets no limit. Several threads may share one.

    All processes that name the same `shared` file keep one pace together; they must then use the same `clock_s`.
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
        """Wait until one more call is allowed, and count it."""
        self.book(1)

    def book(self, count: int) -> int:
        """Wait until up to `count` calls are allowed together, count them, and return their number."""
        return self._wait_for(count, is_counted=True)

    def at_once(self, count: int) -> int:
        """Wait like `book`, for calls that call `count` themselves."""
        return self._wait_for(count, is_counted=False)

    def count(self) -> None:
        """Count a call that does not wait."""
        if self._calls:
            with self._counted() as sent:
                sent.append(self._clock_s())

    def arrived(self, ago_s: float) -> None:
        """Note that the latest call arrived at most `ago_s` seconds ago, and not at the moment when it was allowed."""
        if self._calls:
            with self._counted() as sent:
                if sent:
                    sent[-1] = max(sent[-1], self._clock_s() - ago_s)

    def pause(self, seconds: float) -> None:
        """Allow no call for some seconds."""
        if self._calls:
            with self._counted() as sent:
                sent[:] = [self._clock_s() + seconds - self._window_s] * self._calls

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
        """Return the time at which `count` more calls are allowed: one window after the call that blocks them."""
        now_s = self._clock_s()
        blocking = len(sent) + count - self._calls
        if blocking <= 0:
            return now_s
        return max(now_s, min(sent[blocking - 1] + self._window_s, now_s + _LONGEST_WAIT_S))

    @contextmanager
    def _counted(self) -> Iterator[list[float]]:
        """Yield the times of the latest calls, oldest first, and store what the block adds."""
        with self._lock:
            if self._shared is None:
                yield self._sent
                del self._sent[: -self._calls]
            else:
                with _locked_times(self._shared, self._calls) as sent:
                    yield sent


@contextmanager
def _locked_times(path: Path, most: int) -> Iterator[list[float]]:
    """Lock a file of times, yield the times, and write the latest `most` of them back."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)  # O_NOFOLLOW refuses a link
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        sent = [float(line) for line in os.read(file, 32 * (most + 1)).split()]
        yield sent
        os.lseek(file, 0, os.SEEK_SET)
        os.ftruncate(file, 0)
        os.write(file, "\n".join(f"{moment:.6f}" for moment in sent[-most:]).encode())
    finally:
        os.close(file)
