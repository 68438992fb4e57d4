"""The platform's clock, which the composition root passes to every other part. It may run at any speed.

Waits and timestamps use platform time. Measurements and the dates in signatures use real time, because connectors and
clients run in real time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from simulator.errors import BadCall
from simulator.storage.key_values import KeyValueStore

_LONGEST_WAIT_S = 3600.0
_ONLY = "platform"
_END = datetime(9000, 1, 1, tzinfo=UTC)
"""The latest time of any clock. `datetime` ends at the year 9999, and adding to a date beyond it would fail."""


class Clock(Protocol):
    """The clock that the platform needs."""

    def now(self) -> datetime:
        """Return the platform's instant in UTC."""
        ...

    def wall(self) -> datetime:
        """Return the time for signatures, in UTC."""
        ...

    def wall_s(self, platform_s: float) -> float:
        """Return how many real seconds a wait of the platform takes."""
        ...

    def monotonic(self) -> float:
        """Return real seconds that never run backwards, for measurements."""
        ...

    async def sleep(self, seconds: float, unless: asyncio.Future[None] | None = None) -> None:
        """Wait for a number of platform seconds, or until `unless` is done."""
        ...


class Setting(NamedTuple):
    """A setting of a platform's clock: at the real time `real` it showed `at`, and has run at `speed` since."""

    at: datetime
    real: datetime
    speed: float

    def now(self, real: datetime) -> datetime:
        """Return what the clock shows at a real time."""
        return _later(self.at, max(0.0, (real - self.real).total_seconds()) * self.speed)


def real_now() -> datetime:
    """Return the real time in UTC."""
    return datetime.now(UTC)


class PlatformClock:
    """A clock that starts at `start` (None: the real time) and runs `speed` times as fast as real time; 0 stops it.

    The storage keeps the setting, so the clock also advances while the platform is down.
    """

    def __init__(
        self,
        *,
        start: datetime | None = None,
        speed: float = 1.0,
        real: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = real_now,
        storage: KeyValueStore[Setting] | None = None,
    ) -> None:
        self._real, self._wall = real, wall
        self._storage = storage or KeyValueStore("clock", Setting)
        self._changed: set[asyncio.Event] = set()
        before = self._storage.all().get(_ONLY)
        if before:
            start, speed = before.now(wall()), before.speed
        self._set(start.astimezone(UTC) if start else wall(), speed)

    @property
    def speed(self) -> float:
        """Return the number of platform seconds in a real second."""
        return self._speed

    def now(self) -> datetime:
        """Return the platform's instant in UTC."""
        return _later(self._at, (self._real() - self._since) * self._speed)

    def wall(self) -> datetime:
        """Return real time: a connector checks signatures against its own clock."""
        return self._wall()

    def wall_s(self, platform_s: float) -> float:
        """Return how many real seconds a wait takes, at most an hour, which is also the wait on a stopped clock."""
        return min(platform_s / self._speed, _LONGEST_WAIT_S) if self._speed else _LONGEST_WAIT_S

    def monotonic(self) -> float:
        """Return real seconds that never run backwards."""
        return self._real()

    def set(self, *, speed: float | None = None, advance_s: float = 0.0) -> None:
        """Change the speed from now on, or move the clock forward. Waits that have begun follow the change.

        Raises BadCall if the clock would run backwards.
        """
        if advance_s < 0 or (speed is not None and speed < 0):
            raise BadCall("the platform's clock never runs backwards")
        self._set(_later(self.now(), advance_s), self._speed if speed is None else speed)
        for event in self._changed:
            event.set()

    async def sleep(self, seconds: float, unless: asyncio.Future[None] | None = None) -> None:
        """Wait, and also wake up when the clock is moved past the end of the wait."""
        await wait_for_first(self._sleep(seconds), unless)

    async def _sleep(self, seconds: float) -> None:
        until = self.now() + timedelta(seconds=seconds)
        event = asyncio.Event()
        self._changed.add(event)
        try:
            while (left := (until - self.now()).total_seconds()) > 0:
                event.clear()
                await _wait_for(event, self.wall_s(left))
        finally:
            self._changed.discard(event)

    def _set(self, at: datetime, speed: float) -> None:
        self._at, self._since, self._speed = at, self._real(), speed
        self._storage.put(_ONLY, Setting(at, self._wall(), speed))


def _later(at: datetime, seconds: float) -> datetime:
    return at + timedelta(seconds=min(seconds, (_END - at).total_seconds()))


async def wait_for_first(wait: Coroutine[Any, Any, None], unless: asyncio.Future[None] | None) -> None:
    """Wait until `wait` or `unless` is done, whichever is first, then cancel `wait`."""
    if unless is None:
        await wait
        return
    waiting = asyncio.create_task(wait)
    try:
        await asyncio.wait([waiting, unless], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()


async def _wait_for(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
