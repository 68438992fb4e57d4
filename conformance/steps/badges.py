"""Steps for badges: the scans of their readers, and who is let in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from pytest_bdd import given, parsers, then, when

from conformance import match
from conformance.badge_scans import at_each_reader, badge_channels
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.requests import Requests
from conformance.run.controls import ControlCalls
from conformance.variants import with_own_ids
from conformance.verify import must, should
from jwo_contract.key_kinds import KeyKind
from jwo_contract.operations import VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile

Exchanges = list[Exchange]
Warn = Callable[[Mismatch], None]
_TIMES = 3


@given(parsers.re(r"a scan of the declared (?P<kind>badge|associate badge|revoked badge|lost badge|expired badge)"),
       target_fixture="draft")  # fmt: skip
def a_declared_badge(requests: Requests, controls: ControlCalls, profile: Profile, kind: str) -> Draft:
    """Return a scan of a badge. Raises NotDeclared if the profile declares no store or no badge of this kind."""
    name = cast("KeyKind", kind.replace(" ", "_"))
    if not profile.store.id:
        raise NotDeclared("[store] id is not declared in the profile")
    if not requests.keys.has(name):
        raise NotDeclared(
            f"[keys] {name} is not declared in the profile; declare the Base64 of such a badge's key, or list {name} "
            "in [keys] minted"
        )
    controls.needs_understanding(VERIFY_IDENTITY_KEYS)
    return requests.build.scan(requests.keys.take(name))


@when("it comes through each badge reader", target_fixture="exchanges")
def send_at_each_reader(
    draft: Draft, connector: ConnectorClient, controls: ControlCalls, profile: Profile
) -> Exchanges:
    """Send the badge as a new event of each reader."""
    return _send(connector, controls, at_each_reader(draft, profile.house))


@when("the same badge is shown three times", target_fixture="exchanges")
def send_three_times(draft: Draft, connector: ConnectorClient, profile: Profile) -> Exchanges:
    """Send the badge with one new event after the other, at the first badge reader."""
    channel = badge_channels(profile.house)[0]
    scans = [with_own_ids(draft).with_value("keyChannel", channel) for _ in range(_TIMES)]
    return [connector.send(each.operation, each.encoded()) for each in scans]


@when("it comes through each badge reader, and each event again", target_fixture="exchanges")
def repeat_at_each_reader(
    draft: Draft, connector: ConnectorClient, controls: ControlCalls, profile: Profile
) -> Exchanges:
    """Send the badge as a new event of each reader, and repeat each event. Returns pairs of answers."""
    scans = at_each_reader(draft, profile.house)
    first = _send(connector, controls, scans)
    later = _send(connector, controls, {name: controls.repetition(each).again() for name, each in scans.items()})
    return [each for pair in zip(first, later, strict=True) for each in pair]


def _send(connector: ConnectorClient, controls: ControlCalls, scans: Mapping[str, Draft]) -> Exchanges:
    def send(scan: tuple[str, Draft]) -> Exchange:
        channel, draft = scan
        return connector.send(draft.operation, draft.encoded(), label=f"keyChannel {channel}")

    return controls.send_concurrently(VERIFY_IDENTITY_KEYS, send, scans.items())


@then("each badge lets its owner in")
def each_lets_in(exchanges: Exchanges, profile: Profile, warn: Warn) -> None:
    """Match a complete 200 in every answer."""
    for exchange in exchanges:
        must(match.status(exchange, [200]))
        must(match.well_formed(exchange, profile.house))
        should(match.well_formed(exchange, profile.house, by_house=True), warn)
    must(match.same_member(exchanges, "visitorDetails"))


@then("each badge lets an associate in")
def each_lets_associate_in(exchanges: Exchanges, profile: Profile, warn: Warn) -> None:
    """Match a complete 200 of the type ASSOCIATE in every answer."""
    each_lets_in(exchanges, profile, warn)
    for exchange in exchanges:
        must(match.visitor_type(exchange, "ASSOCIATE"))


@then("each badge is refused as the house says")
def each_refused(exchanges: Exchanges, profile: Profile) -> None:
    """Match the status of `identity.refusal_status` in every answer."""
    for exchange in exchanges:
        must(match.status(exchange, [profile.house.identity.refusal_status]))


@then("each event of a badge gets its first decision again")
def same_decisions(exchanges: Exchanges) -> None:
    """Match pairs of answers. Raises NotDeclared if the connector lets none of the badges in."""
    pairs = [
        (one, two) for one, two in zip(exchanges[::2], exchanges[1::2], strict=True) if not match.status(one, [200])
    ]
    if not pairs:
        raise NotDeclared(
            f"the connector lets the badge in through no reader, see VIK-X.116: {exchanges[0].in_short()}"
        )
    for first, later in pairs:
        must(match.status(later, [200]))
        must(match.same_member([first, later], "visitorDetails"))
