"""Delivery faults: for carts that arrive again, incompletely, throttled or late; they appear in visits."""

from __future__ import annotations

import asyncio
import re

from conformance.mutants.http_app import Receive, Reply, Request
from conformance.mutants.json_values import text_at
from conformance.mutants.registry import CONNECTOR_FAULTS
from conformance.mutants.small_connector import SmallConnector, trip_of
from conformance.mutants.visits import is_purchase, other_purchase

_fault = CONNECTOR_FAULTS.fault
_RATE_LIMIT = 5
_HANGS_UP_WITHIN_S = 0.05
_TRIP_ID = re.compile(rb'"idempotentShoppingTripId"\s*:\s*"([^"]+)"')
_NO_PURCHASE = Reply(201, {"purchaseId": ""})


class _NotesAttempts(SmallConnector):
    """The base of faults that count the attempts to deliver a cart."""

    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self.attempts: dict[str, list[str]] = {}

    async def cart(self, request: Request) -> Reply:
        self.attempts.setdefault(trip_of(request.body), []).append(text_at(request.body, "requestId"))
        return await super().cart(request)


@_fault("E2E-X.9")
class buys_again_at_the_third_attempt(_NotesAttempts):
    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        is_third = len(self.attempts[trip_of(request.body)]) == 3  # noqa: PLR2004 - the fault's own number
        return other_purchase(reply, "again") if is_third else reply


@_fault("E2E-X.13")
class takes_an_old_attempt_for_a_new_trip(_NotesAttempts):
    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        *before, this = self.attempts[trip_of(request.body)]
        return other_purchase(reply, "old") if this in before[:-1] else reply


@_fault("E2E-X.12")
class takes_an_older_cart_for_a_duplicate(SmallConnector):
    _newest = ("", Reply(201))

    async def cart(self, request: Request) -> Reply:
        reply, end = await super().cart(request), text_at(request.body, "shoppingTrip.endTime")
        if is_purchase(reply) and end >= self._newest[0]:
            self._newest = end, reply
        return self._newest[1] if is_purchase(reply) else reply


class _LosesTrips(SmallConnector):
    """The base of faults that lose a trip after an event of its cart."""

    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self.broken_trips: set[str] = set()

    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        return self.for_broken_trip(reply) if trip_of(request.body) in self.broken_trips else reply

    def for_broken_trip(self, reply: Reply) -> Reply:
        """Return the wrong reply to a cart of a broken trip."""
        del reply
        return _NO_PURCHASE


class _NoticesHangUps(_LosesTrips):
    async def cart(self, request: Request) -> Reply:
        reply = await super().cart(request)
        if await _has_hung_up(request.receive):
            self.broken_trips.add(trip_of(request.body))
        return reply


@_fault("E2E-X.10")
class undoes_a_purchase_when_the_caller_hangs_up(_NoticesHangUps):
    def for_broken_trip(self, reply: Reply) -> Reply:
        return other_purchase(reply, "again")


@_fault("E2E-X.10")
class loses_a_cart_when_the_caller_hangs_up(_NoticesHangUps):
    pass


@_fault("E2E-X.11")
class loses_a_cart_after_a_cut_connection(_LosesTrips):
    async def answer(self, request: Request) -> Reply:
        if not request.is_whole:
            self.broken_trips |= {trip.decode() for trip in _TRIP_ID.findall(request.raw)}
        return await super().answer(request)


@_fault("E2E-X.14", slow=True, rate_limit_per_second=_RATE_LIMIT)
class takes_a_throttled_cart_for_seen(_LosesTrips):
    async def answer(self, request: Request) -> Reply:
        reply = await super().answer(request)
        if request.call == "cart" and reply.status == self.too_many().status:
            self.broken_trips.add(trip_of(request.body))
        return reply


async def _has_hung_up(receive: Receive) -> bool:
    try:
        async with asyncio.timeout(_HANGS_UP_WITHIN_S):
            return bool((await receive())["type"] == "http.disconnect")
    except TimeoutError:
        return False
