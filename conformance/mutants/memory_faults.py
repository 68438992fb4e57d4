"""Idempotency faults: a wrong key for a remembered call, a memory that is too short, and races between calls."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

from conformance.mutants.http_app import Reply, Request
from conformance.mutants.json_values import text_at
from conformance.mutants.registry import CONNECTOR_FAULTS
from conformance.mutants.small_connector import BreaksOneCall, Memory, SmallConnector, new_id, trip_of

_fault, _fault_of_each_call = CONNECTOR_FAULTS.fault, CONNECTOR_FAULTS.fault_of_each_call
_RACE_S, _MIX_UP_S = 0.05, 0.02
_FEW = 32
_FORGETS_AFTER_S = 2
_DAY = timedelta(days=1)
_SHORT_COLUMN_CHARACTERS, _INDEXED_CHARACTERS = 64, 18
_TIMES = {"scan": "authEvent.timestamp", "cart": "shoppingTrip.endTime"}


class NewVisitorIds(SmallConnector):
    """The base of faults that appear only if each decision gives the visitor a new id."""

    def let_in(self, visitor: str, kind: str) -> Reply:
        return super().let_in(new_id(), kind)


class BrokenMemory(BreaksOneCall, NewVisitorIds):
    """The base of faults in the memory of one call."""

    memory: ClassVar[type[Memory]]

    def new_memory(self, call: str) -> Memory:
        return self.memory() if call == self.broken_call else super().new_memory(call)


# the key of a remembered decision


@_fault("VIK-6", "VIK-X.1", "VIK-X.2", "E2E-X.4")
class forgets_the_auth_event(NewVisitorIds):
    def event_key(self, request: Request) -> str:
        return new_id()


@_fault("VIK-6")
class remembers_by_request_id(NewVisitorIds):
    def event_key(self, request: Request) -> str:
        return text_at(request.body, "requestId")


@_fault("VIK-X.3")
class remembers_by_event_and_key(SmallConnector):
    def event_key(self, request: Request) -> str:
        return super().event_key(request) + text_at(request.body, "identityKey")


@_fault("VIK-X.38")
class remembers_by_the_start_of_the_event(SmallConnector):
    def event_key(self, request: Request) -> str:
        return super().event_key(request)[:_INDEXED_CHARACTERS]


# the key of a remembered purchase


@_fault("CP-2", "CP-X.1", "CP-X.2", "E2E-X.9")
class forgets_the_trip_id(SmallConnector):
    def trip_key(self, request: Request) -> str:
        return new_id()


@_fault("CP-2")
class remembers_trips_by_request_id(SmallConnector):
    def trip_key(self, request: Request) -> str:
        return text_at(request.body, "requestId")


@_fault("CP-X.4")
class remembers_trips_by_cart(SmallConnector):
    def trip_key(self, request: Request) -> str:
        return json.dumps(request.items)


@_fault("CP-X.3")
class remembers_by_trip_and_cart(SmallConnector):
    def trip_key(self, request: Request) -> str:
        return trip_of(request.body) + json.dumps(request.items)


@_fault("CP-X.48")
class cuts_trip_ids_short(SmallConnector):
    def trip_key(self, request: Request) -> str:
        return trip_of(request.body)[:_SHORT_COLUMN_CHARACTERS]


@_fault("CP-X.48")
class reads_trip_ids_as_numbers(SmallConnector):
    def trip_key(self, request: Request) -> str:
        trip = trip_of(request.body)
        try:
            return str(float(trip))
        except ValueError:
            return trip


@_fault_of_each_call(scan=("VIK-X.22",), cart=("CP-X.31",))
class remembers_by_body(BreaksOneCall, NewVisitorIds):
    def event_key(self, request: Request) -> str:
        return _digest(request) if self.broken_call == "scan" else super().event_key(request)

    def trip_key(self, request: Request) -> str:
        return _digest(request) if self.broken_call == "cart" else super().trip_key(request)


# an answer to a duplicate that is right, but not equal


@_fault_of_each_call(scan=("VIK-6", "VIK-X.1", "VIK-X.22"), cart=("CP-2", "CP-X.1", "CP-X.31"))
class numbers_its_answers(BreaksOneCall):
    """Each answer has a member of its own, which the rules for duplicates only advise against."""

    _answered = 0

    async def answer(self, request: Request) -> Reply:
        reply = await super().answer(request)
        if request.call != self.broken_call or not isinstance(reply.body, dict):
            return reply
        self._answered += 1
        return replace(reply, body={**reply.body, "answerNumber": self._answered})


# how long a call is remembered


class _SmallMemory(Memory):
    def keep(self, key: str, value: object, request: Request) -> None:
        super().keep(key, value, request)
        for old in list(self.kept)[:-_FEW]:
            del self.kept[old]


@_fault_of_each_call(scan=("VIK-X.23",), cart=("CP-X.32",))
class remembers_32(BrokenMemory):
    memory = _SmallMemory


class _ShortMemory(Memory):
    def keep(self, key: str, value: object, request: Request) -> None:
        super().keep(key, value, request)
        asyncio.get_running_loop().call_later(_FORGETS_AFTER_S, self.kept.pop, key, None)


@_fault_of_each_call(scan=("VIK-X.24",), cart=("CP-X.33",), slow=True)
class forgets_after_two_seconds(BrokenMemory):
    memory = _ShortMemory


class _NoDisk(Memory):
    def restart(self) -> None:
        self.kept.clear()


@_fault_of_each_call(scan=("VIK-X.25",), cart=("CP-X.34", "E2E-X.15"))
class forgets_at_restart(BrokenMemory):
    memory = _NoDisk


class _TrustsMessages(Memory):
    def __init__(self) -> None:
        super().__init__()
        self._times: dict[str, datetime] = {}

    def keep(self, key: str, value: object, request: Request) -> None:
        super().keep(key, value, request)
        self._times[key] = datetime.fromisoformat(text_at(request.body, _TIMES[request.call]))
        newest = max(self._times.values())
        for old in [each for each in self.kept if self._times[each] <= newest - _DAY]:
            del self.kept[old]


@_fault_of_each_call(scan=("CP-X.46",), cart=("CP-X.46",), slow=True)
class forgets_by_the_times_in_messages(BrokenMemory):
    memory = _TrustsMessages


@_fault("VIK-X.5")
class forgets_refusals(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._refused: set[str] = set()

    async def decision(self, event: str, request: Request) -> Reply:
        if event in self._refused:
            return self.let_in("late-guest", "SHOPPER")
        reply = await super().decision(event, request)
        if reply.status == self.turn_away().status:
            self._refused.add(event)
        return reply


@_fault("CP-X.12")
class forgets_empty_trips(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._empty_carts = 0

    async def sale(self, trip: str, request: Request) -> Reply:
        if request.items:
            return await super().sale(trip, request)
        self._empty_carts += 1
        return self.sold("" if self._empty_carts % 2 else new_id())


@_fault("CP-X.46", slow=True)
class forgets_on_an_empty_cart(SmallConnector):
    async def sale(self, trip: str, request: Request) -> Reply:
        reply = await super().sale(trip, request)
        if not request.items:
            self.purchases.kept = {trip: self.purchases.get(trip)}
        return reply


@_fault("CP-X.47", slow=True)
class gives_an_id_again_after_a_restart(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._made = 0

    def restart(self) -> None:
        super().restart()
        self._made -= 1

    def new_purchase_id(self, request: Request) -> str:
        if not request.items:
            return ""
        self._made += 1
        return f"purchase-{self._made}"


# concurrent calls


@_fault("VIK-X.2", "E2E-X.4")
class decides_twice_at_once(NewVisitorIds):
    async def decision(self, event: str, request: Request) -> Reply:
        if self.decisions.get(event) is None:
            await asyncio.sleep(_RACE_S)
            self.decisions.keep(event, self.decide(request), request)
        return await super().decision(event, request)


@_fault("VIK-X.27")
class mixes_visitors_up(SmallConnector):
    _current: Reply

    async def decision(self, event: str, request: Request) -> Reply:
        self._current = await super().decision(event, request)
        await asyncio.sleep(_MIX_UP_S)
        return self._current


@_fault("CP-X.2")
class buys_twice_at_once(SmallConnector):
    async def sale(self, trip: str, request: Request) -> Reply:
        if self.purchases.get(trip) is not None:
            return await super().sale(trip, request)
        await asyncio.sleep(_RACE_S)
        return self.sold(self.buy(trip, request).id)


@_fault("CP-X.36", "E2E-X.7")
class mixes_trips_up(SmallConnector):
    _current: Reply

    async def sale(self, trip: str, request: Request) -> Reply:
        self._current = await super().sale(trip, request)
        await asyncio.sleep(_MIX_UP_S)
        return self._current


class _LosesARace(SmallConnector):
    """The base of faults that give a wrong answer to a cart while another cart of its trip is in progress."""

    to_the_loser: ClassVar[Reply]

    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._under_way: set[str] = set()

    async def sale(self, trip: str, request: Request) -> Reply:
        if self.purchases.get(trip) is None:
            if trip in self._under_way:
                return self.to_the_loser
            self._under_way.add(trip)
            await asyncio.sleep(_RACE_S)
        return await super().sale(trip, request)


@_fault("CP-X.2")
class refuses_the_loser_with_409(_LosesARace):
    to_the_loser = Reply(409)


@_fault("CP-X.2")
class fails_for_the_loser(_LosesARace):
    to_the_loser = Reply(500)


@_fault("CP-X.2")
class answers_the_loser_with_nothing(_LosesARace):
    to_the_loser = Reply(201, {"purchaseId": ""})


def _digest(request: Request) -> str:
    """Return the body as JSON text, without its requestId."""
    return json.dumps({name: value for name, value in request.body.items() if name != "requestId"})
