"""When: the request is repeated in every way that the platform may repeat it, or sent together with similar ones."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from pytest_bdd import parsers, when

from conformance import restarting
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import ProfileBroke
from conformance.requests import Requests
from conformance.run.bridge import Equipment
from conformance.run.controls import ControlCalls
from conformance.variants import reordered
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation
from jwo_contract.profile import Profile

Exchanges = list[Exchange]
OverRestart = dict[Operation, Exchanges]


@when("it is sent, and again with its members in another order", target_fixture="exchanges")
def send_reordered(draft: Draft, connector: ConnectorClient) -> Exchanges:
    """Send the request, and a further attempt with its JSON members in another order."""
    again = json.dumps(reordered(draft.again().body)).encode()
    return [connector.send(draft.operation, draft.encoded()), connector.send(draft.operation, again)]


@when(parsers.parse("it is sent, and once more after {count:d} others"), target_fixture="exchanges")
def send_after_others(
    draft: Draft, connector: ConnectorClient, requests: Requests, controls: ControlCalls, count: int
) -> Exchanges:
    """Send the request, many requests of other trips or events, and a further attempt of the first request."""
    again = _repetition(draft, controls)
    first = connector.send(draft.operation, draft.encoded())
    controls.send_each([requests.valid_request(draft.operation) for _ in range(count)])
    return [first, connector.send(draft.operation, again.encoded())]


@when(parsers.parse("it is sent, and once more after {seconds:g} seconds"), target_fixture="exchanges")
def send_later(draft: Draft, connector: ConnectorClient, controls: ControlCalls, seconds: float) -> Exchanges:
    """Send the request, and a further attempt after the gate's time limit."""
    again = _repetition(draft, controls)
    first = connector.send(draft.operation, draft.encoded())
    time.sleep(seconds)
    return [first, connector.send(draft.operation, again.encoded())]


def _repetition(draft: Draft, controls: ControlCalls) -> Draft:
    """Return a further attempt of a request; of a scan with another person's key, where the connector allows it."""
    return (controls.repetition(draft) if draft.operation is VERIFY_IDENTITY_KEYS else draft).again()


@pytest.fixture
def over_restart(equipment: Equipment) -> OverRestart:
    """Return the answers before and after the restart that all cases of single duplicates share; empty before it."""
    shared: OverRestart = equipment.shared.setdefault("over restart", {})
    return shared


@when("it is sent, and once more after a restart of the connector", target_fixture="exchanges")
def send_after_restart(
    draft: Draft, connector: ConnectorClient, requests: Requests, controls: ControlCalls, over_restart: OverRestart
) -> Exchanges:
    """Send the request, restart the connector by the declared command, and send a further attempt.

    The first case also sends a request of the other operation, if the connector accepts those, so that both cases need
    only one restart.
    """
    restarting.needs_command(requests.profile)
    if draft.operation in over_restart:
        connector.show(over_restart[draft.operation])
    else:
        other = CREATE_PURCHASES if draft.operation is VERIFY_IDENTITY_KEYS else VERIFY_IDENTITY_KEYS
        drafts = [draft]
        with suppress(ProfileBroke):
            drafts += [] if controls.trial(other).refusal else [requests.valid_request(other)]
        again = [_repetition(each, controls) for each in drafts]
        over_restart |= _send_over_restart(drafts, again, connector, requests.profile)
    return over_restart[draft.operation]


def _send_over_restart(
    drafts: Sequence[Draft], repetitions: Sequence[Draft], connector: ConnectorClient, profile: Profile
) -> OverRestart:
    def first(draft: Draft) -> Exchange:
        return connector.send(draft.operation, draft.encoded())

    def again(repetition: Draft) -> Exchange:
        return restarting.answered(lambda: first(repetition))

    with ThreadPoolExecutor(len(drafts)) as pool:
        before = list(pool.map(first, drafts))
        restarting.restart(profile)
        after = list(pool.map(again, repetitions))
    return {draft.operation: list(pair) for draft, *pair in zip(drafts, before, after, strict=True)}


@when("shoppers and associates scan at the same moment", target_fixture="exchanges")
def scan_together(connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send scans of shoppers and associates concurrently. The label of each is its visitor type."""
    labelled = [(kind.upper(), requests.build.scan(requests.keys.take(kind))) for kind in ("shopper", "associate") * 4]
    return together(connector, labelled)


@when("several trips arrive at the same moment, each of them twice", target_fixture="exchanges")
def buy_together(connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send carts of different trips and their duplicates concurrently. The label of each is its trip."""
    trips = [(f"trip {number}", requests.build.cart()) for number in range(1, 6)]
    return together(connector, trips + [(label, draft.again()) for label, draft in trips])


@when(parsers.parse("{count:d} people scan at the same moment"), target_fixture="exchanges")
def crowd_scans(connector: ConnectorClient, requests: Requests, count: int) -> Exchanges:
    """Send many scans concurrently, each with an authEvent of its own."""
    return together(connector, [("", requests.valid_request(VERIFY_IDENTITY_KEYS)) for _ in range(count)])


@when(parsers.parse("{count:d} people leave at the same moment"), target_fixture="exchanges")
def crowd_carts(connector: ConnectorClient, requests: Requests, count: int) -> Exchanges:
    """Send many carts concurrently, each with a trip of its own."""
    return together(connector, [("", requests.valid_request(CREATE_PURCHASES)) for _ in range(count)])


def together(connector: ConnectorClient, labelled: Sequence[tuple[str, Draft]]) -> Exchanges:
    """Send requests at the same moment, or only as many as the declared rate allows."""
    count = connector.at_once(len(labelled))
    barrier = threading.Barrier(count)

    def attempt(each: tuple[str, Draft]) -> Exchange:
        label, draft = each
        body = draft.encoded()
        barrier.wait(10)
        return connector.send(draft.operation, body, label=label)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(attempt, labelled[:count]))
