"""Steps that repeat calls at the end of the run: what the connector still remembers, and which purchases it made."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence

from pytest_bdd import given, then, when

from conformance import match
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import Finding, NotDeclared
from conformance.forms import minimal
from conformance.requests import Requests
from conformance.run.configuration import Selection
from conformance.run.controls import ControlCalls
from conformance.run.recorder import Recorder
from conformance.timing import interval
from conformance.whole_run import (
    Answered,
    accepted_trips,
    choose,
    decided_events,
    decision_of,
    forgotten_before,
    kind_of_unit,
    past_calls,
    purchase_of,
    sent_by,
    status_of,
    text_at,
)
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation
from jwo_contract.profile import Profile

Exchanges = list[Exchange]


Note = Callable[[str], None]


_MOST_REPEATED, _FEWEST_REPEATED, _MOST_OTHER_KEYS = 60, 6, 12
_MINUTE_S = 65.0


_TIMES_THE_FIRST = 4
"""The first call is repeated this often, for a connector that forgets an answer after some repetitions."""


_QUICK_S = 0.25
_MANY_TRIPS = 120
"""More trips than a counter with two digits has numbers."""


_LOW_RATE, _FEW = 20, 3
"""Below this declared rate, in calls per second, the suite sends only a few of the calls that would take long."""


_TOO_MANY, _TRIES, _PAUSE_S = 429, 3, 1.1


@when("trips of each kind are sent once more at the end of the run", target_fixture="exchanges")
def repeat_trips(
    requests: Requests,
    connector: ConnectorClient,
    controls: ControlCalls,
    recorder: Recorder,
    selection: Selection,
    note: Note,
) -> Exchanges:
    """Repeat the first trip of the run and one of each kind, and return the repetitions that have another purchase."""
    profile = requests.profile

    def found() -> list[Answered]:
        return accepted_trips(past_calls(recorder), profile, forgotten_before(recorder, "CP-X.34"))

    _make_missing(found(), _own_carts(requests), connector, recorder)
    most = _most(controls, CREATE_PURCHASES, profile)
    trips = choose(found(), most)
    _wait_if_deep(trips, selection, requests)
    first_times = _TIMES_THE_FIRST if most == _MOST_REPEATED else 1
    return _repeat(trips, connector, controls, note, _is_same_purchase, first_times=first_times)


@when("events of each kind are sent once more at the end of the run", target_fixture="exchanges")
def repeat_events(
    requests: Requests,
    connector: ConnectorClient,
    controls: ControlCalls,
    recorder: Recorder,
    selection: Selection,
    note: Note,
) -> Exchanges:
    """Repeat the first event of the run and one of each kind, and return the repetitions with another decision."""
    profile = requests.profile

    def found() -> list[Answered]:
        return decided_events(past_calls(recorder), profile, forgotten_before(recorder, "VIK-X.25"))

    _make_missing(found(), _own_scans(requests), connector, recorder)
    remembered = [each for each in found() if status_of(each.first) in profile.house.identity.remember]
    most = _most(controls, VERIFY_IDENTITY_KEYS, profile)
    events = choose(remembered, most)
    _wait_if_deep(events, selection, requests)
    first_times = _TIMES_THE_FIRST if most == _MOST_REPEATED else 1
    return _repeat(events, connector, controls, note, _is_same_decision, first_times=first_times)


@when("events are sent once more at the end of the run with the key of another person", target_fixture="exchanges")
def repeat_events_of_others(
    requests: Requests, connector: ConnectorClient, controls: ControlCalls, recorder: Recorder, note: Note
) -> Exchanges:
    """Repeat events with another person's key, and return the repetitions with another decision.

    A connector with one id for each shopper decides a forgotten event alike for the same key, and so hides its loss.
    """
    profile = requests.profile
    _needs_first_key_to_count(requests, connector, recorder)
    since = forgotten_before(recorder, "VIK-X.25")
    _make_missing(decided_events(past_calls(recorder), profile, since), _own_scans(requests), connector, recorder)
    events = []
    for each in choose(decided_events(past_calls(recorder), profile, since), _MOST_REPEATED):
        visitor = decision_of(each.first)[1]
        is_shopper = isinstance(visitor, dict) and visitor.get("type") == "SHOPPER"
        if not is_shopper and not (status_of(each.first) == 401 and 401 in profile.house.identity.remember):  # noqa: PLR2004 - a refusal
            continue
        other = requests.keys.take("associate" if is_shopper else "shopper")
        events.append(each._replace(draft=each.draft.with_value("identityKey", other)))
    events = events[: min(_MOST_OTHER_KEYS, _most(controls, VERIFY_IDENTITY_KEYS, profile))]
    return _repeat(events, connector, controls, note, _is_same_decision)


@then("each is answered as it was the first time")
def answered_alike(exchanges: Exchanges, connector: ConnectorClient) -> None:
    """Match when no repetition got another answer; `exchanges` are pairs of a first answer and a different one."""
    if not exchanges:
        return
    first, again, pairs = exchanges[0], exchanges[1], len(exchanges) // 2
    others = f", and {pairs - 1} others" if pairs > 1 else ""
    connector.show([first])
    raise Finding(f"the first answer again: {first.in_short()}", f"{again.in_short()}{others}")


@when("it is sent, then refused with a member missing, and then whole again", target_fixture="exchanges")
def send_after_refusals(draft: Draft, connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send a request, a broken repetition and another broken request, and the request again."""
    member = "identityKey" if draft.operation is VERIFY_IDENTITY_KEYS else "cartItems"

    def send(each: Draft, label: str) -> Exchange:
        return connector.send(each.operation, each.encoded(), label=label)

    first = send(draft, "the first attempt")
    for label in ("again, broken", "another one, broken"):
        broken = draft.again() if label.startswith("again") else requests.valid_request(draft.operation)
        if not match.no_success(refused := send(broken.without(member), label)):
            continue
        raise NotDeclared(f"the connector accepts a request that another case breaks alike: {refused.in_short()}")
    return [first, send(draft.again(), "the attempt after them")]


@then("no two trips of the run share a purchase")
def purchases_unique(recorder: Recorder, connector: ConnectorClient) -> None:
    """Match one trip for each purchase id that is not empty, in all stores, the visits of the platform included."""
    owners: dict[str, dict[str, Exchange]] = {}
    for past in past_calls(recorder):
        purchase = purchase_of(past.exchange) if past.exchange.operation == CREATE_PURCHASES else None
        trip = text_at(sent_by(past.exchange), "idempotentShoppingTripId")
        if purchase and trip:
            owners.setdefault(purchase, {}).setdefault(trip, past.exchange)
    shared = [(purchase, trips) for purchase, trips in owners.items() if len(trips) > 1]
    if shared:
        purchase, trips = shared[0]
        connector.show(list(trips.values())[:3])
        stores = {text_at(sent_by(each), "storeId") for each in trips.values()}
        where = "" if len(stores) == 1 else f" of {len(stores)} stores"
        got = f"purchaseId {purchase!r} for {len(trips)} trips{where}; {len(shared)} of {len(owners)} ids are shared"
        raise Finding("a purchaseId of its own for each trip of the run", got)


@given("several trips, some of them in the other store", target_fixture="exchanges")
def some_trips(requests: Requests, controls: ControlCalls, recorder: Recorder) -> Exchanges:
    """Send a few trips to each store, if the run has too few, so that the case can judge a run of its own.

    A quick connector without a declared rate gets as many as a counter needs that begins again after 100 purchases.
    """
    controls.needs_understanding(CREATE_PURCHASES)
    profile = requests.profile
    trips = accepted_trips(past_calls(recorder), profile)
    stores = [each for each in (profile.store.id, profile.store.other_id) if each]
    drafts = [
        requests.build.cart().with_value("storeId", store)
        for store in stores
        if not any(each.draft.body["storeId"] == store for each in trips)
        for _ in range(2)
    ]
    if _is_quick(controls, CREATE_PURCHASES) and not profile.limits.rate_limit_per_second:
        drafts += [requests.build.cart() for _ in range(_MANY_TRIPS - len(trips) - len(drafts))]
    with recorder.aside():
        return controls.send_each(drafts)


def _make_missing(
    answered: Sequence[Answered], own: Sequence[tuple[str, Draft]], connector: ConnectorClient, recorder: Recorder
) -> None:
    """Send the requests of the kinds that the run lacks, as when only a few cases are selected."""
    present = {kind for each in answered for kind in each.kinds}
    with recorder.aside():
        for kind, draft in own:
            if kind not in present:
                connector.send(draft.operation, draft.encoded(), label=kind)


def _own_carts(requests: Requests) -> list[tuple[str, Draft]]:
    """Return carts by a kind that `accepted_trips` gives them."""
    build, catalog = requests.build, requests.profile.catalog
    cart, line = build.cart(), build.line()
    carts = [
        ("case ", build.cart()),
        ("an empty cart", build.cart([])),
        ("many lines", build.cart([line] * 40)),
        ("a group", cart.with_value("shoppingTrip.authEvents", [build.auth_event(), build.auth_event()])),
        ("a long trip id", build.cart().with_value("idempotentShoppingTripId", uuid.uuid4().hex * 6)),
        (
            "a trip id in another alphabet",
            build.cart().with_value("idempotentShoppingTripId", f"trip Ångström 牛乳 {uuid.uuid4().hex}"),
        ),
        ("scanResult none", minimal(build.cart())),
        ("the member shopperDeviceId", build.cart().with_value("shopperDeviceId", f"device-{uuid.uuid4().hex}")),
    ]
    if catalog.skus:
        carts.append(("an unknown item", build.cart([build.line("NO-SUCH-SKU")])))
    if catalog.scancodes:
        carts.append(("an item of type SCANCODE", build.cart([build.line(build.scancode(), kind="SCANCODE")])))
    if catalog.weighted_skus:
        carts.append((kind_of_unit(build.weight_unit), build.cart([build.weighed_line("0.75")])))
    if requests.profile.store.other_id:
        carts.append(("another store", build.cart().with_value("storeId", requests.profile.store.other_id)))
    return carts


def _own_scans(requests: Requests) -> list[tuple[str, Draft]]:
    """Return scans by a kind that `decided_events` gives them, of the kinds of key that the profile declares."""
    keys, scans = requests.keys, [("a refusal", requests.build.scan(requests.keys.unknown()))]
    if keys.has("shopper"):
        scans.insert(0, ("the visitor SHOPPER", requests.build.scan(keys.take("shopper"))))
    if keys.has("associate"):
        scans.append(("the visitor ASSOCIATE", requests.build.scan(keys.take("associate"))))
    if keys.has("cash_shopper"):
        scans.append(("the visitor CASH_SHOPPER", requests.build.scan(keys.take("cash_shopper"))))
    return scans


def _most(controls: ControlCalls, operation: Operation, profile: Profile) -> int:
    """Return how many calls may be repeated: fewer under a declared rate, and for a slow connector."""
    rate, pace = profile.limits.rate_limit_per_second, controls.pace(operation)
    most = rate * 2 if rate else _MOST_REPEATED if _is_quick(controls, operation) else pace.max_concurrency * 4
    return max(_FEWEST_REPEATED, min(most, _MOST_REPEATED))


def _is_quick(controls: ControlCalls, operation: Operation) -> bool:
    return controls.trial(operation).exchanges[-1].elapsed_s <= _QUICK_S


def _wait_if_deep(answered: Sequence[Answered], selection: Selection, requests: Requests) -> None:
    """Wait until the first call is more than a minute old, in a deep run."""
    if selection.deep and answered:
        time.sleep(max(0.0, interval(answered[0].first)[0] + _MINUTE_S - requests.now().timestamp()))


def _repeat(
    chosen: Sequence[Answered],
    connector: ConnectorClient,
    controls: ControlCalls,
    note: Note,
    is_same: Callable[[Answered, Exchange], bool],
    *,
    first_times: int = 1,
) -> Exchanges:
    """Repeat each call, the first one several times. Return pairs of a first answer and a different one."""
    if not chosen:
        raise NotDeclared("the run has no accepted call that can be repeated")

    def send(each: Answered) -> Exchange:
        draft, label = each.draft.again(), each.first.label or _usual_kind(each)
        for _ in range(_TRIES):
            again = connector.send(draft.operation, draft.encoded(), label=label)
            if status_of(again) != _TOO_MANY:
                break
            time.sleep(_PAUSE_S)
        return again

    to_send = [*[chosen[0]] * (first_times - 1), *chosen]
    repeated = controls.send_concurrently(chosen[0].draft.operation, send, to_send)
    note(f"{len(chosen)} calls of the run repeated at its end")
    different = [
        (each.first, again)
        for each, again in zip(to_send, repeated, strict=True)
        if status_of(again) != _TOO_MANY and not is_same(each, again)
    ]
    return [exchange for pair in different for exchange in pair]


def _is_same_purchase(answered: Answered, again: Exchange) -> bool:
    return purchase_of(again) == purchase_of(answered.first)


def _is_same_decision(answered: Answered, again: Exchange) -> bool:
    return decision_of(again) == decision_of(answered.first)


def _usual_kind(answered: Answered) -> str:
    named = sorted(kind for kind in answered.kinds if not kind.startswith(("case ", "label ")))
    return ", ".join(named[:3])


def _needs_first_key_to_count(requests: Requests, connector: ConnectorClient, recorder: Recorder) -> None:
    """Check that the first key of an event decides. Raises NotDeclared if a later one changes the decision at once."""
    shopper, associate = requests.keys.take("shopper"), requests.keys.take("associate")
    draft = requests.build.scan(shopper)
    with recorder.aside():
        first = connector.send(draft.operation, draft.encoded())
        again = connector.send(draft.operation, draft.again().with_value("identityKey", associate).encoded())
    if status_of(first) != 200 or decision_of(first) != decision_of(again):  # noqa: PLR2004 - let in
        raise NotDeclared("a second key of the same event changes the decision at once, which VIK-X.3 judges")
