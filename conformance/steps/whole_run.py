"""Steps that look at the whole run: what the connector remembers at its end, and every answer that it gave."""

from __future__ import annotations

import base64
import binascii
import json
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from pytest_bdd import given, parsers, then, when

from conformance import match
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.drivers.masks import unescaped
from conformance.errors import Blocked, Finding, NotDeclared
from conformance.forms import minimal
from conformance.internals import sign_of_internals
from conformance.match import Mismatch
from conformance.requests import Requests
from conformance.run.bridge import Equipment
from conformance.run.configuration import Selection
from conformance.run.controls import ControlCalls
from conformance.run.recorder import Recorder
from conformance.timing import average_calls, interval, needs_punctual_suite
from conformance.verdicts import Verdict
from conformance.verify import must
from conformance.whole_run import (
    RESTARTING,
    Answered,
    Past,
    accepted_trips,
    choose,
    decided_events,
    forgotten_before,
    is_judged,
    is_ordinary,
    is_usual_time,
    is_uuid,
    of_operation,
    outline,
    past_calls,
    purchase_of,
    text_at,
    valid_body,
)
from contract.gate import NoAnswer
from contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation
from contract.profile import Profile

Exchanges = list[Exchange]
Note = Callable[[str], None]
_OPERATIONS = {"scan": VERIFY_IDENTITY_KEYS, "cart": CREATE_PURCHASES}
_IDLE_CASES = {VERIFY_IDENTITY_KEYS: "VIK-X.83", CREATE_PURCHASES: "CP-X.104"}
_TIME_CASES = {VERIFY_IDENTITY_KEYS: "VIK-9", CREATE_PURCHASES: "CP-X.11"}
_MOST_REPEATED, _FEWEST_REPEATED, _MOST_OTHER_KEYS = 60, 6, 12
_MINUTE_S = 65.0
_TIMES_THE_FIRST = 4
"""The first call is repeated this often, for a connector that forgets an answer after some repetitions."""
_QUICK_S = 0.25
_IDLE_TRIES = 3
_LOW_RATE, _FEW = 20, 3
"""Below this declared rate, in calls per second, the suite sends only a few of the calls that would take long."""
_TOO_MANY, _TRIES, _PAUSE_S = 429, 3, 1.1
_STORES_GATES = 8
"""A rule about time holds while the suite makes at most this many calls at the same time."""
_CROWD = 60
_SHORTEST = 6
"""Shorter texts also occur inside ordinary words."""
_HIDDEN_START = 4
"""A key without this many characters at its start or end is still the key."""
_NOT_BROKEN = {501, 505}
"""Server errors that are right for a method or a version that the server does not support."""
_NO_REFUSAL = {401, 403, 408, 409, 429}
"""Statuses that another case judges: access, patience, changed carts and rates."""
_PERSONAL = ("shopperIdentity.id", "shopperDeviceId", "paymentSource.id")
_DEEP, _DEEP_LABEL = 20_000, "deep JSON"
"""Levels that no message has. RFC 8259 lets a parser limit the depth, so that a server error at it is no finding."""


# what the connector remembers


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
    remembered = [each for each in found() if _status(each.first) in profile.house.identity.remember]
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
        visitor = _decision(each.first)[1]
        is_shopper = isinstance(visitor, dict) and visitor.get("type") == "SHOPPER"
        if not is_shopper and not (_status(each.first) == 401 and 401 in profile.house.identity.remember):  # noqa: PLR2004 - a refusal
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


# time


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
        if not any(each.is_late_by_suite(_budget_s(each.operation, requests.profile)) for each in after_idle.values()):
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
    budget_s = _budget_s(operation, profile)
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
    budget_s, calls = _budget_s(operation, profile), past_calls(recorder)
    most = 1.5 if controls.pace(operation).is_serial else _STORES_GATES
    everything = [each.exchange for each in calls]
    late = [
        each.exchange
        for each in calls
        if each.exchange.operation == operation
        and _is_too_late(each, budget_s)
        and average_calls(each.exchange, everything) <= most
    ]
    if late:
        _needs_usual_time(recorder, operation)
        slowest = max(late, key=lambda each: each.elapsed_s)
        connector.show(late)
        got = f"{len(late)} later, the slowest after {slowest.elapsed_s:.3f} s: {slowest.in_short()}"
        raise Finding(f"each {name} of the run answered within {budget_s:g} s", got)


# every answer of the run


@given(parsers.parse("the calls of the whole run with a {name}"), target_fixture="calls")
def calls_of_the_run(recorder: Recorder, name: str) -> list[Past]:
    """Return the calls of an operation, oldest first; those beyond the core count as scans."""
    return of_operation(past_calls(recorder), _OPERATIONS[name])


@when("calls that often bring out a program's inside are sent")
def provoke(draft: Draft, connector: ConnectorClient, profile: Profile, calls: list[Past]) -> None:
    """Send deep JSON, a wrong path, bytes that are no text and others; only a few under a low declared rate."""
    operation, body = draft.operation, draft.encoded()
    nowhere = operation._replace(path=f"{operation.path}/nowhere")
    quoted = draft.with_value("storeId", "a\x00'\"--").encoded()
    provoking: list[Callable[[], Exchange]] = [
        lambda: connector.send(operation, b'{"requestId":' + b"[" * _DEEP + b"]" * _DEEP + b"}", label=_DEEP_LABEL),
        lambda: connector.send(nowhere, body, label="another path"),
        lambda: connector.send(operation, quoted, label="a store id with quotes"),
        lambda: connector.send(operation, body.replace(b"ENTRY", b"\xff\xfe"), label="bytes that are no text"),
        lambda: connector.send(operation, body, label="PUT", method="PUT"),
        lambda: connector.send(operation, body, label="another content type", content_type="application/xml"),
    ]
    is_limited = profile.limits.rate_limit_per_second in range(1, _LOW_RATE)
    calls += [Past("", Verdict.PASS, send()) for send in (provoking[:_FEW] if is_limited else provoking)]


@then("no answer shows the inside of the connector")
def nothing_inside(calls: list[Past], connector: ConnectorClient, profile: Profile) -> None:
    """Match answers without stack traces, paths of files, SQL and debug pages."""
    if profile.house.http.shows_internals:
        raise NotDeclared("[house.http] shows_internals says that answers may show the connector's inside")
    for _case_id, _verdict, exchange in calls:
        text = _text(exchange)
        sent = exchange.body.decode("utf-8", "replace")
        for form in dict.fromkeys((text, unescaped(text))):
            if sign := sign_of_internals(form, sent):
                connector.show([exchange])
                raise Finding("an answer without the connector's inside", f"{sign}, in: {exchange.in_short()}")


@then("no refusal repeats the key or the body")
def nothing_repeated(calls: list[Past], connector: ConnectorClient, profile: Profile) -> None:
    """Match refusals and errors without the request's key, its personal data and its whole body."""
    if profile.house.http.repeats_personal:
        raise NotDeclared("[house.http] repeats_personal says that answers may repeat keys and personal data")
    for past in calls:
        exchange = past.exchange
        if exchange.answer is None or exchange.answer.status < 400 or is_judged(past):  # noqa: PLR2004 - the refusals
            continue
        text = _text(exchange)
        plain = unescaped(text)
        for what, hidden in _hidden_texts(exchange):
            if hidden in text or hidden in plain:
                connector.show([exchange])
                raise Finding(
                    f"a refusal that does not repeat {what}", f"{exchange.in_short()} (the answer repeats it)"
                )


@then("every success says that it is JSON")
def all_json(calls: list[Past], connector: ConnectorClient, profile: Profile) -> None:
    """Match the content type of each successful answer to a valid request."""
    for past in calls:
        exchange = past.exchange
        if exchange.answer is None or exchange.answer.status not in {200, 201} or not is_ordinary(exchange):
            continue
        mismatch = match.says_json(exchange)
        if mismatch and not is_judged(past) and valid_body(exchange, profile) is not None:
            connector.show([exchange])
            must(Mismatch(mismatch.expected, f"{mismatch.got}: {exchange.in_short()}"))


@then(parsers.parse("no valid {name} failed or was refused"))
def none_failed(
    calls: list[Past], connector: ConnectorClient, controls: ControlCalls, profile: Profile, name: str
) -> None:
    """Match no server error to a valid request, and no refusal of a usual one, where no other case judges it."""
    operation = _OPERATIONS[name]
    usual = outline(controls.trial(operation).exchanges[-1].sent())
    everything = [each.exchange for each in calls]
    for past in calls:
        exchange, status = past.exchange, _status(past.exchange)
        if status < 400 or status in _NO_REFUSAL or is_judged(past) or exchange.operation != operation:  # noqa: PLR2004 - the refusals
            continue
        if exchange.label and status < 500 and past.verdict is Verdict.PASS:  # noqa: PLR2004 - the case wants the refusal
            continue
        body = valid_body(exchange, profile) if is_ordinary(exchange) else None
        if body is None or average_calls(exchange, everything) > _CROWD:
            continue
        if status >= 500 or _is_usual(body, exchange, usual, profile):  # noqa: PLR2004 - the server errors
            connector.show([exchange])
            raise Finding(f"a decision about each valid {name} of the run", exchange.in_short())


@then("the connector never failed")
def no_server_error(calls: list[Past], connector: ConnectorClient) -> None:
    """Match no server error to any request, valid or not, where no other case judges it."""
    everything = [each.exchange for each in calls]
    for past in calls:
        exchange, status = past.exchange, _status(past.exchange)
        is_limit = exchange.label == _DEEP_LABEL
        if status < 500 or status in _NOT_BROKEN or is_judged(past) or is_limit:  # noqa: PLR2004 - the server errors
            continue
        if average_calls(exchange, everything) <= _CROWD:
            connector.show([exchange])
            raise Finding("no server error to any request of the run", exchange.in_short())


@then("no unknown key opened the gate")
def strangers_kept_out(calls: list[Past], connector: ConnectorClient, profile: Profile) -> None:
    """Match no success for an event that only unknown keys showed."""
    keys: dict[str, set[str]] = {}
    scans = []
    for past in calls:
        body = valid_body(past.exchange, profile) if past.exchange.operation == VERIFY_IDENTITY_KEYS else None
        if body is not None:
            keys.setdefault(body["authEvent"]["id"], set()).add(body["identityKey"])
            scans.append((past.exchange, body))
    for exchange, body in scans:
        is_strange = all(_is_unknown(key, profile) for key in keys[body["authEvent"]["id"]])
        if is_strange and exchange.answer is not None and 200 <= exchange.answer.status < 300:  # noqa: PLR2004 - the 2xx
            connector.show([exchange])
            raise Finding("401 for each unknown key of the run", exchange.in_short())


@then("no two trips of the run share a purchase")
def purchases_unique(recorder: Recorder, connector: ConnectorClient) -> None:
    """Match one trip for each purchase id that is not empty, in all stores, the visits of the platform included."""
    owners: dict[str, dict[str, Exchange]] = {}
    for past in past_calls(recorder):
        purchase = purchase_of(past.exchange) if past.exchange.operation == CREATE_PURCHASES else None
        trip = text_at(_sent(past.exchange), "idempotentShoppingTripId")
        if purchase and trip:
            owners.setdefault(purchase, {}).setdefault(trip, past.exchange)
    shared = [(purchase, trips) for purchase, trips in owners.items() if len(trips) > 1]
    if shared:
        purchase, trips = shared[0]
        connector.show(list(trips.values())[:3])
        stores = {text_at(_sent(each), "storeId") for each in trips.values()}
        where = "" if len(stores) == 1 else f" of {len(stores)} stores"
        got = f"purchaseId {purchase!r} for {len(trips)} trips{where}; {len(shared)} of {len(owners)} ids are shared"
        raise Finding("a purchaseId of its own for each trip of the run", got)


@given("several trips, some of them in the other store", target_fixture="exchanges")
def some_trips(requests: Requests, connector: ConnectorClient, controls: ControlCalls, recorder: Recorder) -> Exchanges:
    """Send a few trips to each store, if the run has too few, so that the case can judge a run of its own."""
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
    with recorder.aside():
        return [connector.send(each.operation, each.encoded()) for each in drafts]


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
        weighed = build.line(build.weighted_sku(), value="0.75", unit="lb")
        carts.append(("the unit lb", build.cart([weighed])))
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
    is_quick = controls.trial(operation).exchanges[-1].elapsed_s <= _QUICK_S
    most = rate * 2 if rate else _MOST_REPEATED if is_quick else pace.max_concurrency * 4
    return max(_FEWEST_REPEATED, min(most, _MOST_REPEATED))


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
            if _status(again) != _TOO_MANY:
                break
            time.sleep(_PAUSE_S)
        return again

    to_send = [*[chosen[0]] * (first_times - 1), *chosen]
    repeated = controls.send_concurrently(chosen[0].draft.operation, send, to_send)
    note(f"{len(chosen)} calls of the run repeated at its end")
    different = [
        (each.first, again)
        for each, again in zip(to_send, repeated, strict=True)
        if _status(again) != _TOO_MANY and not is_same(each, again)
    ]
    return [exchange for pair in different for exchange in pair]


def _is_same_purchase(answered: Answered, again: Exchange) -> bool:
    return purchase_of(again) == purchase_of(answered.first)


def _is_same_decision(answered: Answered, again: Exchange) -> bool:
    return _decision(again) == _decision(answered.first)


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
    if _status(first) != 200 or _decision(first) != _decision(again):  # noqa: PLR2004 - let in
        raise NotDeclared("a second key of the same event changes the decision at once, which VIK-X.3 judges")


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


def _is_usual(body: dict[str, object], exchange: Exchange, usual: object, profile: Profile) -> bool:
    """Say whether a request differs from the accepted control call only in its ids and times."""
    path = "authEvent.id" if exchange.operation == VERIFY_IDENTITY_KEYS else "idempotentShoppingTripId"
    if outline(_sent(exchange)) != usual or not is_uuid(text_at(body, path)) or not is_uuid(text_at(body, "requestId")):
        return False
    if exchange.operation == CREATE_PURCHASES:
        start, end = (text_at(body, f"shoppingTrip.{name}") for name in ("startTime", "endTime"))
        return is_usual_time(start) and is_usual_time(end) and start <= end
    is_fixed = profile.keys.shopper and not (profile.keys.command or profile.keys.url)
    return bool(is_fixed and body["identityKey"] == profile.keys.shopper)


def _is_unknown(key: str, profile: Profile) -> bool:
    """Say whether the suite made a key, so that the connector cannot know it."""
    if profile.keys.unknown:
        return key == profile.keys.unknown
    try:
        return base64.b64decode(key, validate=True).startswith(b"nobody")
    except (binascii.Error, ValueError):
        return False


def _hidden_texts(exchange: Exchange) -> Iterator[tuple[str, str]]:
    """Yield the texts of a request that a refusal must not hold, each with what it is."""
    body, raw = _sent(exchange), exchange.body.decode("utf-8", "replace")
    if len(raw) >= _SHORTEST * _SHORTEST:
        yield "the whole body", raw
        yield "the whole body", json.dumps(body)
    key = text_at(body, "identityKey")
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    for text in (key, decoded.decode("utf-8", "ignore"), decoded.hex(), decoded.hex().upper()):
        for part in (text, text[_HIDDEN_START:], text[:-_HIDDEN_START]):
            if len(part) >= (_SHORTEST if part is text else _SHORTEST * 2):
                yield "the identityKey", part
    for path in _PERSONAL:
        yield from _long_enough(path, text_at(body, path))
    trip = body.get("shoppingTrip") if isinstance(body, dict) else None
    events = trip.get("authEvents") if isinstance(trip, dict) else None
    for event in events if isinstance(events, list) else []:
        yield from _long_enough("scanResult.id", text_at(event, "scanResult.id"))


def _long_enough(path: str, text: str) -> Iterator[tuple[str, str]]:
    if len(text) >= _SHORTEST:
        yield path, text


def _sent(exchange: Exchange) -> object:
    try:
        return json.loads(exchange.body)
    except (ValueError, RecursionError):
        return None


def _text(exchange: Exchange) -> str:
    answer = exchange.answer
    return answer.body.decode("utf-8", "replace") + " " + " ".join(answer.headers.values()) if answer else ""


def _status(exchange: Exchange) -> int:
    return exchange.answer.status if exchange.answer else 0


def _decision(exchange: Exchange) -> tuple[int, object]:
    body = (exchange.answer.json() or {}) if exchange.answer else {}
    return _status(exchange), body.get("visitorDetails")


def _budget_s(operation: Operation, profile: Profile) -> float:
    return operation.answer_budget_s(profile.house)
