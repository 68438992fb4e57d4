"""Steps for the payment side of the gate: a declined means of payment, a debt, and a debt that a trip leaves behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import NamedTuple, cast

from pytest_bdd import given, parsers, then, when

from conformance import match
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import Finding, NotDeclared
from conformance.match import Mismatch
from conformance.requests import Requests
from conformance.run.controls import ControlCalls
from conformance.verify import must, should
from jwo_contract.key_kinds import PaymentKind
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile
from jwo_toolkit.patterns import matches

Warn = Callable[[Mismatch], None]
_TIMES, _BEFORE, _AFTER = 3, 2, 2
"""Scans of a refused key; of a debtor's key before the trip; and of it after the first refusal."""
_TRIES_AT = (0.0, 0.04, 0.1, 0.25, 0.5, 1.0)
"""When the suite tries the debtor's key after the cart, as shares of `suite.debt_within_s`."""


class Trip(NamedTuple):
    """A debtor who has entered: the scan with its answer, and the keys that are left for later entries."""

    scan: Draft
    entry: Exchange
    keys: Iterator[str]


@given(parsers.re(r"three scans of the declared (?P<kind>declined payment|in debt) key"),
       target_fixture="drafts")  # fmt: skip
def refused_scans(requests: Requests, controls: ControlCalls, profile: Profile, kind: str) -> list[Draft]:
    """Return scans of a shopper that the payment side keeps out. Raises NotDeclared if there is no such key."""
    name = _declared(requests, profile, kind)
    _needs_shopper(requests)
    controls.needs_understanding(VERIFY_IDENTITY_KEYS)
    return [requests.build.scan(requests.keys.take(name)) for _ in range(_TIMES)]


@when("they come one after the other", target_fixture="exchanges")
def send_in_turn(drafts: list[Draft], connector: ConnectorClient) -> list[Exchange]:
    """Send each scan as a new event."""
    return [connector.send(each.operation, each.encoded()) for each in drafts]


@then("each is refused as the house says")
def each_refused(exchanges: list[Exchange], profile: Profile) -> None:
    """Match the status of `identity.refusal_status` in every answer."""
    for exchange in exchanges:
        must(match.status(exchange, [profile.house.identity.refusal_status]))


@then("another shopper still enters")
def another_enters(requests: Requests, connector: ConnectorClient) -> None:
    """Match 200 for the declared shopper, who has nothing to do with the debt."""
    scan = requests.build.scan(requests.keys.take("shopper"))
    must(match.status(connector.send(scan.operation, scan.encoded(), label="another shopper"), [200]))


@given("a shopper with a payment that will be declined has entered twice", target_fixture="trip")
def debtor_in_store(
    requests: Requests, controls: ControlCalls, connector: ConnectorClient, profile: Profile, warn: Warn
) -> Trip:
    """Return an entry of the debtor. The second one shows that only a debt can keep the next key out.

    Raises NotDeclared if the profile declares no such key, or if its shopper cannot enter twice.
    """
    if not profile.house.suite.debt_within_s:
        raise NotDeclared("[house.suite] debt_within_s is 0, so debts need not reach the gate")
    name = _declared(requests, profile, "debt after trip")
    _needs_shopper(requests)
    controls.needs_understanding(CREATE_PURCHASES)
    if not profile.catalog.skus:
        raise NotDeclared("[catalog] skus is not declared in the profile; the shopper must buy something")
    keys = [requests.keys.take(name) for _ in range(_BEFORE + len(_TRIES_AT) + _AFTER)]
    scans = [requests.build.scan(key) for key in keys[:_BEFORE]]
    entries = [connector.send(each.operation, each.encoded(), label="before the trip") for each in scans]
    for entry in entries:
        if match.status(entry, [200]):
            raise NotDeclared(
                f"[keys] debt_after_trip does not open the gate twice before the trip: {entry.in_short()}; declare a "
                "key that works more than once, of a shopper without a debt, or list debt_after_trip in [keys] minted"
            )
        should(match.well_formed(entry, profile.house), warn)
    if match.same_visitor(entries):
        raise NotDeclared(
            "[keys] debt_after_trip opens for another shopper each time; let all minted keys belong to one shopper"
        )
    return Trip(scans[0], entries[0], iter(keys[_BEFORE:]))


@when("the cart of the first entry is sold", target_fixture="sale")
def sell(trip: Trip, requests: Requests, connector: ConnectorClient, profile: Profile) -> Exchange:
    """Send the cart of the entry, with one piece of the first SKU. Raises Finding if the connector refuses it."""
    event = requests.build.auth_event() | trip.scan.value("authEvent")
    if not matches(profile.house.ordering.auth_event_id_pattern, event["id"]):
        raise NotDeclared("[house.ordering] auth_event_id_pattern fits no UUID, so this entry cannot be in a cart")
    visitor = (trip.entry.answer.json() or {}).get("visitorDetails") if trip.entry.answer else None
    if "scanResult" in event and isinstance(visitor, dict):
        event["scanResult"] = {"id": visitor.get("id"), "type": visitor.get("type")}
    cart = requests.build.cart().with_value("shoppingTrip.authEvents", [event])
    sale = connector.send(cart.operation, cart.encoded())
    must(match.status(sale, profile.house.suite.probe_ok))
    return sale


@then("the next entries of this shopper are refused in time")
def next_refused(trip: Trip, sale: Exchange, requests: Requests, connector: ConnectorClient, profile: Profile) -> None:
    """Try the shopper's keys until one is refused, at most for `suite.debt_within_s`; then the others are refused too.

    Raises Finding if the gate is still open at the end of that time, or opens again later.
    """
    del sale  # the time begins when the cart is answered
    within_s, refusal = profile.house.suite.debt_within_s, profile.house.identity.refusal_status
    start = time.monotonic()
    tries = chain(_TRIES_AT)
    exchange = None
    for share in tries:
        time.sleep(max(0.0, start + share * within_s - time.monotonic()))
        exchange = _enter(next(trip.keys), requests, connector)
        if not match.status(exchange, [refusal]):
            break
        must(match.status(exchange, [200, refusal]))
    else:
        got = exchange.in_short() if exchange else "no answer"
        raise Finding(f"the entry is refused with {refusal} within {within_s:g} s of the unpaid cart", got)
    for _ in range(_AFTER):
        must(match.status(_enter(next(trip.keys), requests, connector), [refusal]))


def _enter(key: str, requests: Requests, connector: ConnectorClient) -> Exchange:
    scan = requests.build.scan(key)
    return connector.send(scan.operation, scan.encoded(), label="after the trip")


def _declared(requests: Requests, profile: Profile, kind: str) -> PaymentKind:
    """Return the kind of a key. Raises NotDeclared if the profile declares no store or no key of this kind."""
    name = cast("PaymentKind", kind.replace(" ", "_"))
    if not profile.store.id:
        raise NotDeclared("[store] id is not declared in the profile")
    if not requests.keys.has(name):
        raise NotDeclared(
            f"[keys] {name} is not declared in the profile; declare the Base64 of such a key, or list {name} in "
            "[keys] minted"
        )
    return name


def _needs_shopper(requests: Requests) -> None:
    if not requests.keys.has("shopper"):
        raise NotDeclared("[keys] shopper is not declared in the profile; the case shows that others still enter")
