"""The suite knows whether it kept the declared rate itself, before a 429 counts against a connector."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from conformance.drivers.http import ConnectorClient
from conformance.drivers.spacing import Spacing
from conformance.mutants.gate import profile_of
from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.small_connector import SmallConnector
from conformance.run.configuration import utc_now
from jwo_contract.operations import CREATE_PURCHASES

Serve = Callable[[Any], str]


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s

    def later(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.mark.parametrize(("gap_s", "is_kept"), [(0.21, True), (0.19, False), (0.0, False)])
def test_even_calls_are_apart_from_end_to_start(gap_s: float, *, is_kept: bool) -> None:
    clock = Clock()
    spacing = Spacing(5, 1, clock)
    with spacing.call():
        clock.later(0.05)
    clock.later(gap_s)
    with spacing.call() as second:
        clock.later(0.01)

    assert spacing.was_kept(second) is is_kept


def test_a_call_that_has_not_ended_may_arrive_at_any_time() -> None:
    clock = Clock()
    spacing = Spacing(5, 1, clock)
    with spacing.call():
        clock.later(3)
        with spacing.call() as second:
            clock.later(0.01)

        assert not spacing.was_kept(second)


def test_a_burst_allows_as_many_calls_in_a_second() -> None:
    clock = Clock()
    spacing = Spacing(5, 5, clock)
    spacing.note(4, within_s=0.1)
    clock.later(0.2)
    with spacing.call() as fifth:
        clock.later(0.01)
    assert spacing.was_kept(fifth)
    with spacing.call() as sixth:
        clock.later(0.01)
    assert not spacing.was_kept(sixth)


def test_without_a_declared_rate_each_refusal_counts() -> None:
    spacing = Spacing(0, 1, Clock())
    with spacing.call(), spacing.call() as second:
        pass

    assert spacing.was_kept(second)


class _Limits(SmallConnector):
    """Answers the first calls with 429."""

    def __init__(self, refusals: int) -> None:
        super().__init__()
        self.refusals, self.calls = refusals, 0

    async def answer(self, request: Request) -> Reply:
        self.calls += 1
        return error(429, "too many") if self.calls <= self.refusals else await super().answer(request)


@pytest.mark.parametrize(("is_near", "status", "calls"), [(True, 400, 2), (False, 429, 1)])
def test_a_429_is_repeated_only_after_calls_that_may_have_come_too_early(
    serve: Serve, *, is_near: bool, status: int, calls: int
) -> None:
    connector = _Limits(1)
    profile = profile_of(serve(connector), rate_limit_per_second=20)
    with ConnectorClient(profile, utc_now, lambda _exchange: None) as client:
        if is_near:
            client._spacing.note(20, within_s=0.5)  # noqa: SLF001 - as if another thread had just sent them
        exchange = client.send(CREATE_PURCHASES, b"{}")

    assert exchange.answer is not None
    assert (exchange.answer.status, connector.calls) == (status, calls)


class _AllowsOneEach200Ms(SmallConnector):
    """Answers 429 to a call that comes within 200 milliseconds after another one."""

    def __init__(self) -> None:
        super().__init__()
        self.free_at_s, self.refused = 0.0, 0

    async def answer(self, request: Request) -> Reply:
        now_s = time.monotonic()
        if now_s < self.free_at_s:
            self.refused += 1
            return error(429, "too many")
        self.free_at_s = now_s + 0.2
        return await super().answer(request)


def test_a_call_after_a_slowly_sent_one_keeps_the_rate(serve: Serve) -> None:
    connector = _AllowsOneEach200Ms()
    profile = profile_of(serve(connector), rate_limit_per_second=5)
    profile = profile.model_copy(update={"limits": profile.limits.model_copy(update={"burst": 1})})
    with ConnectorClient(profile, utc_now, lambda _exchange: None) as client:
        client.prepare_raw(CREATE_PURCHASES, [b"{}"]).send_slowly(0.3, "slowly")
        client.send(CREATE_PURCHASES, b"{}")

    assert connector.refused == 0
