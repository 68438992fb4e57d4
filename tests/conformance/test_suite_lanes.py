"""Scenarios side by side: measured first, complete, and in the order of the register all the same."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance import engine
from conformance.certification import Certification, Selection
from conformance.errors import HarnessBroke
from conformance.lanes import MOST_LANES, Lanes, is_worth_it
from conformance.mutants.gate import certify, profile_of
from conformance.mutants.small_connector import SmallConnector
from conformance.summary import summarise
from conformance.verdicts import Verdict

Serve = Callable[[Any], str]
SOME = ("VIK-1.1", "VIK-2", "VIK-3.1", "VIK-3.2", "VIK-6", "CP-1.1", "CP-2", "CP-3.1", "CP-3.35")


def slowed(seconds: float, *, one_at_a_time: bool = False) -> Any:
    """Return the correct connector, with a wait before each answer."""
    connector, lock = SmallConnector(), asyncio.Lock()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if one_at_a_time:
            async with lock:
                await asyncio.sleep(seconds)
        else:
            await asyncio.sleep(seconds)
        await connector(scope, receive, send)

    return app


def report_of(certification: Certification) -> dict[str, Any]:
    return summarise(certification, started_at=datetime.now(UTC), duration_s=1, strict=False)


def test_a_slow_connector_that_answers_side_by_side_is_asked_side_by_side(serve: Serve) -> None:
    certification = Certification(profile_of(serve(slowed(0.4))), Selection(only=SOME))

    started = time.perf_counter()
    engine.run(certification)

    assert certification.side_by_side > 1
    assert time.perf_counter() - started < 15
    assert [case["id"] for case in report_of(certification)["cases"]] == [
        case["id"] for case in report_of(certify("", SOME))["cases"]
    ]
    assert {result.verdict for result in certification.results.values()} == {Verdict.PASS}


def test_a_connector_that_answers_one_call_at_a_time_is_asked_one_at_a_time(serve: Serve) -> None:
    certification = Certification(profile_of(serve(slowed(0.3, one_at_a_time=True))))

    with certification.client() as client:
        assert not is_worth_it(certification, client)


def test_a_quick_connector_needs_no_lanes(serve: Serve) -> None:
    certification = Certification(profile_of(serve(SmallConnector())))

    with certification.client() as client:
        assert not is_worth_it(certification, client)


def test_the_examples_of_a_case_stay_together_in_lanes(serve: Serve) -> None:
    certification = Certification(profile_of(serve(slowed(0.4))), Selection(only=SOME))
    engine.run(certification)

    assert len(certification.results["CP-3.35"].exchanges) == 2


def test_a_lane_that_breaks_breaks_the_harness_and_not_the_connector(serve: Serve) -> None:
    certification = Certification(profile_of(serve(SmallConnector())))

    with Lanes(certification, [("NO-SUCH-CASE",)], MOST_LANES) as lanes:
        lanes.open(1)
        with pytest.raises(HarnessBroke, match="lane"):
            lanes.finish()
