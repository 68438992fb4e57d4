"""When: the request is sent, either valid, broken in one place, repeated, or several times concurrently."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pytest_bdd import parsers, when

from conformance import match
from conformance.drafts import Draft, with_unknown_members
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import NotDeclared
from conformance.forms import IGNORED, SAMPLES, places, with_sample
from conformance.repetition import send_many
from conformance.requests import Requests
from conformance.run.controls import ControlCalls
from conformance.variants import with_own_ids
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile
from jwo_toolkit.patterns import matches

Exchanges = list[Exchange]
_BAD_EVENT_IDS = ("not a valid id!", "a/b", "#", "a b", "")


@when("it is sent", target_fixture="exchanges")
def send(draft: Draft, connector: ConnectorClient) -> Exchanges:
    """Send the request unchanged."""
    return [connector.send(draft.operation, draft.encoded())]


@when("it is sent with an unknown member in each object, optional ones included", target_fixture="exchanges")
def send_future_members(draft: Draft, connector: ConnectorClient) -> Exchanges:
    """Send the request with unknown members, and again with each optional object that the connector accepts."""
    exchanges = send(Draft(draft.operation, with_unknown_members(draft.body)), connector)
    for paths in ([each for each in SAMPLES if each not in IGNORED], IGNORED):
        whole = with_own_ids(draft)
        for path in paths:
            whole = whole if places(whole, path) else with_sample(whole, path)
        plain = connector.send(whole.operation, whole.encoded(), label="with optional members")
        if not match.no_success(plain):
            continue  # the connector refuses the members themselves, which other cases judge
        future = with_own_ids(whole)
        body = json.dumps(with_unknown_members(future.body)).encode()
        exchanges.append(connector.send(draft.operation, body, label="with unknown members in optional objects"))
    return exchanges


@when(parsers.parse('it is sent without "{path}"'), target_fixture="exchanges")
def send_without(draft: Draft, connector: ConnectorClient, path: str) -> Exchanges:
    """Send the request with one member missing."""
    return [connector.send(draft.operation, draft.without(path).encoded())]


@when(parsers.parse('it is sent with "{path}" set to "{value}"'), target_fixture="exchanges")
def send_with(draft: Draft, connector: ConnectorClient, path: str, value: str) -> Exchanges:
    """Send the request with one wrong text."""
    return [connector.send(draft.operation, draft.with_value(path, value).encoded())]


@when("it is sent with an authEvent id that breaks the pattern", target_fixture="exchanges")
def send_bad_event_id(draft: Draft, connector: ConnectorClient, profile: Profile) -> Exchanges:
    """Send the cart with an id that breaks `ordering.auth_event_id_pattern`. Raises NotDeclared if every id fits."""
    pattern = profile.house.ordering.auth_event_id_pattern
    bad = [text for text in _BAD_EVENT_IDS if not matches(pattern, text)]
    if not bad:
        raise NotDeclared(f"[house.ordering] auth_event_id_pattern {pattern!r} allows every id that the suite tries")
    return send_with(draft, connector, "shoppingTrip.authEvents[0].id", bad[0])


@when(parsers.parse('it is sent with "{path}" of {length:d} characters'), target_fixture="exchanges")
def send_long(draft: Draft, connector: ConnectorClient, path: str, length: int) -> Exchanges:
    """Send the request with one text that is only too long."""
    return [connector.send(draft.operation, draft.with_value(path, "a" * length).encoded())]


@when(
    parsers.parse('it is sent with "{path}" as valid Base64 of {shorter:d} and of {longer:d} characters'),
    target_fixture="exchanges",
)
def send_long_base64(
    draft: Draft, connector: ConnectorClient, profile: Profile, path: str, shorter: int, longer: int
) -> Exchanges:
    """Send the request with Base64 texts that are only too long.

    The longer one is too long under both readings of the limit, as its decoded form has more than 1000 bytes. The
    shorter one is sent if `identity.key_max` says that the limit holds for the encoded text.
    """
    lengths = [each for each in (shorter, longer) if each > profile.house.identity.key_max]
    texts = [base64.b64encode(b"k" * (length // 4 * 3)).decode() for length in lengths]
    return [connector.send(draft.operation, draft.again().with_value(path, text).encoded()) for text in texts]


@when(parsers.parse("its path is called with {body}"), target_fixture="exchanges")
def send_raw(draft: Draft, connector: ConnectorClient, body: str) -> Exchanges:
    """Send another body to the request's path."""
    raw = {
        "no body": b"",
        "an empty object": b"{}",
        "half a JSON text": draft.encoded()[: len(draft.encoded()) // 2],
        "a JSON list": b"[]",
    }
    return [connector.send(draft.operation, raw[body])]


@when("it is sent for a store that does not exist", target_fixture="exchanges")
def send_to_unknown_store(draft: Draft, connector: ConnectorClient, profile: Profile) -> Exchanges:
    """Send the request with a well-formed store id that no store has."""
    return [connector.send(draft.operation, draft.with_value("storeId", profile.store.unknown_id).encoded())]


@when("it is sent, and again with another requestId", target_fixture="exchanges")
def send_twice(draft: Draft, connector: ConnectorClient) -> Exchanges:
    """Send the request and one more attempt, which has a requestId of its own."""
    return _send_in_turn(connector, [draft, draft.again()])


@when("it is sent twice as it is", target_fixture="exchanges")
def send_same_twice(draft: Draft, connector: ConnectorClient) -> Exchanges:
    """Send the same request twice, with the same requestId."""
    return _send_in_turn(connector, [draft, draft])


@when(parsers.parse("{count:d} attempts of it arrive at the same moment"), target_fixture="exchanges")
def send_at_once(draft: Draft, connector: ConnectorClient, count: int) -> Exchanges:
    """Send attempts with different requestIds at the same moment, or only as many as the declared rate allows."""
    count = connector.at_once(count)
    barrier = threading.Barrier(count)

    def attempt(copy: Draft) -> Exchange:
        barrier.wait(10)
        return connector.send(copy.operation, copy.encoded())

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(attempt, [draft.again() for _ in range(count)]))


@when("it is sent, and again with the key of the associate", target_fixture="exchanges")
def send_with_other_key(draft: Draft, connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send the same authEvent again with another identityKey."""
    return _send_in_turn(connector, [draft, draft.again().with_value("identityKey", requests.keys.take("associate"))])


@when("it is sent, and the same shopper scans once more", target_fixture="exchanges")
def send_next_event(draft: Draft, connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send a scan, and a scan of the same kind of shopper with a new authEvent."""
    return _send_in_turn(connector, [draft, requests.build.scan(requests.keys.take("shopper"))])


@when("it is sent, and an unknown key under an id that looks alike", target_fixture="exchanges")
def send_event_alike(draft: Draft, connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send a scan, and an unknown key with an authEvent.id that differs only in its last digit."""
    event_id: str = draft.body["authEvent"]["id"]
    alike = event_id[:-1] + ("0" if event_id[-1] != "0" else "1")
    other = requests.build.scan(requests.keys.unknown()).with_value("authEvent.id", alike)
    return _send_in_turn(connector, [draft, other])


@when("it is sent, and again with another cart", target_fixture="exchanges")
def send_other_cart(draft: Draft, connector: ConnectorClient) -> Exchanges:
    """Send the same trip again with a changed quantity."""
    return _send_in_turn(connector, [draft, draft.again().with_value("cartItems[0].quantity.value", "7.0")])


@when("it is sent, and another trip with an equal cart", target_fixture="exchanges")
def send_other_trip(draft: Draft, connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send a trip, and a second trip with an equal cart."""
    return _send_in_turn(connector, [draft, requests.build.cart(draft.body["cartItems"])])


@when(parsers.parse('it is sent without "{path}", and then corrected'), target_fixture="exchanges")
def send_then_correct(draft: Draft, connector: ConnectorClient, path: str) -> Exchanges:
    """Send an invalid request, and then the valid one with the same idempotency key."""
    return _send_in_turn(connector, [draft.without(path), draft.again()])


@when(parsers.parse("at least {count:d} such scans are sent"), target_fixture="exchanges")
def send_many_scans(connector: ConnectorClient, requests: Requests, controls: ControlCalls, count: int) -> Exchanges:
    """Send scans with different keys and authEvents. Stop early after several late answers."""
    return send_many(
        connector, requests, VERIFY_IDENTITY_KEYS, count, gates=controls.pace(VERIFY_IDENTITY_KEYS).max_concurrency
    )


@when(parsers.parse("at least {count:d} such carts are sent"), target_fixture="exchanges")
def send_many_carts(connector: ConnectorClient, requests: Requests, controls: ControlCalls, count: int) -> Exchanges:
    """Send carts of different trips. Stop early after several late answers."""
    return send_many(
        connector, requests, CREATE_PURCHASES, count, gates=controls.pace(CREATE_PURCHASES).max_concurrency
    )


@when("scans come at twice the declared rate for two seconds", target_fixture="exchanges")
def send_too_fast(connector: ConnectorClient, requests: Requests, profile: Profile) -> Exchanges:
    """Send more scans than the declared limit allows."""
    rate = profile.limits.rate_limit_per_second
    if not rate:
        raise NotDeclared("[limits] rate_limit_per_second is not declared in the profile")
    drafts = [requests.valid_request(VERIFY_IDENTITY_KEYS) for _ in range(rate * 4)]
    start = time.perf_counter()

    def send_at_its_time(index: int) -> Exchange:
        time.sleep(max(0.0, start + index / (rate * 2) - time.perf_counter()))
        return connector.send(VERIFY_IDENTITY_KEYS, drafts[index].encoded(), paced=False)

    with ThreadPoolExecutor(min(32, len(drafts))) as pool:
        return list(pool.map(send_at_its_time, range(len(drafts))))


def _send_in_turn(connector: ConnectorClient, drafts: Sequence[Draft]) -> Exchanges:
    return [connector.send(draft.operation, draft.encoded()) for draft in drafts]
