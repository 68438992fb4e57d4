"""A day's clock: it shows the day's progress, and every activity has its own planned instant.

So nothing that is kept depends on how fast a connector answered. A task that waits on this clock sleeps until the day
gets there, while the day continues: a message that a fault holds back for a minute is overtaken by all that happens in
that minute.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Collection
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

AT: ContextVar[datetime | None] = ContextVar("at", default=None)
"""The instant of the activity that is running; None: where the day has got to."""
Task = asyncio.Task[Any]


class _Sleeper(NamedTuple):
    until: datetime
    number: int
    task: Task
    waking: asyncio.Future[datetime]


class DayClock:
    """The driver of the day moves it and wakes the sleepers."""

    def __init__(self, start: datetime) -> None:
        self.at = start.astimezone(UTC)
        self._sleepers: list[_Sleeper] = []
        self._numbers = itertools.count()
        self._asleep: set[Task] = set()
        self._fell_asleep: asyncio.Future[None] | None = None

    def now(self) -> datetime:
        """Return the activity's instant."""
        return AT.get() or self.at

    def wall(self) -> datetime:
        """Return real time, which connectors live in."""
        return datetime.now(UTC)

    def wall_s(self, platform_s: float) -> float:
        """Return the same number: no task waits in real time here."""
        return platform_s

    def monotonic(self) -> float:
        """Return real seconds, for measuring."""
        return time.monotonic()

    async def sleep(self, seconds: float, unless: asyncio.Future[None] | None = None) -> None:
        """Sleep until the day has got so far, or until `unless` is done; the activity goes on at that instant."""
        task = asyncio.current_task()
        if seconds <= 0 or task is None:
            return
        waking: asyncio.Future[datetime] = asyncio.get_running_loop().create_future()
        sleeper = _Sleeper(self.now() + timedelta(seconds=seconds), next(self._numbers), task, waking)
        heapq.heappush(self._sleepers, sleeper)
        self._asleep.add(task)
        if unless is not None:
            unless.add_done_callback(lambda _: self._rouse(sleeper, max(self.now(), self.at)))
        if self._fell_asleep and not self._fell_asleep.done():
            self._fell_asleep.set_result(None)
        try:
            AT.set(await waking)
        finally:
            self._asleep.discard(task)

    def next_waking(self) -> datetime | None:
        """Return the instant at which the next sleeper wakes; None if no task sleeps."""
        while self._sleepers and self._sleepers[0].waking.done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0].until if self._sleepers else None

    def wake(self, before: datetime) -> set[Task]:
        """Wake all tasks that sleep until an instant before the given one, in order; returns them."""
        woken = set()
        while (soonest := self.next_waking()) is not None and soonest < before:
            sleeper = heapq.heappop(self._sleepers)
            self._rouse(sleeper, sleeper.until)
            woken.add(sleeper.task)
        return woken

    def awake(self, tasks: Collection[Task]) -> list[Task]:
        """Return the tasks that neither have ended nor sleep."""
        return [task for task in tasks if not task.done() and task not in self._asleep]

    async def stirred(self, tasks: Collection[Task]) -> None:
        """Wait until one of the tasks that are awake has ended or fallen asleep."""
        if awake := self.awake(tasks):
            await self._until_first(awake)

    async def settled(self, tasks: Collection[Task]) -> None:
        """Wait until each of the tasks has ended or sleeps."""
        while awake := self.awake(tasks):
            await self._until_first([asyncio.gather(*awake, return_exceptions=True)])

    async def _until_first(self, futures: Collection[asyncio.Future[Any]]) -> None:
        self._fell_asleep = asyncio.get_running_loop().create_future()
        await asyncio.wait([*futures, self._fell_asleep], return_when=asyncio.FIRST_COMPLETED)

    def _rouse(self, sleeper: _Sleeper, at: datetime) -> None:
        if not sleeper.waking.done():
            self._asleep.discard(sleeper.task)
            sleeper.waking.set_result(at)
