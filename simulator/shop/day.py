"""Runs a simulated day, one window of platform time after the other: all activities of a window, then its due carts.

The activities of a window run concurrently. The journal has them in the order of the plan, so a second run repeats it.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from jwo_toolkit.json_types import JsonObject
from simulator.carts import Line
from simulator.composition import StoreServices
from simulator.delivery import Deliveries
from simulator.entry.app_code import Scan, scan_of_identity_key
from simulator.entry.cards import Instrument
from simulator.errors import NotNow
from simulator.journal import SORT_KEY
from simulator.shop.clock import AT, DayClock, Task
from simulator.shop.plan import Kind, Shop, Visit, basket

What = Literal["enter", "join", "loyalty", "leave"]
Mint = Callable[[Kind], str]
"""Makes a fresh identity key of a kind, Base64. It may call the retailer and take seconds."""
_MINTED_AT_ONCE = 4


class Pace(NamedTuple):
    """The pace of a day: platform seconds in a real second (0: as fast as possible), and the size of a window."""

    speed: float = 0.0
    window_s: int = 1
    at_once: int = 64
    patience_h: float = 30.0
    """How many hours after midnight the day waits for undelivered carts."""


class _Later(NamedTuple):
    """What a visit does after its entry; the plan's number keeps the order of activities of one second."""

    at_s: int
    number: int
    what: What
    trip_id: str


class _Activity(NamedTuple):
    at_s: int
    what: What
    visit: Visit
    trip_id: str = ""


async def _follow_nothing() -> None:
    return


def _cannot_mint(kind: Kind) -> str:
    raise NotNow(f"the plan has visits with fresh keys of the kind {kind}, and the day has no source of keys")


class Day:
    """One simulated day in one platform; `receive` gets the visits with the answers of their gates.

    `follow` runs after each window.
    """

    def __init__(
        self,
        services: StoreServices,
        clock: DayClock,
        shops: tuple[Shop, ...],
        plan: list[Visit],
        *,
        mint: Mint = _cannot_mint,
        receive: Callable[[Visit, JsonObject], None] = lambda _visit, _answer: None,
        follow: Callable[[], Awaitable[None]] = _follow_nothing,
    ) -> None:
        self._services = services
        self._clock = clock
        self._shops = shops
        self._plan = plan
        self._mint = mint
        self._receive = receive
        self._follow = follow
        self._midnight = clock.at
        self._later: list[_Later] = []
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
            *([self._later[0].at_s] if self._later else []),
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
        keys = await self._keys(planned)
        for first in range(0, len(planned), pace.at_once):
            numbers = range(first, min(first + pace.at_once, len(planned)))
            self._under_way |= {self._start(planned[number], keys.get(number, "")) for number in numbers}
            await self._settle()
        self.most_inside = max(self.most_inside, self.inside)
        self._clock.at = end
        await send_due(self._services.deliveries, self._clock)
        self._services.journal.release()
        await self._follow()
        return arrived

    def _planned(self, arrived: int, end_s: int) -> tuple[list[_Activity], int]:
        """Return the activities of a window, and the number of visits that have arrived."""
        planned: list[_Activity] = []
        while arrived < len(self._plan) and self._plan[arrived].at_s < end_s:
            planned.append(_Activity(self._plan[arrived].at_s, "enter", self._plan[arrived]))
            arrived += 1
        while self._later and self._later[0].at_s < end_s:
            at_s, number, what, trip_id = heapq.heappop(self._later)
            planned.append(_Activity(at_s, what, self._plan[number], trip_id))
        return planned, arrived

    async def _keys(self, planned: list[_Activity]) -> dict[int, str]:
        """Mint the keys of a window before its first call, so that no measured time includes the minting."""
        needed = [
            (number, one.visit.kind)
            for number, one in enumerate(planned)
            if one.what in {"enter", "join"} and one.visit.is_minted
        ]
        keys: dict[int, str] = {}
        for first in range(0, len(needed), _MINTED_AT_ONCE):
            some = needed[first : first + _MINTED_AT_ONCE]
            minted = await asyncio.gather(*(asyncio.to_thread(self._mint, kind) for _, kind in some))
            keys.update(zip((number for number, _ in some), minted, strict=True))
        return keys

    async def _settle(self) -> None:
        """Wait until every running task has ended or sleeps. Raises the error of a task that failed."""
        await self._clock.wait_for_all(self._under_way)
        ended = {task for task in self._under_way if task.done()}
        self._under_way -= ended
        for task in ended:
            task.result()

    def _start(self, activity: _Activity, key: str) -> Task:
        """Start an activity at its planned time, with its own sort key for the journal."""
        at = self._midnight + timedelta(seconds=activity.at_s)
        context = copy_context()
        context.run(AT.set, at)
        context.run(SORT_KEY.set, (at.timestamp(), activity.what, str(activity.visit.number), 0))
        return asyncio.get_running_loop().create_task(self._work(activity, key), context=context)

    def _work(self, activity: _Activity, key: str) -> Coroutine[Any, Any, None]:
        _, what, visit, trip_id = activity
        if what == "leave":
            return self._leave(visit, trip_id)
        if what == "loyalty":
            return self._show_loyalty_card(visit, trip_id)
        return self._enter(visit, key or visit.means, trip_id)

    def _seconds(self, at: datetime) -> float:
        return (at - self._midnight).total_seconds()

    async def _enter(self, visit: Visit, means: str, joins: str) -> None:
        """Let a visitor try to come in, or a further person of a group, with the trip `joins`."""
        try:
            decision = await self._show(visit, means, joins)
        except NotNow:  # a fault held a person of the group back until the others had left
            return
        self._receive(visit, decision)
        if decision["opens"] and not joins:
            self.inside += 1
            self._plan_stay(visit, decision["shoppingTripId"])

    async def _show(self, visit: Visit, means: str, joins: str) -> JsonObject:
        gates = self._services.gates
        if visit.way == "app":
            return await gates.scan(visit.gate, scan_of_identity_key(means), joins=joins)
        if visit.way == "badge":
            return await gates.badge(visit.gate, Scan.of_text(means), joins=joins)
        if visit.way == "loyalty":
            return await gates.loyalty(visit.gate, means, "OPTICAL")
        instrument = Instrument(means, "PALM" if visit.way == "palm" else "CREDIT_CARD")
        return await gates.pay(visit.gate, instrument, joins=joins)

    def _plan_stay(self, visit: Visit, trip_id: str) -> None:
        """Plan the entries of the rest of a group, a loyalty card shown inside, and the exit after these."""
        next_s = int(self._seconds(self._clock.now())) + 1
        late_s = max(0, next_s - visit.at_s - 1)
        later = [_Later(at_s + late_s, visit.number, "join", trip_id) for at_s in visit.joins_at_s()]
        if visit.loyalty:
            later.append(_Later(max(visit.at_s + visit.stay_s // 2, next_s), visit.number, "loyalty", trip_id))
        leaves_at = max([visit.at_s + visit.stay_s, next_s, *(one.at_s + 1 for one in later)])
        for one in (*later, _Later(leaves_at, visit.number, "leave", trip_id)):
            heapq.heappush(self._later, one)

    async def _show_loyalty_card(self, visit: Visit, trip_id: str) -> None:
        with suppress(NotNow):  # a fault held the scan back until the shopper had left
            answer = await self._services.gates.loyalty_inside(trip_id, visit.loyalty, "OPTICAL")
            self._receive(visit, answer)

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
