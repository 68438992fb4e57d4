"""Workers: measured for each operation, and their results are complete and in the order of the register."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from conformance.drivers.http import ConnectorClient
from conformance.errors import HarnessBroke
from conformance.mutants.gate import certify, profile_of
from conformance.mutants.small_connector import SmallConnector
from conformance.requests import Requests
from conformance.run.configuration import RunConfiguration, Selection, utc_now
from conformance.run.controls import ControlCalls, Known, Pace
from conformance.run.plan import Division, Plan, divide, make_plan
from conformance.run.pool import Pool, Task
from conformance.run.recorder import Recorder
from conformance.run.session import FinishedRun, run
from conformance.summary import summarise
from conformance.verdicts import Verdict
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation

Serve = Callable[[Any], str]
SOME = ("VIK-1.1", "VIK-2", "VIK-3.1", "VIK-3.2", "VIK-6", "CP-1.1", "CP-2", "CP-3.1", "CP-3.35")
SCANS, CARTS = (("VIK-1.1",), ("VIK-2",), ("VIK-3.1",)), (("CP-1.1",), ("CP-2",), ("CP-3.1",))
PLAN = Plan(
    usual=(*SCANS, *CARTS),
    waiting=(("VIK-X.24",), ("CP-X.33",), ("E2E-X.1",)),
    alone=(),
    last=(),
    rate=(),
    ids=frozenset(),
)
QUICK, SERIAL = Pace(), Pace(1, is_serial=True)


class Slowed:
    """The correct connector with a wait before each answer; it records the highest number of concurrent calls."""

    def __init__(self, seconds: float, path: str = "", *, one_at_a_time: bool = False) -> None:
        self.most = 0
        self._seconds, self._path, self._one_at_a_time = seconds, path, one_at_a_time
        self._connector, self._turn, self._under_way = SmallConnector(), asyncio.Lock(), 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if scope["path"].startswith(self._path):
            self._under_way += 1
            self.most = max(self.most, self._under_way)
            if self._one_at_a_time:
                async with self._turn:
                    await asyncio.sleep(self._seconds)
            else:
                await asyncio.sleep(self._seconds)
            self._under_way -= 1
        await self._connector(scope, receive, send)


def controls_of(connector: Any, serve: Serve, rate_limit: int = 0) -> ControlCalls:
    profile, recorder = profile_of(serve(connector), rate_limit), Recorder()
    client = ConnectorClient(profile, utc_now, recorder.keep)
    return ControlCalls(Requests(profile, utc_now), client, recorder)


def report_ids(finished: FinishedRun) -> list[str]:
    report = summarise(finished, started_at=datetime.now(UTC), duration_s=1, strict=False)
    return [case.id for case in report.cases]


def divided(scans: Pace, carts: Pace, *, may_crowd: bool = True) -> Division:
    paces = {VERIFY_IDENTITY_KEYS: scans, CREATE_PURCHASES: carts}
    return divide(PLAN, may_crowd=may_crowd, pace_of=lambda operation: paces[operation])


def test_slow_concurrent_connector_gets_workers(serve: Serve) -> None:
    started = time.perf_counter()
    finished = run(RunConfiguration(profile_of(serve(Slowed(0.4))), Selection(only=SOME)))

    assert finished.known.paces[VERIFY_IDENTITY_KEYS].max_concurrency > 1
    assert time.perf_counter() - started < 15
    assert report_ids(finished) == report_ids(certify("", SOME))
    assert {result.verdict for result in finished.results.values()} == {Verdict.PASS}
    assert len(finished.results["CP-3.35"].exchanges) == 2  # the examples of a case stay together


def test_serial_connector_gets_one_call_at_a_time(serve: Serve) -> None:
    connector = Slowed(0.3, one_at_a_time=True)
    controls = controls_of(connector, serve)

    assert controls.pace(VERIFY_IDENTITY_KEYS) == SERIAL
    assert controls.pace(CREATE_PURCHASES) == SERIAL
    assert divided(SERIAL, SERIAL) == Division((), 0, (*PLAN.usual, *PLAN.waiting))


def test_serial_connector_is_certified_without_concurrent_calls(serve: Serve) -> None:
    connector = Slowed(0.3, one_at_a_time=True)
    profile = profile_of(serve(connector))
    chosen = ("VIK-1.1", "VIK-3.1", "CP-1.1", "CP-3.1", "VIK-X.24", "CP-X.33")
    known = Known(paces={VERIFY_IDENTITY_KEYS: SERIAL, CREATE_PURCHASES: SERIAL})
    finished = run(RunConfiguration(profile, Selection(only=chosen)), known=known)

    assert {result.verdict for result in finished.results.values()} == {Verdict.PASS}
    assert connector.most == 1


def test_each_operation_is_measured_by_itself(serve: Serve) -> None:
    controls = controls_of(Slowed(0.4, CREATE_PURCHASES.path), serve)

    assert controls.pace(VERIFY_IDENTITY_KEYS) == QUICK
    assert controls.pace(CREATE_PURCHASES).max_concurrency > 10


def test_declared_rate_limits_the_measuring(serve: Serve) -> None:
    connector = Slowed(0.4, CREATE_PURCHASES.path)

    assert controls_of(connector, serve, rate_limit=10).pace(CREATE_PURCHASES).max_concurrency == 4
    assert connector.most == 4


@pytest.mark.parametrize(
    ("scans", "carts", "pooled", "workers"),
    [
        (QUICK, QUICK, PLAN.waiting, 3),
        (QUICK, Pace(40), (*PLAN.waiting, *CARTS), 6),
        (Pace(2), Pace(40), (*PLAN.waiting, *SCANS, *CARTS), 2),
        (SERIAL, Pace(40), (("CP-X.33",), *CARTS), 4),
    ],
    ids=["quick", "slow carts", "slow", "serial scans"],
)
def test_workers_take_waiting_and_slow_scenarios(
    scans: Pace, carts: Pace, pooled: tuple[tuple[str, ...], ...], workers: int
) -> None:
    division = divided(scans, carts)

    assert division.pooled == pooled
    assert division.workers == workers
    assert set(division.here) == {*PLAN.usual, *PLAN.waiting} - set(pooled)


def test_no_worker_starts_under_a_declared_rate() -> None:
    assert divided(Pace(40), Pace(40), may_crowd=False).pooled == ()


def test_few_scenarios_need_no_measuring() -> None:
    def never(operation: Operation) -> Pace:
        raise AssertionError(operation)

    assert divide(PLAN._replace(usual=CARTS), may_crowd=True, pace_of=never).pooled == ()


def test_the_plan_keeps_the_selection() -> None:
    plan = make_plan(Selection(only=("VIK-1.1", "VIK-9", "VIK-X.24")))

    assert plan.ids == {"VIK-1.1", "VIK-9", "VIK-X.24"}
    assert [len(plan.usual), len(plan.waiting), len(plan.alone)] == [1, 1, 1]
    assert make_plan(Selection(("entry",), ("VIK-1.1",))).ids == frozenset()


def test_a_slow_scan_runs_between_visits_and_the_rate_limit_scenario() -> None:
    waiting = make_plan(Selection()).waiting
    at = {group[0]: place for place, group in enumerate(waiting)}

    assert max(place for case_id, place in at.items() if case_id.startswith("E2E")) < at["VIK-X.29"] < at["VIK-X.23"]


def test_an_empty_selection_is_a_harness_error() -> None:
    with pytest.raises(HarnessBroke, match="jwo cases"):
        run(RunConfiguration(profile_of("http://127.0.0.1:9"), Selection(("entry",), ("VIK-1.1",))))


def test_a_failing_worker_is_a_harness_error(serve: Serve) -> None:
    configuration = RunConfiguration(profile_of(serve(SmallConnector())))

    task = Task(configuration, Known(), None, [("NO-SUCH-CASE",)])

    with Pool(task, 1, Recorder()) as pool, pytest.raises(HarnessBroke, match="worker"):
        pool.finish()


def test_a_worker_that_cannot_start_is_a_harness_error(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_named: object) -> None:
        raise EOFError

    monkeypatch.setattr("conformance.run.pool._context", refuse)
    configuration = RunConfiguration(profile_of(serve(SmallConnector())))

    with (
        pytest.raises(HarnessBroke, match="worker processes could not start"),
        Pool(Task(configuration, Known(), None, SCANS), 2, Recorder()),
    ):
        pass
