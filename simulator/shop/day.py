"""Runs a simulated day, one window of platform time after the other: all activities of a window, then its due carts.

The activities of a window run concurrently. The journal has them in the order of the plan, so a second run repeats it.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from simulator.carts import Line
from simulator.composition import StoreServices
from simulator.delivery import Deliveries
from simulator.entry.app_code import scan_of_identity_key
from simulator.entry.cards import Instrument
from simulator.errors import NotNow
from simulator.journal import SORT_KEY
from simulator.shop.clock import AT, DayClock, Task
from simulator.shop.plan import Shop, Visit, basket


class Pace(NamedTuple):
    """The pace of a day: platform seconds in a real second (0: as fast as possible), and the size of a window."""

    speed: float = 0.0
    window_s: int = 1
    at_once: int = 64
    patience_h: float = 30.0
    """How many hours after midnight the day waits for undelivered carts."""


class _Activity(NamedTuple):
    at_s: int
    what: str
    number: int
    work: Coroutine[Any, Any, None]


class Day:
    """One simulated day in one platform."""

    def __init__(self, services: StoreServices, clock: DayClock, shops: tuple[Shop, ...], plan: list[Visit]) -> None:
        self._services = services
        self._clock = clock
        self._shops = shops
        self._plan = plan
        self._midnight = clock.at
        self._leaving: list[tuple[int, int, str]] = []
        self._under_way: set[Task] = set()
        self.inside = 0
        self.most_inside = 0

    async def run(self, pace: Pace, report_time: Callable[[datetime], None]) -> None:
        """Run until all shoppers have left and all carts are delivered or dead; `report_time` gets the day's time."""
        started, first, arrived = time.monotonic(), self._plan[0].at_s if self._plan else 0, 0
        at_s = first - first % pace.window_s
        while (at_s := self._next_window(at_s, arrived, pace)) >= 0:
            end_s = at_s + pace.window_s
            if pace.speed and at_s <= pace.patience_h * 3600:
                await asyncio.sleep(started + (at_s - first) / pace.speed - time.monotonic())
            arrived = await self._window(arrived, end_s, pace)
            report_time(self._clock.at)
            at_s = end_s

    def _next_window(self, at_s: int, arrived: int, pace: Pace) -> int:
        """Return the start of the next window with work, in seconds from midnight; -1 if the day is over."""
        due, waking = self._services.deliveries.next_due(), self._clock.next_waking()
        nexts = [
            *([self._plan[arrived].at_s] if arrived < len(self._plan) else []),
            *([self._leaving[0][0]] if self._leaving else []),
            *([due - self._midnight.timestamp()] if due is not None else []),
        ]
        soonest = min([one for one in nexts if one <= pace.patience_h * 3600], default=math.inf)
        if waking is not None:
            soonest = min(soonest, self._seconds(waking))
        return -1 if soonest == math.inf else max(at_s, int(soonest) - int(soonest) % pace.window_s)

    async def _window(self, arrived: int, end_s: int, pace: Pace) -> int:
        end = self._midnight + timedelta(seconds=end_s)
        self._services.journal.hold()
        self._under_way |= self._clock.wake(end)
        await self._settle()
        planned, arrived = self._planned(arrived, end_s)
        for first in range(0, len(planned), pace.at_once):
            self._under_way |= {self._start(*activity) for activity in planned[first : first + pace.at_once]}
            await self._settle()
        self.most_inside = max(self.most_inside, self.inside)
        self._clock.at = end
        await send_due(self._services.deliveries, self._clock)
        self._services.journal.release()
        return arrived

    def _planned(self, arrived: int, end_s: int) -> tuple[list[_Activity], int]:
        """Return the arrivals and exits of a window, and the number of visits that have arrived."""
        planned: list[_Activity] = []
        while arrived < len(self._plan) and self._plan[arrived].at_s < end_s:
            visit = self._plan[arrived]
            planned.append(_Activity(visit.at_s, "enter", visit.number, self._enter(visit)))
            arrived += 1
        while self._leaving and self._leaving[0][0] < end_s:
            at_s, number, trip_id = heapq.heappop(self._leaving)
            planned.append(_Activity(at_s, "leave", number, self._leave(self._plan[number], trip_id)))
        return planned, arrived

    async def _settle(self) -> None:
        """Wait until every running task has ended or sleeps. Raises the error of a task that failed."""
        await self._clock.wait_for_all(self._under_way)
        ended = {task for task in self._under_way if task.done()}
        self._under_way -= ended
        for task in ended:
            task.result()

    def _start(self, at_s: int, what: str, number: int, work: Coroutine[Any, Any, None]) -> Task:
        """Start an activity at its planned time, with its own sort key for the journal."""
        at = self._midnight + timedelta(seconds=at_s)
        context = copy_context()
        context.run(AT.set, at)
        context.run(SORT_KEY.set, (at.timestamp(), what, str(number), 0))
        return asyncio.get_running_loop().create_task(work, context=context)

    def _seconds(self, at: datetime) -> float:
        return (at - self._midnight).total_seconds()

    async def _enter(self, visit: Visit) -> None:
        gates = self._services.gates
        if visit.way == "app":
            decision = await gates.scan(visit.gate, scan_of_identity_key(visit.means))
        else:
            card, palm = Instrument(visit.means), Instrument(visit.means, "PALM", "HOVER")
            decision = await gates.pay(visit.gate, palm if visit.way == "palm" else card)
        if decision["opens"]:
            self.inside += 1
            leaves_at = max(visit.at_s + visit.stay_s, int(self._seconds(self._clock.now())) + 1)
            heapq.heappush(self._leaving, (leaves_at, visit.number, decision["shoppingTripId"]))

    async def _leave(self, visit: Visit, trip_id: str) -> None:
        trips, shop = self._services.trips, self._shops[visit.shop]
        trip = await trips.find(trip_id)
        for taken in basket(visit, shop, self._services.seed) if shop.skus else []:
            try:
                trips.take(trip, Line("SKU", taken.sku, taken.unit), taken.quantity)
            except NotNow:
                continue
        await trips.leave(trip_id)
        self.inside -= 1


async def send_due(deliveries: Deliveries, clock: DayClock) -> None:
    """Send the due carts, and wait until each attempt has ended or sleeps."""
    while await deliveries.start_due() or clock.awake(deliveries.sending):
        await clock.wait_for_any(deliveries.sending)
