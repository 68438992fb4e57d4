"""When: the request is sent once for each variant of a set, or in an unusual way over the wire."""

from __future__ import annotations

import json

from pytest_bdd import parsers, when

from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.requests import Requests
from conformance.run.controls import ControlCalls
from conformance.variants import REFUSED, SETS, with_own_ids
from jwo_contract.operations import VERIFY_IDENTITY_KEYS

Exchanges = list[Exchange]


@when(parsers.parse("it is sent once for each {name}"), target_fixture="exchanges")
def send_variants(
    draft: Draft, connector: ConnectorClient, requests: Requests, controls: ControlCalls, name: str
) -> Exchanges:
    """Send every variant of a set as a request of its own."""

    def new() -> Draft:
        return with_own_ids(draft) if name in REFUSED else requests.valid_request(draft.operation)

    variants = list(SETS[name](new, requests.profile.house))
    return controls.send_concurrently(
        draft.operation, lambda each: connector.send(each.draft.operation, each.encoded, label=each.label), variants
    )


@when(parsers.parse("its bytes come over {seconds:g} seconds"), target_fixture="exchanges")
def send_slowly(draft: Draft, connector: ConnectorClient, seconds: float) -> Exchanges:
    """Send the request in small parts, as over a slow line."""
    return [connector.prepare_raw(draft.operation, [draft.encoded()]).send_slowly(seconds, f"sent over {seconds:g} s")]


@when("it breaks off halfway, and then comes whole", target_fixture="exchanges")
def send_broken_off(draft: Draft, connector: ConnectorClient) -> Exchanges:
    """Send half of the request, close the connection, and send a complete attempt."""
    connector.prepare_raw(draft.operation, [draft.encoded()]).break_off()
    return [connector.send(draft.operation, draft.again().encoded())]


@when("two known keys and an unknown one come on one connection without a pause", target_fixture="exchanges")
def pipeline_scans(connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send three scans before reading an answer."""
    keys = [requests.keys.take("shopper"), requests.keys.take("shopper"), requests.keys.unknown()]
    return connector.prepare_raw(
        VERIFY_IDENTITY_KEYS, [requests.build.scan(key).encoded() for key in keys]
    ).send_pipelined()


@when("two carts and an empty one come on one connection without a pause", target_fixture="exchanges")
def pipeline_carts(draft: Draft, connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send three carts before reading an answer."""
    drafts = [draft, requests.build.cart(), requests.build.cart([])]
    return connector.prepare_raw(draft.operation, [each.encoded() for each in drafts]).send_pipelined()


@when(parsers.parse("its path is called with {method} instead"), target_fixture="exchanges")
def send_with_method(draft: Draft, connector: ConnectorClient, method: str) -> Exchanges:
    """Call the path with another method and no body."""
    return [connector.send(draft.operation, b"", method=method, label=method)]


@when(parsers.parse("it is sent as {content_type}, and another as JSON"), target_fixture="exchanges")
def send_as(draft: Draft, connector: ConnectorClient, requests: Requests, content_type: str) -> Exchanges:
    """Send the request with another content type, and then a usual request."""
    odd = connector.send(draft.operation, draft.encoded(), content_type=content_type, label=content_type)
    return [odd, connector.send(draft.operation, requests.valid_request(draft.operation).encoded())]


@when(parsers.parse("it is sent with {count:d} characters too many, and another without"), target_fixture="exchanges")
def send_huge(draft: Draft, connector: ConnectorClient, requests: Requests, count: int) -> Exchanges:
    """Send the request with a huge unknown member, and then a usual request."""
    body = json.dumps({**draft.body, "xFutureAttribute": "x" * count}).encode()
    odd = connector.send(draft.operation, body, label=f"{len(body)} bytes")
    return [odd, connector.send(draft.operation, requests.valid_request(draft.operation).encoded())]
