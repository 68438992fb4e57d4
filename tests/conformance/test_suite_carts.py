"""The sets of carts hold what their names say: one fault in each invalid cart, none in an unusual one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from conformance.cart_kinds import changes, kinds_of_carts, texts_alike, uuids_alike
from conformance.cart_variants import CART_SETS
from conformance.mutants.gallery import connector_with
from conformance.mutants.gate import profile_of
from conformance.requests import Requests
from conformance.run.configuration import RunConfiguration, Selection, utc_now
from conformance.run.session import run
from conformance.variants import Variant
from conformance.verdicts import Verdict
from jwo_contract.house import House, Ordering
from jwo_contract.messages import message, parse_object
from jwo_contract.operations import CREATE_PURCHASES

Serve = Callable[[Any], str]
NOWHERE = "http://127.0.0.1:9"
ACCEPTED = {
    "text of 255 characters of any alphabet",
    "item id of an unusual form",
    "quantity at the limits",
    "mixture of lines",
    "mixture of people",
    "large group",
    "length of a visit",
    "set of lineItemIds that look alike",
    "visit that only looks backwards",
}
BEYOND_THE_SCHEMA = {
    "lineItemId that is repeated",
    "store id that is only similar",
    "visit that only looks in order",
    "visit that ends a part of a second too early",
    "body that is almost JSON",
    "text with control characters",
    "empty cart with a broken rest",
}


@pytest.fixture
def requests() -> Requests:
    return Requests(profile_of(NOWHERE), utc_now)


def breaches(variant: Variant) -> list[str]:
    schema = message(CREATE_PURCHASES.request, House())
    return [each.message for each in schema.violations(parse_object(variant.encoded))]


@pytest.mark.parametrize("name", sorted(ACCEPTED))
def test_unusual_cart_keeps_its_schema(requests: Requests, name: str) -> None:
    assert {each.label: breaches(each) for each in CART_SETS[name](requests) if breaches(each)} == {}


@pytest.mark.parametrize("name", sorted(CART_SETS.keys() - ACCEPTED - BEYOND_THE_SCHEMA))
def test_invalid_cart_has_one_fault(requests: Requests, name: str) -> None:
    paths = {each.label: {breach.split(" ")[0] for breach in breaches(each)} for each in CART_SETS[name](requests)}

    assert {label: found for label, found in paths.items() if len(found) != 1} == {}


@pytest.mark.parametrize("name", sorted(CART_SETS))
def test_labels_and_trips_of_a_set_differ(requests: Requests, name: str) -> None:
    variants = list(CART_SETS[name](requests))
    trips = [each.draft.body.get("idempotentShoppingTripId") for each in variants]

    assert len({each.label for each in variants}) == len(variants)
    assert len(set(trips)) == len(trips)


def test_kinds_and_similar_trips_keep_their_schema(requests: Requests) -> None:
    variants = [*kinds_of_carts(requests), *uuids_alike(requests), *texts_alike(requests)]

    assert [each.label for each in variants if breaches(each)] == []
    assert len({each.draft.body["idempotentShoppingTripId"] for each in variants}) == len(variants)


def test_each_change_changes_a_cart(requests: Requests) -> None:
    cart = requests.build.cart([requests.build.line(), requests.build.line("SKU-002")])
    cart = cart.with_value("shopperDeviceId", "device-001")

    assert all(json.dumps(change(cart).body) != json.dumps(cart.body) for change in changes(requests).values())


def test_finding_names_each_wrong_variant(serve: Serve) -> None:
    profile = profile_of(serve(connector_with("reads_values_in_any_case")))
    result = run(RunConfiguration(profile, Selection(("core",), ("CP-X.66",)))).results["CP-X.66"]

    assert result.verdict is Verdict.WARN
    assert '"scan_code": 201' in result.got
    assert '"sku": 201' in result.got


def test_silent_effect_of_another_method_is_traced_to_it(serve: Serve) -> None:
    profile = profile_of(serve(connector_with("books_by_head_and_says_501")))
    result = run(RunConfiguration(profile, Selection(("core",), ("CP-X.99",)))).results["CP-X.99"]

    assert result.got.partition(": ")[2].startswith("by POST after HEAD: 201")


def test_parked_store_is_what_the_house_expects(serve: Serve) -> None:
    house = House(ordering=Ordering(unknown_store="park"))
    profile = profile_of(serve(connector_with("accepts_a_cart_of_an_unknown_store"))).model_copy(
        update={"house": house}
    )
    result = run(RunConfiguration(profile, Selection(("core",), ("CP-X.86",)))).results["CP-X.86"]

    assert result.verdict is Verdict.PASS
