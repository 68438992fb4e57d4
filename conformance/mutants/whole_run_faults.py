"""Faults that show over a whole run: lost answers, repeated ids, single late or failing calls."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import ClassVar

from conformance.mutants.answer_faults import key_text
from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.json_values import at, text_at
from conformance.mutants.memory_faults import NewVisitorIds
from conformance.mutants.registry import CONFORMANT_ODDITIES, CONNECTOR_FAULTS
from conformance.mutants.small_connector import BreaksOneCall, Memory, SmallConnector, item_ids, new_id, trip_of
from conformance.mutants.transport_faults import BreaksAnswers

_fault, _fault_of_each_call = CONNECTOR_FAULTS.fault, CONNECTOR_FAULTS.fault_of_each_call
_LATE_S, _IDLE_S = 2.3, 2.5
_FEW = 64
_LONG_ID, _MANY_LINES = 64, 30


# lost answers


class _ForgetsSome(NewVisitorIds, ABC):
    """The base of faults that never remember one kind of trip or event."""

    @abstractmethod
    def is_forgotten(self, request: Request) -> bool:
        """Say whether the connector forgets the call."""

    def trip_key(self, request: Request) -> str:
        return new_id() if request.call == "cart" and self.is_forgotten(request) else super().trip_key(request)

    def event_key(self, request: Request) -> str:
        return new_id() if request.call == "scan" and self.is_forgotten(request) else super().event_key(request)


def _forgets(name: str, found_by: str, is_forgotten: Callable[[Request], bool]) -> None:
    """Register a fault that forgets the calls of one kind."""
    members = {"is_forgotten": lambda _self, request: is_forgotten(request)}
    _fault(found_by)(type(f"forgets_{name}_at_the_end", (_ForgetsSome,), members))


_CARTS: dict[str, Callable[[Request], bool]] = {
    "groups": lambda request: len(at(request.body, "shoppingTrip.authEvents[]")) > 1,
    "bad_carts": lambda request: any(each.startswith("NO-SUCH") for each in item_ids(request)),
    "long_trip_ids": lambda request: len(trip_of(request.body)) > _LONG_ID,
    "trip_ids_of_other_alphabets": lambda request: not trip_of(request.body).isascii(),
    "weighed_items": lambda request: any(text_at(each, "quantity.unit") == "lb" for each in request.items),
    "scanned_codes": lambda request: any(text_at(each, "type") == "SCANCODE" for each in request.items),
    "large_carts": lambda request: len(request.items) > _MANY_LINES,
    "trips_without_a_scan_result": lambda request: not any(at(request.body, "shoppingTrip.authEvents[].scanResult")),
    "carts_of_a_known_device": lambda request: bool(text_at(request.body, "shopperDeviceId")),
    "trips_of_the_second_store": lambda request: text_at(request.body, "storeId").endswith(("2", "-002")),
}
for _name, _is_forgotten in _CARTS.items():
    _forgets(_name, "CP-X.100", _is_forgotten)
_forgets("events_of_associates", "VIK-X.80", lambda request: "associate" in key_text(request))


class _LastCalls(Memory):
    """A memory of a few calls."""

    size: ClassVar[int] = _FEW

    def keep(self, key: str, value: object, request: Request) -> None:
        super().keep(key, value, request)
        for old in list(self.kept)[: -self.size]:
            del self.kept[old]


class _OneCall(_LastCalls):
    size = 1


class _ForgetsOverTheRun(BreaksOneCall):
    memory: ClassVar[type[Memory]] = _LastCalls

    def new_memory(self, call: str) -> Memory:
        return self.memory() if call == self.broken_call else super().new_memory(call)


@_fault("CP-X.100", beside=("CP-X.11",))
class remembers_64_trips(_ForgetsOverTheRun):
    broken_call = "cart"


@_fault("VIK-X.80", beside=("VIK-9",))
class remembers_64_events(_ForgetsOverTheRun, NewVisitorIds):
    broken_call = "scan"


@_fault("VIK-X.81", beside=("VIK-9",))
class remembers_64_events_of_stable_visitors(_ForgetsOverTheRun):
    broken_call = "scan"


@_fault("VIK-X.80", beside=("VIK-1.1", "VIK-2"))
class remembers_the_last_event(_ForgetsOverTheRun, NewVisitorIds):
    broken_call, memory = "scan", _OneCall


@_fault("CP-X.100")
class forgets_at_the_fifth_call(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._calls: dict[str, int] = {}

    def trip_key(self, request: Request) -> str:
        trip = super().trip_key(request)
        self._calls[trip] = self._calls.get(trip, 0) + 1
        return f"{trip}{self._calls[trip] // 5}"


@_fault_of_each_call(scan=("VIK-X.92",), cart=("CP-X.101",))
class rolls_back_at_a_refusal(BreaksOneCall, NewVisitorIds):
    def refuse(self, request: Request, problem: str) -> Reply:
        memory = self.decisions if self.broken_call == "scan" else self.purchases
        if request.call == self.broken_call and memory.kept:
            memory.kept.popitem()
        return super().refuse(request, problem)


# repeated purchase ids


class _CountsPurchases(SmallConnector, ABC):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._made = 0

    def new_purchase_id(self, request: Request) -> str:
        self._made += bool(request.items)
        return self.named(self._made, request) if request.items else ""

    @abstractmethod
    def named(self, number: int, request: Request) -> str:
        """Return the id of the purchase with this number."""


@_fault("CP-X.102")
class counts_to_100_and_begins_again(_CountsPurchases):
    def named(self, number: int, request: Request) -> str:
        return str(number % 100)


@_fault("CP-X.102")
class gives_each_fortieth_purchase_the_id_before(_CountsPurchases):
    def named(self, number: int, request: Request) -> str:
        return str(number - (number % 40 == 0))


@_fault("CP-X.102")
class counts_for_each_store(_CountsPurchases):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._of_store: dict[str, int] = {}

    def named(self, number: int, request: Request) -> str:
        store = text_at(request.body, "storeId")
        self._of_store[store] = self._of_store.get(store, 0) + 1
        return str(self._of_store[store])


# late answers


@_fault_of_each_call(scan=("VIK-X.82",), cart=("CP-X.103",), slow=True)
class answers_its_first_call_late(BreaksAnswers):
    _is_warm = False

    async def break_answer(self, request: Request) -> Reply:
        is_warm, self._is_warm = self._is_warm, True
        await asyncio.sleep(0 if is_warm else _LATE_S)
        return await super().break_answer(request)


@_fault_of_each_call(scan=("VIK-X.83",), cart=("CP-X.104",), slow=True)
class answers_late_after_idling(BreaksAnswers):
    _last = 0.0

    async def break_answer(self, request: Request) -> Reply:
        now = time.monotonic()
        was_idle = self._last and now - self._last > _IDLE_S
        self._last = now
        await asyncio.sleep(_LATE_S if was_idle else 0)
        return await super().break_answer(request)


@_fault_of_each_call(scan=("VIK-X.84",), cart=("CP-X.105",), slow=True)
class answers_late_after_a_restart(BreaksAnswers):
    _is_cold = False

    def restart(self) -> None:
        super().restart()
        self._is_cold = True

    async def break_answer(self, request: Request) -> Reply:
        is_cold, self._is_cold = self._is_cold, False
        await asyncio.sleep(_LATE_S if is_cold else 0)
        return await super().break_answer(request)


@_fault("VIK-X.85", beside=("VIK-2",), slow=True)
class refuses_unknown_keys_late(SmallConnector):
    async def scan(self, request: Request) -> Reply:
        reply = await super().scan(request)
        await asyncio.sleep(_LATE_S if "visitorDetails" not in reply.body else 0)
        return reply


@_fault("VIK-X.85", beside=("VIK-1.2",), slow=True)
class answers_associates_late(SmallConnector):
    async def scan(self, request: Request) -> Reply:
        await asyncio.sleep(_LATE_S if "associate" in key_text(request) else 0)
        return await super().scan(request)


@_fault("VIK-X.85", beside=("VIK-6",), slow=True)
class answers_duplicates_late(SmallConnector):
    async def decision(self, event: str, request: Request) -> Reply:
        await asyncio.sleep(_LATE_S if self.decisions.get(event) else 0)
        return await super().decision(event, request)


@_fault("CP-X.111", beside=("CP-1.7",), slow=True)
class answers_empty_carts_late(SmallConnector):
    async def cart(self, request: Request) -> Reply:
        await asyncio.sleep(0 if request.items else _LATE_S)
        return await super().cart(request)


@CONFORMANT_ODDITIES.fault_of_each_call(scan=("VIK-X.83", "VIK-X.85"), cart=("CP-X.104", "CP-X.111"), slow=True)
class answers_after_1700_ms(BreaksAnswers):
    """Is slow, but in time, also in the calls that judge the whole run."""

    async def break_answer(self, request: Request) -> Reply:
        await asyncio.sleep(1.7)
        return await super().break_answer(request)


# one call in many


class _OneInMany(BreaksAnswers):
    """The base of faults in one of many valid calls."""

    one_in: ClassVar[int] = 40
    instead: ClassVar[Reply]

    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._calls = 0

    async def break_answer(self, request: Request) -> Reply:
        self._calls += 1
        return self.instead if self._calls % self.one_in == 0 else await super().break_answer(request)


@_fault("VIK-X.90", "VIK-X.91", beside=("VIK-9",))
class fails_at_one_scan_in_40(_OneInMany):
    broken_call, instead = "scan", error(500, "the pool is empty")


@_fault("CP-X.109", "CP-X.110", beside=("CP-X.11",))
class fails_at_one_cart_in_40(_OneInMany):
    broken_call, instead = "cart", error(500, "the pool is empty")


@_fault("VIK-X.90", beside=("VIK-9",))
class refuses_one_scan_in_40(_OneInMany):
    broken_call, instead = "scan", error(400, "no")


@_fault("CP-X.109", beside=("CP-X.11",))
class refuses_one_cart_in_40(_OneInMany):
    broken_call, instead = "cart", error(400, "no")


@_fault("VIK-X.89", beside=("VIK-2", "VIK-X.45"))
class lets_each_second_stranger_in(SmallConnector):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._strangers = 0

    def turn_away(self) -> Reply:
        self._strangers += 1
        return self.let_in("guest", "SHOPPER") if self._strangers % 2 == 0 else super().turn_away()


class _FailsAtBytes(BreaksAnswers):
    """The base of faults that fail at a body that is no UTF-8 text."""

    async def break_answer(self, request: Request) -> Reply:
        try:
            request.raw.decode()
        except UnicodeDecodeError:
            return error(500, "no")
        return await super().break_answer(request)


@_fault("VIK-X.91", beside=("VIK-X.87",))
class fails_at_scans_that_are_no_text(_FailsAtBytes):
    broken_call = "scan"


@_fault("CP-X.110", beside=("CP-X.107",))
class fails_at_carts_that_are_no_text(_FailsAtBytes):
    broken_call = "cart"
