"""Steps of carts: sets of nearly valid and unusual carts, kinds of carts that are repeated, and other methods."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pytest
from pytest_bdd import given, parsers, then, when

from conformance import match
from conformance.cart_kinds import (
    EMPTY,
    HOUSE_KINDS,
    cart_to_change,
    changes,
    kinds_of_carts,
    texts_alike,
    texts_cut_at_a_nul,
    uuids_alike,
)
from conformance.cart_variants import CART_SETS
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.requests import Requests
from conformance.run.controls import ControlCalls
from conformance.variants import Variant
from conformance.verify import must
from jwo_contract.operations import CREATE_PURCHASES
from jwo_contract.profile import Profile

Exchanges = list[Exchange]
Twice = list[tuple[Exchange, Exchange]]
_MOST_SHOWN = 6
_SERVER_ERROR = 500
_METHODS = ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BOOK")
_OVERRIDDEN = {"GET", "PUT", "DELETE"}
_OVERRIDE = {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method-Override": "POST"}


@given("a cart that can change", target_fixture="draft")
def a_cart_to_change(requests: Requests, controls: ControlCalls) -> Draft:
    """Return a cart of two lines, with the members that the changes need."""
    controls.needs_understanding(CREATE_PURCHASES)
    return cart_to_change(requests)


@when(parsers.parse("it comes with each {name}"), target_fixture="exchanges")
def send_each(requests: Requests, connector: ConnectorClient, controls: ControlCalls, name: str) -> Exchanges:
    """Send every cart of a set. Raises NotDeclared if the profile declares nothing from which the set is made."""
    variants = list(CART_SETS[name](requests))
    if not variants:
        raise NotDeclared("[store] id is not declared in the profile")
    return _send(connector, controls, variants)


@when("it comes for each of several trips with similar UUIDs", target_fixture="exchanges")
def send_similar_uuids(requests: Requests, connector: ConnectorClient, controls: ControlCalls) -> Exchanges:
    """Send a scan, trips with UUIDs that are equal in a part, and a trip with the id of the scan's event."""
    scan = requests.build.scan(requests.keys.unknown())
    connector.send(scan.operation, scan.encoded(), label="a scan before the trips")
    trip = requests.build.cart().with_value("idempotentShoppingTripId", scan.value("authEvent.id"))
    return _send(connector, controls, [*uuids_alike(requests), Variant("a trip with the id of a scan's event", trip)])


@when("it comes for each of several trips with similar texts", target_fixture="exchanges")
def send_similar_texts(requests: Requests, connector: ConnectorClient, controls: ControlCalls) -> Exchanges:
    """Send trips with different texts as ids; a text with a NUL counts only if the connector accepts it."""
    cut = _send(connector, controls, texts_cut_at_a_nul(requests))
    return [
        *_send(connector, controls, list(texts_alike(requests))),
        *(each for each in cut if match.status(each, [400])),
    ]


@when("it is sent, again with each change, and as it was", target_fixture="exchanges")
def send_changed(draft: Draft, requests: Requests, connector: ConnectorClient) -> Exchanges:
    """Send a cart, the same trip with one change at a time, and the first cart again."""
    labelled = [(f"with {label}", change(draft.again())) for label, change in changes(requests).items()]
    return _send_in_turn(connector, [("first", draft), *labelled, ("as it was", draft.again())])


@when("it is sent empty, and again with items", target_fixture="exchanges")
def send_empty_then_full(draft: Draft, connector: ConnectorClient) -> Exchanges:
    """Send an empty cart, and the same trip with items."""
    return _send_in_turn(connector, [("empty", draft.with_value("cartItems", [])), ("with items", draft.again())])


@when("it is sent again and again, also after refusals", target_fixture="exchanges")
def send_between_refusals(draft: Draft, requests: Requests, connector: ConnectorClient, profile: Profile) -> Exchanges:
    """Send a cart six times: twice in a row, and after each refusal of another call."""
    refused = {
        "a broken attempt of it": draft.again().without("cartItems"),
        "a broken cart of another trip": requests.build.cart().without("shoppingTrip"),
        "a cart of an unknown store": requests.build.cart().with_value("storeId", profile.store.unknown_id),
    }
    exchanges = _send_in_turn(connector, [("first", draft), ("second", draft.again())])
    for label, broken in refused.items():
        connector.send(broken.operation, broken.encoded(), label=label)
        exchanges += _send_in_turn(connector, [(f"after {label}", draft.again())])
    return [*exchanges, *_send_in_turn(connector, [("as at first", draft)])]


@pytest.fixture(scope="session")
def kinds_answered() -> Twice:
    """Return the two answers to each kind of cart, which several cases judge; empty before the first of them."""
    return []


@when("a cart of each kind is sent, and again with another requestId", target_fixture="twice")
def send_each_kind_twice(
    requests: Requests, connector: ConnectorClient, controls: ControlCalls, kinds_answered: Twice
) -> Twice:
    """Send each kind of cart twice. The first case sends them; later ones judge the same answers."""
    if kinds_answered:
        connector.show(each for pair in kinds_answered for each in pair)
        return kinds_answered
    kinds = list(kinds_of_carts(requests))
    first = _send(connector, controls, kinds)
    again = _send(connector, controls, [Variant(f"{each.label}, again", each.draft.again()) for each in kinds])
    kinds_answered += zip(first, again, strict=True)
    return kinds_answered


@when("an empty cart comes by other methods, and one with items by POST", target_fixture="exchanges")
def send_by_other_methods(requests: Requests, connector: ConnectorClient) -> Exchanges:
    """Send an empty cart by each method, and then its trip with items by POST.

    If one of the methods had an effect, the trip stays empty. Then each method gets a trip of its own, to name it.
    """
    together = _by_methods(requests, connector, _METHODS)
    if not _broken(together[-1:], _is_purchase):
        return together
    return [each for method in _METHODS for each in _by_methods(requests, connector, [method])]


def _by_methods(requests: Requests, connector: ConnectorClient, methods: Sequence[str]) -> Exchanges:
    full = requests.build.cart()
    empty = full.again().with_value("cartItems", []).encoded()
    exchanges = [connector.send(full.operation, empty, method=each, label=f"by {each}") for each in methods]
    for method in (each for each in methods if each in _OVERRIDDEN):
        label = f"by {method} that asks for POST"
        exchanges.append(connector.send(full.operation, empty, method=method, label=label, more_headers=_OVERRIDE))
    after = f"by POST after {', '.join(methods)}"
    return [*exchanges, connector.send(full.operation, full.encoded(), label=after)]


@then("each of them is refused with 400")
def each_refused(exchanges: Exchanges) -> None:
    """Match 400 for every cart."""
    _must_all(exchanges, lambda each: match.status(each, [400]))


@then("each of them is refused as malformed")
def each_malformed(exchanges: Exchanges, profile: Profile) -> None:
    """Match the status of `http.malformed_status` for every body."""
    _must_all(exchanges, lambda each: match.status(each, [profile.house.http.malformed_status]))


@then("each of them is treated like an unknown store")
def each_unknown_store(exchanges: Exchanges, profile: Profile) -> None:
    """Match the status that `ordering.unknown_store` requires for every cart."""
    expected = 400 if profile.house.ordering.unknown_store == "reject_400" else 201
    _must_all(exchanges, lambda each: match.status(each, [expected]))


@then("each of them makes a purchase")
def each_is_purchase(exchanges: Exchanges) -> None:
    """Match 201 with a purchase id for every cart."""
    _must_all(exchanges, _is_purchase)


@then("each of them is a purchase of its own")
def each_own_purchase(exchanges: Exchanges) -> None:
    """Match 201 for every cart, and a purchase id that no other cart has."""
    _must_all(exchanges, _is_purchase)
    by_id: dict[object, list[str]] = {}
    for each in exchanges:
        by_id.setdefault(_purchase_id(each), []).append(each.label)
    shared = [" = ".join(labels) for labels in by_id.values() if len(labels) > 1]
    if shared:
        must(Mismatch("a purchaseId of its own for each trip", f"one purchaseId for {'; '.join(shared[:_MOST_SHOWN])}"))


@then("none of them makes the connector fail")
def none_fails(exchanges: Exchanges) -> None:
    """Match an answer that is no server error for every cart."""

    def fails(each: Exchange) -> Mismatch | None:
        is_answered = each.answer is not None and each.answer.status < _SERVER_ERROR
        return None if is_answered else Mismatch("an answer that is no server error", each.in_short())

    _must_all(exchanges, fails)


@then("no answer names another purchase, as the house says")
def first_cart_counts(exchanges: Exchanges, profile: Profile) -> None:
    """Match the first purchase in every answer; a 409 for a change is right where the house declares it."""
    first, *changed, last = exchanges
    _must_all([first], _is_purchase)
    may_refuse = profile.house.ordering.changed_cart == "conflict_409"

    def is_first(each: Exchange) -> Mismatch | None:
        if may_refuse and each is not last and each.answer and each.answer.status == 409:  # noqa: PLR2004 - the conflict
            return None
        return match.status(each, [200, 201]) or _same_purchase(first, each)

    _must_all([*changed, last], is_first)


@then("the trip stays empty or the change is refused, as the house says")
def stays_empty(exchanges: Exchanges, profile: Profile) -> None:
    """Match the empty purchase id in both answers, or a 409 for the second where the house declares it."""
    first, second = exchanges
    _must_all([first], _is_empty)
    if profile.house.ordering.changed_cart == "conflict_409":
        must(match.status(second, [409]))
    else:
        must(match.status(second, [200, 201]))
        must(match.purchase_id(second, empty=True))


@then("each repetition names the purchase of its cart")
def each_repeated(twice: Twice) -> None:
    """Match the purchase id of the first answer in the second; other cases judge a first cart that is refused."""
    made = [(first, again) for first, again in twice if not match.status(first, [200, 201])]
    if not made:
        must(Mismatch("a purchase for one kind of cart at least", twice[0][0].in_short()))
    firsts = {id(again): first for first, again in made}
    _must_all(
        [again for _first, again in made],
        lambda again: match.status(again, [200, 201]) or _same_purchase(firsts[id(again)], again),
    )


@then("each kind gets the answer of its kind")
def each_kind_answered(twice: Twice, profile: Profile) -> None:
    """Match 201, the schema and the kind of purchase id in the answers to the kinds that are published."""

    def is_right(each: Exchange) -> Mismatch | None:
        is_empty = each.label.removesuffix(", again") == EMPTY
        statuses = [200, 201] if each.label.endswith(", again") else [201]
        return (
            match.status(each, statuses)
            or match.well_formed(each, profile.house)
            or match.purchase_id(each, empty=is_empty)
        )

    _must_all([each for pair in twice for each in pair if not each.label.startswith(HOUSE_KINDS)], is_right)


@then("each answer says that it is JSON")
def each_says_json(twice: Twice) -> None:
    """Match the content type of every success."""
    made = [each for pair in twice for each in pair if not match.status(each, [200, 201])]
    if not made:
        must(Mismatch("a purchase for one kind of cart at least", twice[0][0].in_short()))
    _must_all(made, _says_json)


@then("no other method makes a purchase")
def post_alone(exchanges: Exchanges) -> None:
    """Match no purchase in the answers to other methods, and a purchase by POST after them."""
    _must_all(exchanges, lambda each: _is_purchase(each) if each.method == "POST" else _no_purchase(each))


def _is_purchase(each: Exchange) -> Mismatch | None:
    return match.status(each, [201]) or match.purchase_id(each, empty=False)


def _is_empty(each: Exchange) -> Mismatch | None:
    return match.status(each, [201]) or match.purchase_id(each, empty=True)


def _no_purchase(each: Exchange) -> Mismatch | None:
    if not match.no_success(each) or _purchase_id(each) is None:
        return None
    return Mismatch("no purchase", each.in_short())


def _same_purchase(first: Exchange, each: Exchange) -> Mismatch | None:
    if _purchase_id(first) is not None and _purchase_id(first) == _purchase_id(each):
        return None
    return Mismatch("the purchaseId of the first answer", each.in_short())


def _says_json(each: Exchange) -> Mismatch | None:
    wrong = match.says_json(each)
    return Mismatch(wrong.expected, f"{each.label}: {wrong.got}") if wrong else None


def _purchase_id(each: Exchange) -> object:
    return (each.answer.json() or {}).get("purchaseId") if each.answer else None


def _broken(exchanges: Iterable[Exchange], compare: Callable[[Exchange], Mismatch | None]) -> list[Mismatch]:
    return [wrong for each in exchanges if (wrong := compare(each))]


def _must_all(exchanges: Sequence[Exchange], compare: Callable[[Exchange], Mismatch | None]) -> None:
    """Compare every exchange, so that the finding names all that are wrong, up to six."""
    broken = _broken(exchanges, compare)
    if broken:
        more = f"; and {len(broken) - _MOST_SHOWN} more" if len(broken) > _MOST_SHOWN else ""
        shown = "; ".join(wrong.got for wrong in broken[:_MOST_SHOWN])
        count = f"{len(broken)} of {len(exchanges)} are wrong: " if len(exchanges) > 1 else ""
        must(Mismatch(broken[0].expected, f"{count}{shown}{more}"))


def _send(connector: ConnectorClient, controls: ControlCalls, variants: Sequence[Variant]) -> Exchanges:
    return controls.send_concurrently(
        CREATE_PURCHASES, lambda each: connector.send(CREATE_PURCHASES, each.encoded, label=each.label), variants
    )


def _send_in_turn(connector: ConnectorClient, labelled: Iterable[tuple[str, Draft]]) -> Exchanges:
    return [connector.send(draft.operation, draft.encoded(), label=label) for label, draft in labelled]
