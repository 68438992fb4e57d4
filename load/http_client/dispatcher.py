"""Starts each request at the instant that the schedule says, whatever became of the ones before.

It runs in the event loop's own hooks: before the loop would wait, and after every answer, it starts what is due. For
waits of less than two milliseconds it watches the loop's own descriptor with a finer clock than the loop's timers have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from gevent import get_hub, monkey
from gevent.event import Event

_NEAR_NS = 2_000_000
_WAKE_BEFORE_NS = 1_200_000
_MOST_AT_ONCE = 16
_IDLE_NS = 100_000_000
_select = monkey.get_original("select", "select")
_clock = time.perf_counter_ns

MayStart = Callable[[], bool]
Start = Callable[[int], bool]
"""Starts a request by its place; true when it made a new connection, which the loop must hear of before it waits."""


class Dispatcher:
    """Calls `start` once for each instant of `due_ns`, in their order; `over` is set after the last one."""

    def __init__(
        self, due_ns: Sequence[int], start: Start, may_start: MayStart, on_error: Callable[[Exception], None]
    ) -> None:
        self.over = Event()
        self._due_ns = due_ns
        self._next = 0
        self._start = start
        self._may_start = may_start
        self._on_error = on_error
        self._loop = get_hub().loop
        self._loop_fd = self._loop.fileno()
        self._before_wait = self._loop.prepare()
        self._timer = self._loop.timer(0)
        self._busy = False
        self._connected = False

    def run(self) -> None:
        """Begin; it goes on by itself."""
        self._before_wait.start(self._turn)
        self._wake_after(0)

    def stop(self) -> None:
        """Start nothing any more."""
        self._before_wait.stop()
        self._timer.stop()
        self.over.set()

    @property
    def started(self) -> int:
        """How many of the instants have been served."""
        return self._next

    def start_due(self) -> None:
        """Start what is due, a few at a time so that answers are read in between."""
        if self._busy or self.over.is_set():
            return
        self._busy = True
        try:
            for _ in range(_MOST_AT_ONCE):
                if self._next == len(self._due_ns) or self._due_ns[self._next] > _clock() or not self._may_start():
                    break
                self._next += 1
                self._connected |= self._start(self._next - 1)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is ours and the run is invalid
            self.stop()
            self._on_error(error)
        finally:
            self._busy = False

    def _turn(self) -> None:
        self.start_due()
        if self._next == len(self._due_ns):
            self.stop()
        if self.over.is_set():
            return
        rest_ns = self._due_ns[self._next] - _clock()
        if self._connected or rest_ns <= 0:
            self._connected = False
            self._wake_after(0)
        elif rest_ns > _NEAR_NS:
            self._wake_after(min(rest_ns, _IDLE_NS) - _WAKE_BEFORE_NS)
        else:
            _select([self._loop_fd], [], [], rest_ns / 1e9)
            self._wake_after(0)
            self.start_due()

    def _wake_after(self, wait_ns: int) -> None:
        """Make sure that the loop's coming wait is no longer than this."""
        self._timer.stop()
        self._timer = self._loop.timer(wait_ns / 1e9)
        self._timer.start(_nothing)


def _nothing() -> None:
    """The timer only ends a wait."""
