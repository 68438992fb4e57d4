"""The pace of calls to the platform, over all threads of a process and, through a file, over all its processes.

The file holds the moment from which the next call may go; who calls takes it under a lock, and moves it on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such lock: there the pace holds within a process
    fcntl = None  # type: ignore[assignment]


class Pace:
    """Keeps calls apart so that there are never more than the set rate in a second."""

    def __init__(
        self,
        rate_per_s: float,
        clock_s: Callable[[], float],
        sleep: Callable[[float], None],
        shared: Path | None = None,
    ) -> None:
        self._gap_s = 1 / rate_per_s
        self._clock_s = clock_s
        self._sleep = sleep
        self._shared = shared if fcntl is not None else None
        self._door = threading.Lock()
        self._next_s = clock_s()

    def wait(self) -> None:
        """Wait until the next call may go."""
        with self._door:
            mine_s = self._take() if self._shared is None else self._take_shared(self._shared)
        self._sleep(max(0.0, mine_s - self._clock_s()))

    def _take(self) -> float:
        mine_s = max(self._next_s, self._clock_s())
        self._next_s = mine_s + self._gap_s
        return mine_s

    def _take_shared(self, path: Path) -> float:
        with _locked(path) as file:
            text = os.read(file, 64)
            now_s = self._clock_s()
            planned_s = float(text) if text else now_s
            mine_s = max(now_s, min(planned_s, now_s + 60))  # a clock that was set back must not stop all calls
            os.lseek(file, 0, os.SEEK_SET)
            os.ftruncate(file, 0)
            os.write(file, f"{mine_s + self._gap_s:.6f}".encode())
        return mine_s


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Open a file of our own and hold it alone; a link in its place is not followed."""
    file = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)
