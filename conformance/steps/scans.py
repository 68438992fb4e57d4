"""Steps for scans that are nearly valid, for repetitions of an authEvent, and for other methods."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta, timezone

from pytest_bdd import parsers, then, when

from conformance import match
from conformance.badge_scans import badge_channels
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import Blocked, NotDeclared
from conformance.match import Mismatch
from conformance.requests import Requests
from conformance.run.controls import ControlCalls
from conformance.scan_variants import SCAN_SETS
from conformance.variants import with_own_ids
from conformance.verify import must, should
from jwo_contract.key_kinds import KeyKind
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile
from jwo_contract.values import format_instant

Exchanges = list[Exchange]
Warn = Callable[[Mismatch], None]
_OTHER_METHODS = ("GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "SCAN")
_OVERRIDDEN, _ASKS_FOR_POST = ("GET", "PUT", "DELETE"), " that asks for POST"
_OVERRIDE = {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method-Override": "POST"}
_MAY_SUCCEED = {"HEAD", "OPTIONS"}
"""Methods that a server may answer with success for every path; the answer holds no decision."""
_ASSOCIATE = "an associate's event"
_SAMPLE_TIME = "2024-02-09T17:53:57Z"


@when(parsers.parse("it comes once as each {name}"), target_fixture="exchanges")
def send_scan_set(
    draft: Draft, connector: ConnectorClient, requests: Requests, controls: ControlCalls, name: str
) -> Exchanges:
    """Send every scan of a set."""
    variants = list(SCAN_SETS[name](draft, requests))
    return controls.send_concurrently(
        draft.operation, lambda each: connector.send(draft.operation, each.encoded, label=each.label), variants
    )


@then("each is refused as invalid")
def each_refused_as_invalid(exchanges: Exchanges, profile: Profile) -> None:
    """Match the status of `http.malformed_status` in every answer."""
    for exchange in exchanges:
        must(match.status(exchange, [profile.house.http.malformed_status]))


@then("each is refused as invalid or malformed")
def each_refused(exchanges: Exchanges, profile: Profile) -> None:
    """Match 400, or the status of `http.malformed_status`, in every answer."""
    for exchange in exchanges:
        must(match.status(exchange, {400, profile.house.http.malformed_status}))


@then("each is decided on the key's merits, or refused as invalid")
def each_decided_or_refused(exchanges: Exchanges, requests: Requests) -> None:
    """Match the right decision, or the status of `http.malformed_status`, in every answer."""
    decided = 200 if requests.keys.has("shopper") else 401
    for exchange in exchanges:
        must(match.status(exchange, [decided, requests.profile.house.http.malformed_status]))


@then("each is turned away")
def each_turned_away(exchanges: Exchanges, warn: Warn) -> None:
    """Match 401 in every answer; 400 keeps the gate closed too, and is a warning."""
    for exchange in exchanges:
        must(match.status(exchange, [400, 401]))
    for exchange in exchanges:
        should(match.status(exchange, [401]), warn)


@then("none opens the gate")
def none_lets_in(exchanges: Exchanges, profile: Profile) -> None:
    """Match a refusal in every answer."""
    for exchange in exchanges:
        must(match.status(exchange, {400, 401, profile.house.identity.refusal_status}))


# repetitions


@when("its event comes again and again, between other calls", target_fixture="exchanges")
def repeat_between_calls(
    draft: Draft, connector: ConnectorClient, requests: Requests, controls: ControlCalls
) -> Exchanges:
    """Send a scan, and repeat it after each of several other calls. Returns the first answer and the repetitions."""

    def send(other: Draft, label: str = "") -> Exchange:
        return connector.send(other.operation, other.encoded(), label=label)

    again = controls.repetition(draft)
    exchanges = [send(draft), send(again.again(), "at once"), send(again.again(), "for the third time")]
    send(requests.build.scan(requests.keys.take("shopper")))
    exchanges.append(send(again.again(), "after another event of the shopper"))
    send(requests.build.scan(requests.keys.unknown()))
    exchanges.append(send(again.again(), "after another event that was refused"))
    send(draft.again().without("identityKey"))
    exchanges.append(send(again.again(), "after an invalid repetition"))
    connector.send(draft.operation, draft.encoded()[:-2])
    exchanges.append(send(again.again(), "after a repetition that is no JSON"))
    send(draft.again().with_value("identityKey", requests.keys.unknown()))
    exchanges.append(send(again.again(), "after a repetition with an unknown key"))
    return exchanges


@when("each kind of event comes, and again", target_fixture="exchanges")
def repeat_each_kind(connector: ConnectorClient, requests: Requests, controls: ControlCalls) -> Exchanges:
    """Send every kind of accepted event twice. Returns pairs of answers, without events that are not let in."""
    kinds = dict(_kinds_of_event(requests))
    let_in = [each for each in _send_labelled(connector, controls, kinds) if not match.status(each, [200])]
    again = {
        each.label: controls.repetition(kinds[each.label], "shopper" if each.label == _ASSOCIATE else "associate")
        for each in let_in
    }
    later = _send_labelled(connector, controls, {label: draft.again() for label, draft in again.items()})
    return [each for pair in zip(let_in, later, strict=True) for each in pair]


def _send_labelled(connector: ConnectorClient, controls: ControlCalls, labelled: Mapping[str, Draft]) -> Exchanges:
    """Send scans by label, as many at the same time as the connector allows."""

    def send(each: tuple[str, Draft]) -> Exchange:
        label, draft = each
        return connector.send(draft.operation, draft.encoded(), label=label)

    return controls.send_concurrently(VERIFY_IDENTITY_KEYS, send, labelled.items())


def _kinds_of_event(requests: Requests) -> Iterator[tuple[str, Draft]]:
    new = requests.understood_scan
    kinds: tuple[tuple[KeyKind, str], ...] = (
        ("associate", _ASSOCIATE),
        ("cash_shopper", "a cash shopper's event"),
    )
    for kind, label in kinds:
        if requests.keys.has(kind):
            yield label, requests.build.scan(requests.keys.take(kind))
    if requests.keys.has("badge"):
        scan, channel = requests.build.scan(requests.keys.take("badge")), badge_channels(requests.profile.house)[0]
        yield "a badge's event", scan.with_value("keyChannel", channel)
    yield "an event without keyChannel", new().without("keyChannel") if "keyChannel" in new().body else new()
    for channel in requests.profile.house.identity.key_channels:
        yield f"an event of keyChannel {channel}", new().with_value("keyChannel", channel)
    now = datetime.fromisoformat(new().value("authEvent.timestamp"))
    yield "an event of 2024", new().with_value("authEvent.timestamp", _SAMPLE_TIME)
    in_paris = now.astimezone(timezone(timedelta(hours=1))).isoformat()
    yield "an event with an offset in its time", new().with_value("authEvent.timestamp", in_paris)
    precise = now.strftime("%Y-%m-%dT%H:%M:%S.123Z")
    yield "an event with a fraction in its time", new().with_value("authEvent.timestamp", precise)
    yield "an event with an id in upper case", new().with_value("authEvent.id", str(uuid.uuid4()).upper())
    if requests.profile.store.other_id:
        yield "an event of the other store", new().with_value("storeId", requests.profile.store.other_id)


@when("its event comes again with other members", target_fixture="exchanges")
def repeat_changed(draft: Draft, connector: ConnectorClient, requests: Requests, controls: ControlCalls) -> Exchanges:
    """Send a scan, and repeat it with one member changed each time; other cases judge those that are refused."""
    changed = dict(_with_other_members(controls.repetition(draft), requests.profile))
    first = connector.send(draft.operation, draft.encoded())
    later = _send_labelled(connector, controls, {label: each.again() for label, each in changed.items()})
    return [first, *(each for each in later if match.status(each, [400]))]


def _with_other_members(draft: Draft, profile: Profile) -> Iterator[tuple[str, Draft]]:
    at = datetime.fromisoformat(draft.value("authEvent.timestamp"))
    yield "with a later timestamp", draft.with_value("authEvent.timestamp", format_instant(at + timedelta(seconds=1)))
    if "keyChannel" in draft.body:
        yield "without keyChannel", draft.without("keyChannel")
        for channel in profile.house.identity.key_channels[1:2]:
            yield "with another keyChannel", draft.with_value("keyChannel", channel)
    for location in profile.house.identity.locations[1:2]:
        yield "with another location", draft.with_value("authEvent.location", location)
    if profile.store.other_id:
        yield "at another store", draft.with_value("storeId", profile.store.other_id)


@then("every repetition gets the first decision")
def first_decision(exchanges: Exchanges) -> None:
    """Match the first decision in every later answer."""
    first, *later = exchanges
    _needs_entry(first)
    for exchange in later:
        _same_decision(first, exchange)


@then("each kind gets its first decision again")
def first_decision_of_each(exchanges: Exchanges) -> None:
    """Match pairs of answers. Raises NotDeclared if no event was let in."""
    if not exchanges:
        raise NotDeclared("the connector lets in none of these events; other cases say why")
    for first, later in zip(exchanges[::2], exchanges[1::2], strict=True):
        _same_decision(first, later)


def _needs_entry(first: Exchange) -> None:
    """Raises Blocked if a shopper who was let in before is not let in with another event."""
    if match.status(first, [200]):
        raise Blocked("VIK-X.4", f"the connector does not let the shopper in once more: {first.in_short()}")


def _same_decision(first: Exchange, later: Exchange) -> None:
    """Match the status and the visitor of a repetition."""
    must(match.status(later, [200]))
    if match.same_member([first, later], "visitorDetails"):
        must(Mismatch(f"the first decision: {first.in_short()}", later.in_short()))


@when("its event comes again with errors", target_fixture="exchanges")
def repeat_invalid(draft: Draft, connector: ConnectorClient, controls: ControlCalls, profile: Profile) -> Exchanges:
    """Send a valid scan, and invalid ones with its authEvent.id. Returns the answers to the invalid ones."""
    connector.send(draft.operation, draft.encoded())
    again = draft.again()
    invalid = {
        "again with a requestId that is no UUID": again.with_value("requestId", "not-a-uuid!"),
        "again for a store that does not exist": again.with_value("storeId", profile.store.unknown_id),
        "again without a timestamp": again.without("authEvent.timestamp"),
        "again with an unknown keyChannel": again.with_value("keyChannel", "TELEPATHY"),
        "again without a key": again.without("identityKey"),
    }
    return _send_labelled(connector, controls, invalid)


@when("it is refused, and its event comes again with the shopper's key", target_fixture="exchanges")
def refuse_then_shopper(draft: Draft, connector: ConnectorClient, requests: Requests, profile: Profile) -> Exchanges:
    """Send an unknown key, and the shopper's key under the same authEvent.id."""
    if 401 not in profile.house.identity.remember:  # noqa: PLR2004 - the refusal
        raise NotDeclared("[house.identity] remember says that a 401 is not remembered")
    again = draft.again().with_value("identityKey", requests.keys.take("shopper"))
    return [connector.send(each.operation, each.encoded()) for each in (draft, again)]


@when("an unknown key comes under ids that are partly its own", target_fixture="exchanges")
def send_similar_events(
    draft: Draft, connector: ConnectorClient, requests: Requests, controls: ControlCalls
) -> Exchanges:
    """Send a scan, and an unknown key under similar ids and in the same moment."""
    event_id = _with_equal_versions(str(uuid.uuid4()))
    first = draft.with_value("authEvent.id", event_id)
    other = first.with_value("identityKey", requests.keys.unknown())
    similar = {
        f"an unknown key {label}": other.again().with_value("authEvent.id", each)
        for label, each in _similar(event_id).items()
    }
    similar["an unknown key in the same moment"] = other.again().with_value("authEvent.id", str(uuid.uuid4()))
    similar["an unknown key with the same requestId"] = other.with_value("authEvent.id", str(uuid.uuid4()))
    entered = connector.send(first.operation, first.encoded(), label="the shopper's key")
    return [entered, *_send_labelled(connector, controls, similar)]


def _with_equal_versions(event_id: str) -> str:
    """Return a UUID of version 4 in which the second and the third group can change places."""
    return f"{event_id[:9]}4{event_id[10:]}"


def _similar(event_id: str) -> dict[str, str]:
    """Return other UUIDs that share a part with one, by their difference."""
    groups, other = event_id.split("-"), str(uuid.uuid4()).split("-")
    first, second, third, fourth, last = groups
    similar = {
        "with the same first group": [first, *other[1:]],
        "with the same last group": [*other[:4], last],
        "with the same first three groups": [*groups[:3], *other[3:]],
        "with the second and third group exchanged": [first, third, second, fourth, last],
        "with the halves of the last group exchanged": [*groups[:4], last[6:] + last[:6]],
    }
    for index in range(len(groups)):
        changed = [*groups[:index], _with_other_end(groups[index]), *groups[index + 1 :]]
        similar[f"with another digit in group {index + 1}"] = changed
    similar["with another first digit"] = [_with_other_end(first[::-1])[::-1], *groups[1:]]
    return {label: "-".join(each) for label, each in similar.items() if each != groups}


def _with_other_end(digits: str) -> str:
    return digits[:-1] + ("0" if digits[-1] != "0" else "1")


@then("the unknown key is turned away each time")
def unknown_each_time(exchanges: Exchanges) -> None:
    """Match 200 for the shopper and 401 for every other scan."""
    first, *later = exchanges
    _needs_entry(first)
    for exchange in later:
        must(match.status(exchange, [401]))


# other methods


@when("it is sent by every other method, and then an unknown key in its place", target_fixture="exchanges")
def send_by_other_methods(
    draft: Draft, connector: ConnectorClient, requests: Requests, controls: ControlCalls
) -> Exchanges:
    """Send scans by other methods, and then an unknown key by POST under each of their ids. Returns pairs.

    Some of the scans ask by a header to be treated as a POST.
    """
    labels = [*_OTHER_METHODS, *(f"{method}{_ASKS_FOR_POST}" for method in _OVERRIDDEN)]
    scans = {label: with_own_ids(draft) for label in labels}

    def send(each: tuple[str, Draft]) -> Exchange:
        label, own = each
        method, headers = label.removesuffix(_ASKS_FOR_POST), _OVERRIDE if label.endswith(_ASKS_FOR_POST) else {}
        return connector.send(own.operation, own.encoded(), method=method, label=label, more_headers=headers)

    by_other = controls.send_concurrently(VERIFY_IDENTITY_KEYS, send, scans.items())
    unknown = {
        f"POST after {label}": own.again().with_value("identityKey", requests.keys.unknown())
        for label, own in scans.items()
    }
    later = _send_labelled(connector, controls, unknown)
    return [each for pair in zip(by_other, later, strict=True) for each in pair]


@then("no other method decides, or has an effect")
def only_post_decides(exchanges: Exchanges) -> None:
    """Match no decision by another method, and 401 for the unknown key after it."""
    for by_other, after in zip(exchanges[::2], exchanges[1::2], strict=True):
        if by_other.method not in _MAY_SUCCEED:
            must(match.no_success(by_other))
        elif by_other.answer and (by_other.answer.json() or {}).get("visitorDetails"):
            must(Mismatch("no decision", by_other.in_short()))
        must(match.status(after, [401]))
