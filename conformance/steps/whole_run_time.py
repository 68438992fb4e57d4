"""Steps about time in the whole run: the first call, the first one after idling or a restart, and every call."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_bdd import parsers, then, when

from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import Blocked, Finding, NotDeclared
from conformance.requests import Requests
from conformance.run.bridge import Equipment
from conformance.run.configuration import Selection
from conformance.run.controls import ControlCalls
from conformance.run.recorder import Recorder
from conformance.timing import average_calls, interval, needs_punctual_suite
from conformance.verdicts import Verdict
from conformance.whole_run import (
    RESTARTING,
    Past,
    is_ordinary,
    past_calls,
)
from jwo_contract.gate import NoAnswer
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation
from jwo_contract.profile import Profile

Exchanges = list[Exchange]
_OPERATIONS = {"scan": VERIFY_IDENTITY_KEYS, "cart": CREATE_PURCHASES}
_QUICK_S = 0.25
_IDLE_CASES = {VERIFY_IDENTITY_KEYS: "VIK-X.83", CREATE_PURCHASES: "CP-X.104"}


_TIME_CASES = {VERIFY_IDENTITY_KEYS: "VIK-9", CREATE_PURCHASES: "CP-X.11"}


_IDLE_TRIES = 3


_STORES_GATES = 8
"""A rule about time holds while the suite makes at most this many calls at the same time."""
_CROWD = 4
"""With this many times more calls, the suite sends a crowd on purpose, which other cases judge."""


@when(parsers.parse("the first {name} of the run is looked up"), target_fixture="exchanges")
def first_call(recorder: Recorder, connector: ConnectorClient, name: str) -> Exchanges:
    """Return the first call of an operation in the run, which may find the connector cold."""
    operation = _OPERATIONS[name]
    calls = [each.exchange for each in past_calls(recorder) if each.exchange.operation == operation]
    first = next((each for each in calls if each.method == "POST" and each.measured), None)
    if first is None or first.failure is NoAnswer.NO_CONNECTION:
        raise NotDeclared(f"the run has no answered {name}")
    connector.show([first])
    return [first]


@pytest.fixture
def after_idle(equipment: Equipment) -> dict[Operation, Exchange]:
    """Return the calls after the idle time, which all cases share; empty before it."""
    shared: dict[Operation, Exchange] = equipment.shared.setdefault("after idling", {})
    return shared


@when(parsers.parse("a {name} comes after the idle time"), target_fixture="exchanges")
def call_after_idle(
    after_idle: dict[Operation, Exchange],
    requests: Requests,
    connector: ConnectorClient,
    controls: ControlCalls,
    selection: Selection,
    recorder: Recorder,
    name: str,
) -> Exchanges:
    """Wait without any call, then send a scan and a cart; again if the suite itself ran late."""
    if not requests.profile.limits.idle_s:
        raise NotDeclared("[limits] idle_s is 0")
    operation = _OPERATIONS[name]
    if operation in after_idle:
        connector.show([after_idle[operation]])
        return [after_idle[operation]]
    wanted = [each for each, case_id in _IDLE_CASES.items() if selection.has(case_id)]
    operations = [each for each in wanted if each == operation or not controls.trial(each).refusal]
    for _ in range(_IDLE_TRIES):
        after_idle |= _idle_and_send(operations, requests, connector, controls, recorder)
        if not any(
            each.is_late_by_suite(each.operation.answer_budget_s(requests.profile.house))
            for each in after_idle.values()
        ):
            break
    return [after_idle[operation]]


@when("the first answer after a restart is looked up", target_fixture="exchanges")
def first_after_restart(exchanges: Exchanges, controls: ControlCalls) -> Exchanges:
    """Return the call after the restart, and not the one before it."""
    if controls.pace(exchanges[-1].operation).is_serial:
        raise NotDeclared("the connector answers one call after the other, and the calls after the restart overlap")
    return exchanges[-1:]


@then(parsers.parse("it is complete within the time of a {name}"))
def in_time(exchanges: Exchanges, profile: Profile, recorder: Recorder, name: str) -> None:
    """Match the time of each whole call. Raises NotDeclared if the suite itself ran late."""
    operation = _OPERATIONS[name]
    budget_s = operation.answer_budget_s(profile.house)
    for exchange in exchanges:
        if exchange.is_late(budget_s):
            _needs_usual_time(recorder, operation)
            expected = f"a complete answer within {budget_s:g} s"
            raise Finding(expected, f"after {exchange.elapsed_s:.3f} s: {exchange.in_short()}")
    needs_punctual_suite(exchanges, budget_s)


@then(parsers.parse("no {name} of the whole run was late"))
def none_late(
    recorder: Recorder, connector: ConnectorClient, controls: ControlCalls, profile: Profile, name: str
) -> None:
    """Match every call that the suite made at its own speed, with few others at the same time."""
    operation = _OPERATIONS[name]
    budget_s, calls = operation.answer_budget_s(profile.house), past_calls(recorder)
    most = 1.5 if controls.pace(operation).is_serial else _STORES_GATES
    everything = [each.exchange for each in calls]
    of_operation = [each for each in calls if each.exchange.operation == operation]
    slow = [each.exchange for each in of_operation if _is_too_late(each, budget_s)]
    late = [each for each in slow if average_calls(each, everything) <= most]
    unclear = [each for each in slow if average_calls(each, everything) <= _CROWD * most]
    if unclear and not late:
        raise NotDeclared(
            f"{len(unclear)} answers were late, each among more than {most:g} calls at the same time, so the cause may"
            " be the suite; run it again on an idle machine"
        )
    if late:
        _needs_usual_time(recorder, operation)
        slowest = max(late, key=lambda each: each.elapsed_s)
        connector.show(late)
        got = f"{len(late)} later, the slowest after {slowest.elapsed_s:.3f} s: {slowest.in_short()}"
        raise Finding(f"each {name} of the run answered within {budget_s:g} s", got)


def _idle_and_send(
    operations: Sequence[Operation],
    requests: Requests,
    connector: ConnectorClient,
    controls: ControlCalls,
    recorder: Recorder,
) -> dict[Operation, Exchange]:
    """Wait, and send one request of each operation: together if the connector is quick, otherwise in turn."""
    drafts = [requests.valid_request(each) for each in operations]
    is_quick = all(controls.trial(each).exchanges[-1].elapsed_s <= _QUICK_S for each in operations)
    last_end = max((interval(each.exchange)[1] for each in past_calls(recorder)), default=0.0)
    idle_s = requests.profile.limits.idle_s
    time.sleep(min(idle_s, max(0.0, last_end + idle_s - requests.now().timestamp())))
    at_once = 1 if not is_quick or requests.profile.limits.rate_limit_per_second else len(drafts)
    with ThreadPoolExecutor(at_once) as pool:
        sent = pool.map(lambda each: connector.send(each.operation, each.encoded(), label="after idling"), drafts)
        return dict(zip(operations, sent, strict=True))


def _needs_usual_time(recorder: Recorder, operation: Operation) -> None:
    """Check that usual answers are in time. Raises Blocked, or NotDeclared for carts, if they are not."""
    case_id = _TIME_CASES[operation]
    usual = recorder.results.get(case_id)
    if usual and usual.verdict is Verdict.FAIL:
        raise Blocked(case_id, "the connector is late in usual calls too")
    if usual and usual.verdict is Verdict.WARN:
        raise NotDeclared(f"the connector is late in usual calls too, which {case_id} judges")


def _is_too_late(past: Past, budget_s: float) -> bool:
    exchange = past.exchange
    is_missing = exchange.answer is None and exchange.failure is not NoAnswer.TIMED_OUT
    return is_ordinary(exchange) and past.case_id not in RESTARTING and not is_missing and exchange.is_late(budget_s)
