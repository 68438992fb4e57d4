"""Given: a valid request, in the state that the scenario starts from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from pytest_bdd import given, parsers

from conformance.drafts import Draft, with_unknown_members
from conformance.drivers.http import ConnectorClient
from conformance.errors import NotDeclared
from conformance.forms import minimal
from conformance.requests import Requests
from conformance.run.controls import ControlCalls
from jwo_contract.gate import NoAnswer
from jwo_contract.key_kinds import KeyKind
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation
from jwo_contract.profile import Profile
from jwo_contract.values import format_instant

_JUDGED_BY_ENTRY = ("associate", "cash shopper")
"""The gate must open for these keys, so a connector that refuses every scan cannot pass their cases."""


@given("a valid scan of the declared shopper key", target_fixture="draft")
def a_valid_shopper_scan(requests: Requests, controls: ControlCalls, profile: Profile) -> Draft:
    """Return a scan of the declared shopper key, and judge whether the connector accepts it."""
    _require_store(profile)
    key = requests.keys.take("shopper")
    controls.judge(VERIFY_IDENTITY_KEYS)
    return requests.build.scan(key)


@given("a valid scan of an unknown key", target_fixture="draft")
def a_valid_unknown_scan(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a scan of a well-formed key that the connector cannot know, and judge whether it accepts a valid scan."""
    if requests.keys.has("shopper"):
        controls.needs_understanding(VERIFY_IDENTITY_KEYS)
    else:
        controls.judge(VERIFY_IDENTITY_KEYS)
    return requests.build.scan(requests.keys.unknown())


@given("a valid cart", target_fixture="draft")
def a_valid_cart(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a cart of a declared item, and judge whether the connector accepts it."""
    controls.judge(CREATE_PURCHASES)
    return requests.build.cart()


@given("a scan that the connector understands", target_fixture="draft")
def an_understood_scan(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a valid scan. Raises NotDeclared if the connector refuses it as invalid."""
    controls.needs_understanding(VERIFY_IDENTITY_KEYS)
    return requests.valid_request(VERIFY_IDENTITY_KEYS)


@given(parsers.re(r"a scan of the declared (?P<kind>shopper|associate|cash shopper|refused|expired|used) key"),
       target_fixture="draft")  # fmt: skip
def a_declared_scan(requests: Requests, controls: ControlCalls, profile: Profile, kind: str) -> Draft:
    """Return a scan of a key that the profile declares. Raises NotDeclared if it declares none of this kind."""
    _require_store(profile)
    key = requests.keys.take(cast("KeyKind", kind.replace(" ", "_")))
    if kind not in _JUDGED_BY_ENTRY:
        controls.needs_understanding(VERIFY_IDENTITY_KEYS)
    return requests.build.scan(key)


@given("a scan of the fixed shopper key", target_fixture="draft")
def a_fixed_scan(requests: Requests, controls: ControlCalls, profile: Profile, connector: ConnectorClient) -> Draft:
    """Return a scan of the shopper's key in the profile, which must open the gate, and not of a key made for the run.

    Raises NotDeclared if the profile has no such key, or the gate stays closed.
    """
    fixed = requests.keys.fixed("shopper")
    if not requests.keys.are_fresh("shopper"):
        return a_declared_scan(requests, controls, profile, "shopper")
    if not fixed:
        raise NotDeclared("the shopper's key is new in each call; declare a fixed [keys] shopper too")
    a_declared_scan(requests, controls, profile, "shopper")
    control = connector.send(VERIFY_IDENTITY_KEYS, requests.build.scan(fixed).encoded())
    if control.answer is None or control.answer.status != VERIFY_IDENTITY_KEYS.success:
        raise NotDeclared(
            f"the fixed [keys] shopper does not open the gate: {control.in_short()}; declare one that does"
        )
    return requests.build.scan(fixed)


@given("a scan of an unknown key", target_fixture="draft")
def an_unknown_scan(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a scan of a well-formed random key, which the connector does not know."""
    controls.needs_understanding(VERIFY_IDENTITY_KEYS)
    return requests.build.scan(requests.keys.unknown())


@given("a cart that the connector understands", target_fixture="draft")
def an_understood_cart(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a valid cart. Raises NotDeclared if the connector refuses it as invalid."""
    controls.needs_understanding(CREATE_PURCHASES)
    return requests.build.cart()


@given("a scan to be timed", target_fixture="draft")
def a_timed_scan(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a valid scan, even if the connector has answered none in time. Raises as `an_understood_scan` else."""
    return _timed(requests, controls, VERIFY_IDENTITY_KEYS)


@given("a cart to be timed", target_fixture="draft")
def a_timed_cart(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a valid cart, even if the connector has answered none in time. Raises as `an_understood_cart` else."""
    return _timed(requests, controls, CREATE_PURCHASES)


def _timed(requests: Requests, controls: ControlCalls, operation: Operation) -> Draft:
    if controls.trial(operation).exchanges[0].failure is not NoAnswer.TIMED_OUT:
        controls.needs_understanding(operation)
    return requests.valid_request(operation)


@given("a cart of two different items", target_fixture="draft")
def a_cart_of_two(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a cart of two declared SKUs."""
    controls.needs_understanding(CREATE_PURCHASES)
    first, second = requests.build.skus(2)
    return requests.build.cart([requests.build.line(first), requests.build.line(second, value="2.0")])


@given("a cart with an item sold by weight", target_fixture="draft")
def a_weighed_cart(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a cart with a declared weighted SKU."""
    controls.needs_understanding(CREATE_PURCHASES)
    return requests.build.cart([requests.build.weighed_line("1.25")])


@given("a cart with an item named by its scanned code", target_fixture="draft")
def a_scanned_cart(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a cart with a line that has a declared barcode instead of a SKU."""
    controls.needs_understanding(CREATE_PURCHASES)
    return requests.build.cart([requests.build.line(requests.build.scancode(), kind="SCANCODE")])


@given(parsers.parse("a cart of {count:d} lines"), target_fixture="draft")
def a_long_cart(requests: Requests, controls: ControlCalls, count: int) -> Draft:
    """Return a cart with many lines of a declared SKU."""
    controls.needs_understanding(CREATE_PURCHASES)
    return requests.build.cart([{**requests.build.line(), "lineItemId": f"line-{number}"} for number in range(count)])


@given("an empty cart", target_fixture="draft")
def an_empty_cart(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a cart with no lines."""
    controls.needs_understanding(CREATE_PURCHASES)
    return requests.build.cart([])


@given("a cart with an item that is in no catalog", target_fixture="draft")
def a_cart_of_an_unknown_item(requests: Requests, controls: ControlCalls, profile: Profile) -> Draft:
    """Return a cart of a SKU that is in no catalog. Raises NotDeclared if the profile declares no SKU."""
    controls.needs_understanding(CREATE_PURCHASES)
    if not profile.catalog.skus:
        raise NotDeclared(
            "[catalog] skus is not declared, so the connector may refuse every item, not only the unknown one"
        )
    return requests.build.cart([requests.build.line("NO-SUCH-SKU")])


@given(parsers.re(r"the trip of (?:a|an) (?P<kind>shopper|associate|cash shopper|loyalty shopper)"),
       target_fixture="draft")  # fmt: skip
def a_trip_of(requests: Requests, controls: ControlCalls, connector: ConnectorClient, kind: str) -> Draft:
    """Return a cart with the scanResult of such a visitor, including the id from the connector if it is known."""
    controls.needs_understanding(CREATE_PURCHASES)
    visitor_type = (kind.removesuffix(" shopper") if kind != "shopper" else kind).upper()
    if visitor_type == "CASH":
        visitor_type = requests.profile.house.ordering.cash_type
    visitor_id = _visitor_id(requests, connector, kind) or f"{visitor_type.lower()}-001"
    visitor = {"id": visitor_id, "type": visitor_type}
    return requests.build.cart().with_value("shoppingTrip.authEvents[0].scanResult", visitor)


def _visitor_id(requests: Requests, connector: ConnectorClient, kind: str) -> str:
    """Return the id that the connector gives such a visitor; empty without a declared key or an answer with an id."""
    key_kind = cast("KeyKind", kind.replace(" ", "_"))
    if not requests.keys.has(key_kind):
        return ""
    scan = requests.build.scan(requests.keys.take(key_kind))
    answer = connector.send(VERIFY_IDENTITY_KEYS, scan.encoded()).answer
    details = (answer.json() or {}).get("visitorDetails") if answer else None
    return str(details["id"]) if isinstance(details, dict) and details.get("id") else ""


@given("nothing optional is in it", target_fixture="draft")
def only_required(draft: Draft) -> Draft:
    """Remove the optional members that the suite's requests have."""
    return minimal(draft)


@given("every object in it has an unknown member", target_fixture="draft")
def with_future_members(draft: Draft) -> Draft:
    """Add unknown members at every depth, as Amazon may at any time."""
    return Draft(draft.operation, with_unknown_members(draft.body))


@given(parsers.parse('its "{path}" is "{value}"'), target_fixture="draft")
def with_text(draft: Draft, path: str, value: str) -> Draft:
    """Set one text, keeping the request valid."""
    return draft.with_value(path, value)


@given("its first line has the UPC of the item", target_fixture="draft")
def with_identifier(draft: Draft, requests: Requests) -> Draft:
    """Add a UPC to the first line as its identifier: a declared one, or else that of Amazon's sample."""
    return draft.with_value("cartItems[0].externalIdentifiers", [{"id": requests.build.upc(), "type": "UPC"}])


@given("the visit ended in the second in which it began", target_fixture="draft")
def of_zero_duration(draft: Draft) -> Draft:
    """Make endTime equal to startTime."""
    return draft.with_value("shoppingTrip.endTime", draft.body["shoppingTrip"]["startTime"])


@given("its list of authEvents is empty", target_fixture="draft")
def without_auth_events(draft: Draft) -> Draft:
    """Replace the list of authEvents with an empty list."""
    return draft.with_value("shoppingTrip.authEvents", [])


@given("two lines with one lineItemId", target_fixture="draft")
def with_doubled_line_id(draft: Draft) -> Draft:
    """Give the cart two lines that share their lineItemId."""
    line = {**draft.body["cartItems"][0], "lineItemId": "line-1"}
    return draft.with_value("cartItems", [line, dict(line)])


@given("an endTime an hour before its startTime", target_fixture="draft")
def ended_before_it_began(draft: Draft) -> Draft:
    """Set endTime to an hour before startTime."""
    start = datetime.fromisoformat(draft.body["shoppingTrip"]["startTime"])
    return draft.with_value("shoppingTrip.endTime", format_instant(start - timedelta(hours=1)))


def _require_store(profile: Profile) -> None:
    if not profile.store.id:
        raise NotDeclared("[store] id is not declared in the profile")
