"""The clock of a simulated day: it shows the time that the day has reached, and each activity has its planned time.

So no recorded value depends on the speed of a connector. A task that waits on this clock sleeps until the day reaches
the end of the wait, and the day continues meanwhile: all activities of a minute overtake a message that a fault holds
back for that minute.
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
"""The time of the running activity; None means the time that the day has reached."""
Task = asyncio.Task[Any]


class _Sleeper(NamedTuple):
    until: datetime
    number: int
    task: Task
    waking: asyncio.Future[datetime]


class DayClock:
    """The clock of a day; the driver of the day (`Day`) moves it and wakes the sleeping tasks."""

    def __init__(self, start: datetime) -> None:
        self.at = start.astimezone(UTC)
        self._sleepers: list[_Sleeper] = []
        self._numbers = itertools.count()
        self._asleep: set[Task] = set()
        self._fell_asleep: asyncio.Future[None] | None = None

    def now(self) -> datetime:
        """Return the time of the running activity."""
        return AT.get() or self.at

    def wall(self) -> datetime:
        """Return the real time, which connectors use."""
        return datetime.now(UTC)

    def wall_s(self, platform_s: float) -> float:
        """Return the same number: no task waits in real time here."""
        return platform_s

    def monotonic(self) -> float:
        """Return real seconds, for measurements."""
        return time.monotonic()

    async def sleep(self, seconds: float, unless: asyncio.Future[None] | None = None) -> None:
        """Sleep until the day reaches the end of the wait, or `unless` is done; the activity continues at that time."""
        task = asyncio.current_task()
        if seconds <= 0 or task is None:
            return
        waking: asyncio.Future[datetime] = asyncio.get_running_loop().create_future()
        sleeper = _Sleeper(self.now() + timedelta(seconds=seconds), next(self._numbers), task, waking)
        heapq.heappush(self._sleepers, sleeper)
        self._asleep.add(task)
        if unless is not None:
            unless.add_done_callback(lambda _: self._wake_one(sleeper, max(self.now(), self.at)))
        if self._fell_asleep and not self._fell_asleep.done():
            self._fell_asleep.set_result(None)
        try:
            AT.set(await waking)
        finally:
            self._asleep.discard(task)

    def next_waking(self) -> datetime | None:
        """Return the time at which the next sleeping task wakes; None if no task sleeps."""
        while self._sleepers and self._sleepers[0].waking.done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0].until if self._sleepers else None

    def wake(self, before: datetime) -> set[Task]:
        """Wake the tasks with waits that end before a time, in order of time; returns these tasks."""
        woken = set()
        while (soonest := self.next_waking()) is not None and soonest < before:
            sleeper = heapq.heappop(self._sleepers)
            self._wake_one(sleeper, sleeper.until)
            woken.add(sleeper.task)
        return woken

    def awake(self, tasks: Collection[Task]) -> list[Task]:
        """Return the tasks that have not ended and do not sleep."""
        return [task for task in tasks if not task.done() and task not in self._asleep]

    async def wait_for_any(self, tasks: Collection[Task]) -> None:
        """Wait until one of the tasks that are awake ends or falls asleep."""
        if awake := self.awake(tasks):
            await self._until_first(awake)

    async def wait_for_all(self, tasks: Collection[Task]) -> None:
        """Wait until every task has ended or sleeps."""
        while awake := self.awake(tasks):
            await self._until_first([asyncio.gather(*awake, return_exceptions=True)])

    async def _until_first(self, futures: Collection[asyncio.Future[Any]]) -> None:
        self._fell_asleep = asyncio.get_running_loop().create_future()
        await asyncio.wait([*futures, self._fell_asleep], return_when=asyncio.FIRST_COMPLETED)

    def _wake_one(self, sleeper: _Sleeper, at: datetime) -> None:
        if not sleeper.waking.done():
            self._asleep.discard(sleeper.task)
            sleeper.waking.set_result(at)
