"""Faults of time and transport: late answers, and errors in connections, methods, statuses and headers."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import ClassVar

from conformance.mutants.http_app import Headers, Reply, Request, Send, error, send_head
from conformance.mutants.registry import CONFORMANT_ODDITIES, CONNECTOR_FAULTS
from conformance.mutants.small_connector import BreaksOneCall, SmallConnector

_fault, _fault_of_each_call = CONNECTOR_FAULTS.fault, CONNECTOR_FAULTS.fault_of_each_call
_LATE_S = 2.5
_TURN_S = 0.15
"""The time within which the calls of a crowd arrive."""
_PATIENCE_S = 0.5
_HUGE_BYTES = 1_000_000
_CROWD = 12


class BreaksAnswers(BreaksOneCall):
    """The base of faults that break the answers to one call; answers to other calls are correct."""

    async def answer(self, request: Request) -> Reply:
        if request.call != self.broken_call:
            return await super().answer(request)
        return await self.break_answer(request)

    async def break_answer(self, request: Request) -> Reply:
        """Return the reply to the broken call; without a fault it is the correct one."""
        return await super().answer(request)


# late answers


class _Late(BreaksAnswers):
    after_s: ClassVar[float] = _LATE_S

    async def break_answer(self, request: Request) -> Reply:
        await asyncio.sleep(self.after_s)
        return await super().break_answer(request)


@CONFORMANT_ODDITIES.fault_of_each_call(scan=("VIK-9",), cart=("CP-X.11",), slow=True)
class answers_after_1900_ms(_Late):
    after_s = 1.9


@_fault_of_each_call(scan=("VIK-9",), cart=("CP-X.11",), slow=True)
class answers_after_2100_ms(_Late):
    after_s = 2.1


@_fault("VIK-9", slow=True)
class answers_scans_after_2500_ms(_Late):
    broken_call = "scan"


@_fault("CP-X.11", slow=True)
class answers_carts_after_2500_ms(_Late):
    broken_call = "cart"


@_fault("SA-X.3", slow=True)
class authorises_late(_Late):
    broken_call = "tap"


@_fault("RS-X.4", slow=True)
class resolves_late(_Late):
    broken_call = "loyalty"


@_fault("VIK-9", "CP-X.11", slow=True)
class answers_everything_after_2500_ms(SmallConnector):
    async def answer(self, request: Request) -> Reply:
        await asyncio.sleep(_LATE_S)
        return await super().answer(request)


class _SometimesLate(BreaksAnswers):
    one_in: ClassVar[int]

    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._calls = 0

    async def break_answer(self, request: Request) -> Reply:
        self._calls += 1
        if self._calls % self.one_in == 0:
            await asyncio.sleep(_LATE_S)
        return await super().break_answer(request)


@_fault("VIK-9", slow=True)
class answers_one_scan_in_ten_late(_SometimesLate):
    broken_call, one_in = "scan", 10


@_fault_of_each_call(scan=("VIK-9",), cart=("CP-X.11",), slow=True)
class answers_one_in_a_hundred_late(_SometimesLate):
    one_in = 100


@_fault("VIK-9", slow=True)
class answers_late_after_the_decision(SmallConnector):
    async def decision(self, event: str, request: Request) -> Reply:
        is_new = self.decisions.get(event) is None
        reply = await super().decision(event, request)
        await asyncio.sleep(_LATE_S if is_new else 0)
        return reply


@_fault("CP-X.11", slow=True)
class answers_late_after_the_purchase_is_made(SmallConnector):
    async def sale(self, trip: str, request: Request) -> Reply:
        is_new = self.purchases.get(trip) is None
        reply = await super().sale(trip, request)
        await asyncio.sleep(_LATE_S if is_new else 0)
        return reply


@_fault_of_each_call(scan=("VIK-9",), cart=("CP-X.11",), slow=True)
class sends_the_last_byte_late(BreaksOneCall):
    async def send(self, send: Send, request: Request, reply: Reply) -> None:
        if request.call != self.broken_call:
            await super().send(send, request, reply)
            return
        await send_head(send, reply)
        await send({"type": "http.response.body", "body": reply.content[:-1], "more_body": True})
        await asyncio.sleep(_LATE_S)
        await send({"type": "http.response.body", "body": reply.content[-1:]})


# a crowd of callers


class _CountsCallers(BreaksAnswers):
    """The base of faults that appear under many concurrent calls."""

    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._under_way = 0

    async def break_answer(self, request: Request) -> Reply:
        self._under_way += 1
        try:
            await asyncio.sleep(_TURN_S)
            if self._under_way > _CROWD:
                return await self.answer_in_a_crowd(request)
            return await super().break_answer(request)
        finally:
            self._under_way -= 1

    async def answer_in_a_crowd(self, request: Request) -> Reply:
        """Return the reply to one of many concurrent callers; each fault overrides it."""
        return await super().break_answer(request)


@_fault_of_each_call(scan=("VIK-X.26",), cart=("CP-X.35",))
class loses_its_temper_in_a_crowd(_CountsCallers):
    async def answer_in_a_crowd(self, request: Request) -> Reply:
        return error(500, "too many callers")


@_fault_of_each_call(scan=("VIK-X.28",), cart=("CP-X.37",), slow=True)
class answers_late_under_load(_CountsCallers):
    async def answer_in_a_crowd(self, request: Request) -> Reply:
        await asyncio.sleep(_LATE_S)
        return await SmallConnector.answer(self, request)


@_fault_of_each_call(scan=("VIK-X.28",), cart=("CP-X.37",), slow=True)
class answers_one_at_a_time(BreaksAnswers):
    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self._turn = asyncio.Lock()

    async def break_answer(self, request: Request) -> Reply:
        async with self._turn:
            await asyncio.sleep(_TURN_S)
        return await super().break_answer(request)


# connections, methods and bodies


@_fault_of_each_call(scan=("VIK-X.29",), cart=("CP-X.38",), slow=True)
class gives_slow_callers_up(BreaksAnswers):
    async def break_answer(self, request: Request) -> Reply:
        is_slow = request.took_s > _PATIENCE_S
        return error(408, "too slow") if is_slow else await super().break_answer(request)


@_fault_of_each_call(scan=("VIK-X.30",), cart=("CP-X.39",))
class breaks_after_a_broken_call(BreaksAnswers):
    _is_broken = False

    async def break_answer(self, request: Request) -> Reply:
        was_broken, self._is_broken = self._is_broken, not request.is_whole
        return error(500, "broken") if was_broken else await super().break_answer(request)


@_fault_of_each_call(scan=("VIK-X.31",), cart=("CP-X.40",))
class answers_in_reverse_order(SmallConnector):
    """Answers correctly; its server sends the answers on one connection in the wrong order."""


@_fault_of_each_call(scan=("VIK-X.32",), cart=("CP-X.41",))
class takes_any_method(BreaksAnswers):
    async def break_answer(self, request: Request) -> Reply:
        return await super().break_answer(request) if request.method == "POST" else Reply(200)


@_fault_of_each_call(scan=("VIK-X.33",), cart=("CP-X.42",))
class fails_on_other_content_types(BreaksAnswers):
    async def break_answer(self, request: Request) -> Reply:
        is_json = b"json" in request.content_type
        return await super().break_answer(request) if is_json else error(500, "not JSON")


@_fault_of_each_call(scan=("VIK-X.34",), cart=("CP-X.43",))
class fails_on_huge_bodies(BreaksAnswers):
    async def break_answer(self, request: Request) -> Reply:
        is_huge = len(request.raw) > _HUGE_BYTES
        return error(500, "too large") if is_huge else await super().break_answer(request)


# statuses and headers


class _AnswersAlike(BreaksAnswers):
    """The base of faults that give every call the same answer."""

    always: ClassVar[Reply]

    async def break_answer(self, request: Request) -> Reply:
        return self.always


@_fault_of_each_call(scan=("VIK-1.1",), cart=("CP-1.1",))
class answers_202(_AnswersAlike):
    always = Reply(202, headers=())


@_fault_of_each_call(scan=("VIK-1.1",), cart=("CP-1.1",))
class answers_204(_AnswersAlike):
    always = Reply(204, headers=())


@_fault_of_each_call(scan=("VIK-1.1",), cart=("CP-1.1",))
class redirects(_AnswersAlike):
    always = Reply(307, headers=((b"location", b"/elsewhere"),))


@_fault_of_each_call(scan=("VIK-1.1",), cart=("CP-1.1",))
class answers_503(_AnswersAlike):
    always = Reply(503, headers=())


class _Labels(BreaksAnswers):
    """The base of faults that send JSON with a wrong Content-Type."""

    headers: ClassVar[Headers]

    async def break_answer(self, request: Request) -> Reply:
        return replace(await super().break_answer(request), headers=self.headers)


@_fault_of_each_call(scan=("VIK-X.37",), cart=("CP-X.49",), tap=("SA-X.4",), loyalty=("RS-X.5",), details=("GSD-X.3",))
class calls_its_json_a_page(_Labels):
    headers = ((b"content-type", b"text/html; charset=utf-8"),)


@_fault_of_each_call(scan=("VIK-X.37",), cart=("CP-X.49",), tap=("SA-X.4",), loyalty=("RS-X.5",), details=("GSD-X.3",))
class does_not_say_that_it_is_json(_Labels):
    headers = ()
