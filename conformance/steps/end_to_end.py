"""When people visit a store of the simulated platform; then what its journal must show."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_bdd import given, parsers, then, when

from conformance.drivers.http import ConnectorClient
from conformance.end_to_end import judgement
from conformance.end_to_end.journal import is_clean
from conformance.end_to_end.needs import visits_need
from conformance.end_to_end.platform import Platform
from conformance.end_to_end.visits import StoreDay, Visit
from conformance.errors import HarnessBroke, NotDeclared
from conformance.platform_control import Fault, PlatformControl
from conformance.requests import Requests
from conformance.restarting import answered, needs_command, restart
from conformance.run.controls import ControlCalls
from conformance.run.recorder import Recorder
from conformance.verify import must
from contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from contract.profile import Profile

_MOST_PER_SECOND = 10
"""Nobody's small store calls more often than this, so that a higher limit is never reached."""
_TOO_MANY = 3
_REPEATS = 3
"""Of a scan: two at the same moment, and one once it was answered."""
_MEANWHILE_S = 2.0
"""Longer than the whole seconds in which the platform tells time."""
_NOTHING_ARRIVES = Fault("drop_before", times=1_000_000)
_RESTARTED_WITHIN_S = 90.0
_LOOK_EVERY_S = 0.03
_MISHAPS = (None, Fault("duplicate"), Fault("concurrent_duplicates", 3), Fault("drop_after"), Fault("same_request_id"))


@pytest.fixture
def day(
    requests: Requests,
    recorder: Recorder,
    platform: Platform | None,
    connector: ConnectorClient,
    request: pytest.FixtureRequest,
) -> Iterator[StoreDay]:
    """Open a store at the platform for one case; not applicable when the profile declares too little for a visit."""
    visits_need(requests.profile)
    if platform is None:
        raise HarnessBroke("no simulated platform was started for this run")
    case_id = next(str(mark.args[0]) for mark in request.node.iter_markers("requirement"))
    with PlatformControl(platform.url()) as control:
        day = StoreDay(requests, recorder, connector, control, case_id)
        day.open()
        yield day


@given("a store of the simulated platform")
def a_store(day: StoreDay, controls: ControlCalls) -> None:
    """Open the store, once it is known that the connector accepts valid scans and carts as the platform sends them."""
    del day
    controls.needs_complete(VERIFY_IDENTITY_KEYS)
    controls.needs_complete(CREATE_PURCHASES)


@when("a shopper enters, takes something and leaves")
def one_visit(day: StoreDay) -> None:
    """Let one shopper through."""
    with day.told():
        _buys(day, "a shopper")
        day.settle()


@when("a shopper, a stranger and another shopper come to one gate")
def with_a_stranger(day: StoreDay) -> None:
    """Let somebody whom nobody knows come between two shoppers."""
    with day.told():
        _buys(day, "the first shopper")
        day.come("the stranger", "unknown")
        _buys(day, "the second shopper")
        day.settle()


@when("a shopper comes twice and takes the same")
def twice_the_same(day: StoreDay) -> None:
    """Let the shopper through two gates, one visit after the other."""
    with day.told():
        _buys(day, "the first visit")
        _buys(day, "the second visit", gate=1)
        day.settle()


@when("a scan comes several times at the same moment and once more, and the shopper buys something")
def scanned_often(day: StoreDay) -> None:
    """Let the platform repeat a scan."""
    with day.told():
        repeats = day.repeats(_REPEATS)
        day.arm_gate(Fault("concurrent_duplicates", max(2, repeats)))
        if repeats > 1:
            day.arm_gate(Fault("duplicate"))
        _buys(day, "a shopper")
        day.settle()


@when("a shopper's scan comes again after the cart was taken")
def scanned_afterwards(day: StoreDay) -> None:
    """Let an old attempt of a scan arrive when its visit is over."""
    with day.told():
        shopper = _buys(day, "a shopper")
        day.settle()
        day.again(shopper, VERIFY_IDENTITY_KEYS.name)


@when("the first two answers to a cart are lost")
def answers_lost(day: StoreDay) -> None:
    """Let the connector answer, and the platform not hear of it."""
    with day.told():
        _buys(day, "a shopper", Fault("drop_after", times=2))
        day.settle()


@when("the caller hangs up before the answer to a cart")
def hung_up(day: StoreDay) -> None:
    """Hang up on a first attempt, and on a second one after an answer that nobody heard."""
    with day.told():
        _buys(day, "hung up at once", Fault("hang_up"))
        _buys(day, "hung up later", Fault("drop_after"), Fault("hang_up", after=1))
        day.settle()


@when("carts are cut off, never arrive, or trickle in")
def broken_off(day: StoreDay) -> None:
    """Break connections in every way that does not reach the connector whole and at once."""
    with day.told():
        for name in ("cut", "drop_before", "slow_body"):
            _buys(day, name.replace("_", " "), Fault(name))
        day.settle()


@when("a cart is overtaken by the cart of somebody who left later")
def overtaken(day: StoreDay) -> None:
    """Hold one cart up until the next one is taken."""
    with day.told():
        early, late = (day.enter(label, gate=number) for number, label in enumerate(("left first", "left later")))
        day.take(early)
        day.take(late, 2)
        held_up = day.arm(_NOTHING_ARRIVES, early)
        day.leave(early)
        time.sleep(_MEANWHILE_S)  # the platform's clock is everybody's, and stays as it is
        day.leave(late)
        day.settle([late])
        day.disarm(held_up)
        day.settle()


@when("the first attempt of a cart comes again after a later one and after other carts")
def old_attempt(day: StoreDay) -> None:
    """Let an attempt arrive that was long under way."""
    with day.told():
        first = _buys(day, "a shopper", Fault("drop_after"))
        day.settle()
        for number in range(1, 4):
            _buys(day, f"another shopper {number}")
        day.settle()
        day.again(first, CREATE_PURCHASES.name, is_clean)


@when(parsers.parse("{people:d} people come through two gates at the same moment, and carts are repeated"))
def crowd(day: StoreDay, people: int) -> None:
    """Let people in and out side by side, each with another mishap of delivery."""
    with day.told():
        _at_once([_one_of_many(day, number) for number in range(people)])
        day.settle()


@when("shoppers and associates come and go at the same moment")
def of_two_kinds(day: StoreDay, requests: Requests) -> None:
    """Let visitors of different kinds be answered side by side."""
    if not requests.keys.has("associate"):
        raise NotDeclared("[keys] associate is not declared in the profile")
    with day.told():
        _at_once([lambda: _buys(day, "a shopper")] * 3 + [lambda: day.enter("an associate", "associate", 1)] * 3)
        day.settle()


@when("people come and go in two stores at the same moment", target_fixture="elsewhere")
def in_two_stores(day: StoreDay, profile: Profile) -> StoreDay:
    """Let the same happen in both stores."""
    if not profile.store.other_id:
        raise NotDeclared("[store] other_id is not declared in the profile")
    elsewhere = day.elsewhere(profile.store.other_id)
    elsewhere.open()
    with day.told(), elsewhere.told():
        if not elsewhere.come("somebody to begin with").is_in:
            raise NotDeclared("the declared shopper is not let into [store] other_id")
        _at_once([_one_of_many(each, number) for number in range(4) for each in (day, elsewhere)])
        day.settle()
        elsewhere.settle()
    return elsewhere


@when("the connector is restarted while carts are under way")
def restarted(day: StoreDay, requests: Requests, profile: Profile, connector: ConnectorClient) -> None:
    """Restart the connector between two attempts of a cart, and let another cart come meanwhile."""
    needs_command(profile)
    unbroken = requests.valid_request(VERIFY_IDENTITY_KEYS)
    answered(lambda: connector.send(unbroken.operation, unbroken.encoded()))  # an earlier restart may not be over
    with day.told():
        before, meanwhile = day.enter("answered before"), day.enter("left meanwhile", gate=1)
        day.take(before)
        day.take(meanwhile)
        held_up = day.arm(_NOTHING_ARRIVES._replace(after=1), before)
        day.arm(Fault("drop_after"), before)
        day.leave(before)
        while day.attempts(before) < 1:
            time.sleep(_LOOK_EVERY_S)
        _at_once([lambda: restart(profile), lambda: day.leave(meanwhile)])
        day.disarm(held_up)
        day.settle(within_s=_RESTARTED_WITHIN_S, redrive=True)


@when("more people leave at once than the declared rate allows")
def throttled(day: StoreDay, profile: Profile) -> None:
    """Let the connector refuse carts for being too many."""
    rate = profile.limits.rate_limit_per_second
    if not 0 < rate <= _MOST_PER_SECOND:
        raise NotDeclared(f"[limits] rate_limit_per_second is not declared, or above {_MOST_PER_SECOND}")
    with day.told():
        people = [day.enter(f"shopper {number}") for number in range(1, rate + _TOO_MANY + 1)]
        for each in people:
            day.take(each)
        for each in people:
            day.leave(each)
        day.settle(within_s=_RESTARTED_WITHIN_S)


@then("nothing is lost and nothing is doubled")
def one_purchase_each(day: StoreDay) -> None:
    """Match each cart with one purchase of its own."""
    _kept_apart(day.left())
    day.needs_all_struck()


@then("in both stores nothing is lost and nothing is doubled")
def one_purchase_each_in_both(day: StoreDay, elsewhere: StoreDay) -> None:
    """Match each cart of either store with one purchase of its own."""
    _kept_apart([*day.left(), *elsewhere.left()])
    day.needs_all_struck()
    elsewhere.needs_all_struck()


@then("all scans of one event are answered alike")
def decided_once(day: StoreDay, profile: Profile) -> None:
    """Match one decision for each event at a gate."""
    for visit in day.visits:
        must(judgement.one_decision(visit, limits_its_rate=profile.limits.rate_limit_per_second > 0))


@then("the gate stays closed for the stranger")
def stranger_kept_out(day: StoreDay) -> None:
    """Match a closed gate for whoever is no shopper."""
    for visit in day.visits:
        if visit.label == "the stranger":
            must(judgement.kept_out(visit))


@then("no answer tells of somebody else")
def told_apart(day: StoreDay) -> None:
    """Match answers without another visitor's id."""
    must(judgement.tells_of_nobody_else(day.visits))


def _kept_apart(visits: Sequence[Visit]) -> None:
    must(judgement.nothing_lost(visits))
    must(judgement.nothing_doubled(visits))


def _buys(day: StoreDay, label: str, *faults: Fault, gate: int = 0) -> Visit:
    """Let a shopper in and out again with something in the cart, whose delivery meets these faults."""
    visit = day.enter(label, gate=gate)
    day.take(visit)
    for fault in faults:
        day.arm(fault, visit)
    day.leave(visit)
    return visit


def _one_of_many(day: StoreDay, number: int) -> Callable[[], object]:
    mishap = _MISHAPS[number % len(_MISHAPS)]
    return lambda: _buys(day, f"shopper {number + 1}", *([mishap] if mishap else []), gate=number % len(day.gates))


def _at_once(acts: Sequence[Callable[[], object]]) -> None:
    """Let all happen at the same moment; the first that goes wrong is heard of."""
    with ThreadPoolExecutor(len(acts)) as pool:
        for act in [pool.submit(each) for each in acts]:
            act.result()
