"""Steps of visits: people visit a store of the simulated platform, and its journal shows one purchase for each cart."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_bdd import given, parsers, then, when

from conformance.drivers.http import ConnectorClient
from conformance.end_to_end import judgement
from conformance.end_to_end.journal import is_clean
from conformance.end_to_end.needs import check_profile_allows_visits
from conformance.end_to_end.platform import Platform
from conformance.end_to_end.visits import StoreDay, Visit
from conformance.errors import HarnessBroke, NotDeclared
from conformance.platform_control import Fault, PlatformControl
from conformance.requests import Requests
from conformance.restarting import answered, needs_command, restart
from conformance.run.controls import ControlCalls
from conformance.run.recorder import Recorder
from conformance.verify import must
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile

_MOST_PER_SECOND = 10
"""A small store never calls more often than this, so a case cannot exceed a higher limit."""
_TOO_MANY = 3
_REPEATS = 3
"""Repetitions of a scan: two at the same moment, and one after its answer."""
_PAUSE_S = 2.0
"""Longer than one second, the resolution of the platform's times."""
_NOTHING_ARRIVES = Fault("drop_before", times=1_000_000)
_RESTART_TIMEOUT_S = 90.0
_POLL_EVERY_S = 0.03
_FAULTS = (None, Fault("duplicate"), Fault("concurrent_duplicates", 3), Fault("drop_after"), Fault("same_request_id"))


@pytest.fixture
def day(
    requests: Requests,
    recorder: Recorder,
    platform: Platform | None,
    connector: ConnectorClient,
    request: pytest.FixtureRequest,
) -> Iterator[StoreDay]:
    """Yield an open store at the platform for one case. Raises NotDeclared if the profile declares too little."""
    check_profile_allows_visits(requests.profile)
    if platform is None:
        raise HarnessBroke("this run started no simulated platform, although it has a case that needs one")
    case_id = next(str(mark.args[0]) for mark in request.node.iter_markers("requirement"))
    with PlatformControl(platform.url()) as control:
        day = StoreDay(requests, recorder, connector, control, case_id)
        day.open()
        yield day


@given("a store of the simulated platform")
def a_store(day: StoreDay, controls: ControlCalls) -> None:
    """Open the store. Raises Blocked if the connector refuses a valid scan or cart in the platform's form."""
    del day
    controls.needs_complete(VERIFY_IDENTITY_KEYS)
    controls.needs_complete(CREATE_PURCHASES)


@when("a shopper enters, takes something and leaves")
def one_visit(day: StoreDay) -> None:
    """Let one shopper visit the store and buy."""
    with day.recorded():
        _visit_and_buy(day, "a shopper")
        day.settle()


@when("a shopper, a stranger and another shopper come to one gate")
def with_a_stranger(day: StoreDay) -> None:
    """Let a person with an unknown key come between two shoppers."""
    with day.recorded():
        _visit_and_buy(day, "the first shopper")
        day.try_to_enter("the stranger", "unknown")
        _visit_and_buy(day, "the second shopper")
        day.settle()


@when("a shopper comes twice and takes the same")
def twice_the_same(day: StoreDay) -> None:
    """Let a shopper visit through one gate, then through the other."""
    with day.recorded():
        _visit_and_buy(day, "the first visit")
        _visit_and_buy(day, "the second visit", gate=1)
        day.settle()


@when("a scan comes several times at the same moment and once more, and the shopper buys something")
def scanned_often(day: StoreDay) -> None:
    """Let the platform repeat a scan, concurrently and later."""
    with day.recorded():
        repeats = day.reserve_repeats(_REPEATS)
        day.arm_gate(Fault("concurrent_duplicates", max(2, repeats)))
        if repeats > 1:
            day.arm_gate(Fault("duplicate"))
        _visit_and_buy(day, "a shopper")
        day.settle()


@when("a shopper's scan comes again after the cart was accepted")
def scanned_afterwards(day: StoreDay) -> None:
    """Resend the scan of a visit after the connector accepted its cart."""
    with day.recorded():
        shopper = _visit_and_buy(day, "a shopper")
        day.settle()
        day.resend_first(shopper, VERIFY_IDENTITY_KEYS.name)


@when("the first two answers to a cart are lost")
def answers_lost(day: StoreDay) -> None:
    """Drop the first two answers of the connector to a cart."""
    with day.recorded():
        _visit_and_buy(day, "a shopper", Fault("drop_after", times=2))
        day.settle()


@when("the caller hangs up before the answer to a cart")
def hung_up(day: StoreDay) -> None:
    """Hang up during the first attempt of one cart, and of another cart during the second, after a dropped answer."""
    with day.recorded():
        _visit_and_buy(day, "hung up at once", Fault("hang_up"))
        _visit_and_buy(day, "hung up later", Fault("drop_after"), Fault("hang_up", after=1))
        day.settle()


@when("carts are cut off, never arrive, or trickle in")
def broken_off(day: StoreDay) -> None:
    """Deliver one cart with each fault that cuts off, drops or slows down a request."""
    with day.recorded():
        for name in ("cut", "drop_before", "slow_body"):
            _visit_and_buy(day, name.replace("_", " "), Fault(name))
        day.settle()


@when("a cart is overtaken by the cart of a shopper who left later")
def overtaken(day: StoreDay) -> None:
    """Hold back one cart until the connector has accepted the next one."""
    with day.recorded():
        early, late = (day.enter(label, gate=number) for number, label in enumerate(("left first", "left later")))
        day.take(early)
        day.take(late, 2)
        blockade = day.arm(_NOTHING_ARRIVES, early)
        day.leave(early)
        time.sleep(_PAUSE_S)  # all cases share the platform's clock, so this case does not change it
        day.leave(late)
        day.settle([late])
        day.disarm(blockade)
        day.settle()


@when("the first attempt of a cart comes again after a later one and after other carts")
def old_attempt(day: StoreDay) -> None:
    """Resend the first attempt of a cart after other carts."""
    with day.recorded():
        first = _visit_and_buy(day, "a shopper", Fault("drop_after"))
        day.settle()
        for number in range(1, 4):
            _visit_and_buy(day, f"another shopper {number}")
        day.settle()
        day.resend_first(first, CREATE_PURCHASES.name, is_clean)


@when(parsers.parse("{people:d} people come through two gates at the same moment, and carts are repeated"))
def crowd(day: StoreDay, people: int) -> None:
    """Let people visit concurrently, with a different delivery fault for each in turn."""
    with day.recorded():
        _run_together([_nth_visit(day, number) for number in range(people)])
        day.settle()


@when("shoppers and associates come and go at the same moment")
def of_two_kinds(day: StoreDay, requests: Requests) -> None:
    """Let visitors of different kinds visit concurrently; then an associate enters before the cart of a shopper."""
    if not requests.keys.has("associate"):
        raise NotDeclared("[keys] associate is not declared in the profile")
    with day.recorded():
        shoppers = [lambda: _visit_and_buy(day, "a shopper")] * 3
        associates = [lambda: day.enter("an associate", "associate", 1)] * 3
        _run_together(shoppers + associates)
        last = day.enter("a shopper")
        day.take(last)
        day.enter("an associate", "associate", 1)
        day.leave(last)
        day.settle()


@when("people come and go in two stores at the same moment", target_fixture="other_day")
def in_two_stores(day: StoreDay, profile: Profile) -> StoreDay:
    """Let the same visits happen in two stores concurrently. Raises NotDeclared if there is no second store."""
    if not profile.store.other_id:
        raise NotDeclared("[store] other_id is not declared in the profile")
    other_day = day.in_store(profile.store.other_id)
    other_day.open()
    with day.recorded(), other_day.recorded():
        if not other_day.try_to_enter("first visitor").is_in:
            raise NotDeclared("the gate of [store] other_id does not open for the declared shopper")
        _run_together([_nth_visit(each, number) for number in range(4) for each in (day, other_day)])
        day.settle()
        other_day.settle()
    return other_day


@when("the connector is restarted while carts are under way")
def restarted(day: StoreDay, requests: Requests, profile: Profile, connector: ConnectorClient) -> None:
    """Restart the connector between two attempts of a cart, and deliver another cart meanwhile."""
    needs_command(profile)
    # an earlier restart may not be over
    valid_request = requests.valid_request(VERIFY_IDENTITY_KEYS)
    answered(lambda: connector.send(valid_request.operation, valid_request.encoded()))
    with day.recorded():
        before, meanwhile = day.enter("answered before"), day.enter("left meanwhile", gate=1)
        day.take(before)
        day.take(meanwhile)
        blockade = day.arm(_NOTHING_ARRIVES._replace(after=1), before)
        day.arm(Fault("drop_after"), before)
        day.leave(before)
        while day.count_attempts(before) < 1:
            time.sleep(_POLL_EVERY_S)
        _run_together([lambda: restart(profile), lambda: day.leave(meanwhile)])
        day.disarm(blockade)
        day.settle(within_s=_RESTART_TIMEOUT_S, redrive=True)


@when("more people leave at once than the declared rate allows")
def throttled(day: StoreDay, profile: Profile) -> None:
    """Let more shoppers leave than the declared rate allows, so that the connector refuses carts with 429."""
    rate = profile.limits.rate_limit_per_second
    if not 0 < rate <= _MOST_PER_SECOND:
        raise NotDeclared(f"[limits] rate_limit_per_second is not declared, or is above {_MOST_PER_SECOND}")
    with day.recorded():
        people = [day.enter(f"shopper {number}") for number in range(1, rate + _TOO_MANY + 1)]
        for each in people:
            day.take(each)
        for each in people:
            day.leave(each, paced=False)
        day.settle(within_s=_RESTART_TIMEOUT_S)


@then("nothing is lost and nothing is doubled")
def one_purchase_each(day: StoreDay) -> None:
    """Match one purchase for each cart."""
    _match_one_purchase_each(day.finished_visits())
    day.check_faults_applied()


@then("in both stores nothing is lost and nothing is doubled")
def one_purchase_each_in_both(day: StoreDay, other_day: StoreDay) -> None:
    """Match one purchase for each cart of both stores."""
    _match_one_purchase_each([*day.finished_visits(), *other_day.finished_visits()])
    day.check_faults_applied()
    other_day.check_faults_applied()


@then("all scans of one event are answered alike")
def decided_once(day: StoreDay, profile: Profile) -> None:
    """Match one decision for each event at a gate."""
    for visit in day.visits:
        must(judgement.one_decision(visit, limits_its_rate=profile.limits.rate_limit_per_second > 0))


@then("the gate stays closed for the stranger")
def stranger_kept_out(day: StoreDay) -> None:
    """Match a closed gate for the stranger."""
    for visit in day.visits:
        if visit.label == "the stranger":
            must(judgement.kept_out(visit))


@then("no answer holds another visitor's data")
def no_data_of_others(day: StoreDay) -> None:
    """Match answers without the key or the id of another visitor."""
    must(judgement.nothing_leaked(day.visits))


def _match_one_purchase_each(visits: Sequence[Visit]) -> None:
    must(judgement.nothing_lost(visits))
    must(judgement.nothing_doubled(visits))


def _visit_and_buy(day: StoreDay, label: str, *faults: Fault, gate: int = 0) -> Visit:
    """Let a shopper enter, pick an item and leave; the faults apply to the delivery of the cart."""
    visit = day.enter(label, gate=gate)
    day.take(visit)
    for fault in faults:
        day.arm(fault, visit)
    day.leave(visit)
    return visit


def _nth_visit(day: StoreDay, number: int) -> Callable[[], object]:
    fault = _FAULTS[number % len(_FAULTS)]
    return lambda: _visit_and_buy(
        day, f"shopper {number + 1}", *([fault] if fault else []), gate=number % len(day.gates)
    )


def _run_together(acts: Sequence[Callable[[], object]]) -> None:
    """Run all acts at the same moment. Raises the error of the first act that failed."""
    with ThreadPoolExecutor(len(acts)) as pool:
        for act in [pool.submit(each) for each in acts]:
            act.result()
