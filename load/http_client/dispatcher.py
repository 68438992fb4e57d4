"""Starts each request at its scheduled instant, independently of the answers to earlier requests.

It runs in hooks of the event loop: before the loop waits, and after every answer, it starts the due requests. For waits
of less than two milliseconds it polls the loop's descriptor, since the loop's timers are not precise enough.
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
"""Starts the request at a place; returns True for a new connection, which the loop must see before it waits."""


class Dispatcher:
    """Calls `start` once for each instant of `due_ns`, in order; sets `over` after the last one."""

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
        """Start the hooks; they call `start` from now on."""
        self._before_wait.start(self._turn)
        self._wake_after(0)

    def stop(self) -> None:
        """Start no further request."""
        self._before_wait.stop()
        self._timer.stop()
        self.over.set()

    @property
    def started(self) -> int:
        """The number of instants at which `start` was called."""
        return self._next

    def start_due(self) -> None:
        """Start the due requests, a few at a time, so that the loop reads answers in between."""
        if self._busy or self.over.is_set():
            return
        self._busy = True
        try:
            for _ in range(_MOST_AT_ONCE):
                if self._next == len(self._due_ns) or self._due_ns[self._next] > _clock() or not self._may_start():
                    break
                self._next += 1
                self._connected |= self._start(self._next - 1)
        except Exception as error:  # noqa: BLE001 - a bug of the kit makes the run invalid
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
        """Limit the loop's next wait to this time."""
        self._timer.stop()
        self._timer = self._loop.timer(wait_ns / 1e9)
        self._timer.start(_do_nothing)


def _do_nothing() -> None:
    """Callback of a timer that only ends a wait."""
