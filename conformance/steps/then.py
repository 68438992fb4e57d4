"""Then: checks of the answers. The first mismatch ends the scenario, except that a `should` mismatch is a warning."""

from __future__ import annotations

from collections.abc import Callable

from pytest_bdd import parsers, then

from conformance import match
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.requests import Requests
from conformance.single_fault import KEY_IS_UNKNOWN, may_be_about_the_key
from conformance.timing import needs_punctual_suite
from conformance.verify import must, should
from jwo_contract.operations import CREATE_PURCHASES
from jwo_contract.profile import Profile

Exchanges = list[Exchange]
Warn = Callable[[Mismatch], None]
Note = Callable[[str], None]
_INVALID, _UNAUTHORIZED = 400, 401


@then(parsers.parse("it is refused with {status:d}"))
def refused(exchanges: Exchanges, draft: Draft, requests: Requests, status: int) -> None:
    """Match the status of every answer. The suite never checks the body of a refusal.

    Raises NotDeclared if an answer may be about a second fault, the unknown key, and all others match.
    """
    is_invalid = status == _INVALID
    unclear = [exchange for exchange in exchanges if is_invalid and may_be_about_the_key(exchange, draft, requests)]
    for exchange in exchanges:
        if exchange not in unclear:
            must(match.status(exchange, [status]))
    if unclear:
        raise NotDeclared(KEY_IS_UNKNOWN)


@then("it is refused as invalid")
def refused_as_invalid(exchanges: Exchanges, profile: Profile) -> None:
    """Match the status of `http.malformed_status`, for malformed bodies."""
    must(match.status(exchanges[-1], [profile.house.http.malformed_status]))


@then("an unknown store is answered as the house says")
def unknown_store(exchanges: Exchanges, profile: Profile) -> None:
    """Match the answer that `ordering.unknown_store` requires: 400, or a purchase that people clear later."""
    _is_refused_or_parked(exchanges[-1], parks=profile.house.ordering.unknown_store == "park")


@then("an unknown item is answered as the house says")
def unknown_item(exchanges: Exchanges, profile: Profile) -> None:
    """Match the answer that `ordering.unknown_sku` requires: 400, or a purchase that people clear later."""
    _is_refused_or_parked(exchanges[-1], parks=profile.house.ordering.unknown_sku == "park")


def _is_refused_or_parked(exchange: Exchange, *, parks: bool) -> None:
    must(match.status(exchange, [201 if parks else _INVALID]))
    if parks:
        must(match.purchase_id(exchange, empty=False))


@then("it is refused as the house says")
def refused_by_house(exchanges: Exchanges, profile: Profile) -> None:
    """Match the status of `identity.refusal_status`, for a known shopper who may not enter."""
    must(match.status(exchanges[-1], [profile.house.identity.refusal_status]))


@then(parsers.parse("the visitor is of type {kind}"))
def lets_in(exchanges: Exchanges, profile: Profile, warn: Warn, kind: str) -> None:
    """Match a complete 200 and the type of the visitor."""
    must(match.status(exchanges[-1], [200]))
    _match_schema(exchanges[-1], profile, warn)
    must(match.visitor_type(exchanges[-1], kind))


@then("the visitor is let in")
def lets_visitor_in(exchanges: Exchanges, profile: Profile, warn: Warn) -> None:
    """Match a complete 200."""
    must(match.status(exchanges[-1], [200]))
    _match_schema(exchanges[-1], profile, warn)


@then("it is decided on the key's merits")
def decided(exchanges: Exchanges, requests: Requests) -> None:
    """Match 200 for a declared shopper and 401 for an unknown key."""
    must(match.status(exchanges[-1], [200 if requests.keys.has("shopper") else 401]))


@then("it is decided on the key's merits, or refused again as the house says")
def decided_after_refusal(exchanges: Exchanges, requests: Requests, profile: Profile) -> None:
    """Match the decision about the corrected scan, or 400 where `identity.remember` holds invalid scans too."""
    if _INVALID in profile.house.identity.remember:
        must(match.status(exchanges[-1], [_INVALID]))
    else:
        decided(exchanges, requests)


@then("each is decided on the key's merits")
def each_decided(exchanges: Exchanges, requests: Requests) -> None:
    """Match 200 for a declared shopper and 401 for an unknown key, in every answer."""
    for exchange in exchanges:
        must(match.status(exchange, [200 if requests.keys.has("shopper") else 401]))


@then("each makes a purchase")
def each_purchased(exchanges: Exchanges, profile: Profile, warn: Warn) -> None:
    """Match a complete 201 with a purchase id in every answer."""
    for exchange in exchanges:
        must(match.status(exchange, [201]))
        _match_schema(exchange, profile, warn)
        must(match.purchase_id(exchange, empty=False))


@then("each visitor is of the type of the key")
def type_matches_key(exchanges: Exchanges) -> None:
    """Match the visitor type of each answer with its label."""
    for exchange in exchanges:
        must(match.status(exchange, [200]))
        must(match.visitor_type(exchange, exchange.label))


@then("each trip has one purchase of its own")
def one_purchase_a_trip(exchanges: Exchanges) -> None:
    """Match one purchase id for all attempts of a trip, and different ids for different trips."""
    trips: dict[str, Exchanges] = {}
    for exchange in exchanges:
        must(match.status(exchange, [200, 201]))
        must(match.purchase_id(exchange, empty=False))
        trips.setdefault(exchange.label, []).append(exchange)
    for attempts in trips.values():
        must(match.same_member(attempts, "purchaseId"))
    must(match.different_members([attempts[0] for attempts in trips.values()], "purchaseId"))


@then("it is not treated as a call")
def not_a_call(exchanges: Exchanges) -> None:
    """Match any answer except a 2xx."""
    for exchange in exchanges:
        must(match.no_success(exchange))


@then("nothing fails, and the next is decided on the key's merits")
def scan_after_bad_request(exchanges: Exchanges, requests: Requests) -> None:
    """Match no server error, then the correct decision about a valid scan."""
    must(match.no_failure(exchanges[0]))
    must(match.status(exchanges[-1], [200 if requests.keys.has("shopper") else 401]))


@then("nothing fails, and the next makes a purchase")
def cart_after_bad_request(exchanges: Exchanges) -> None:
    """Match no server error, then a purchase for a valid cart."""
    must(match.no_failure(exchanges[0]))
    must(match.status(exchanges[-1], [201]))
    must(match.purchase_id(exchanges[-1], empty=False))


@then("the answers that arrive are in the order of the scans")
def scans_in_order(exchanges: Exchanges) -> None:
    """Match the statuses of two known keys and an unknown one, for the answers that arrived."""
    _require_an_answer(exchanges)
    for exchange, expected in zip(exchanges, (200, 200, 401), strict=False):
        must(match.status(exchange, [expected]))


@then("the answers that arrive are in the order of the carts")
def carts_in_order(exchanges: Exchanges) -> None:
    """Match the purchase ids of two carts and an empty one, for the answers that arrived."""
    _require_an_answer(exchanges)
    for exchange, empty in zip(exchanges, (False, False, True), strict=False):
        must(match.status(exchange, [201]))
        must(match.purchase_id(exchange, empty=empty))


@then("a purchase is made")
def purchased(exchanges: Exchanges, profile: Profile, warn: Warn) -> None:
    """Match a complete 201 with a purchase id."""
    must(match.status(exchanges[-1], [201]))
    _match_schema(exchanges[-1], profile, warn)
    must(match.purchase_id(exchanges[-1], empty=False))


@then("the purchase id is empty")
def empty_purchase(exchanges: Exchanges, profile: Profile, warn: Warn) -> None:
    """Match a complete 201 with an empty purchase id; later attempts may have the status 200 too."""
    for index, exchange in enumerate(exchanges):
        must(match.status(exchange, [200, 201] if index else [201]))
        _match_schema(exchange, profile, warn)
        must(match.purchase_id(exchange, empty=True))


@then("all answers are the same gate decision")
def same_decision(exchanges: Exchanges, warn: Warn) -> None:
    """Match one status and one visitor. Answers that differ in other members are a warning."""
    must(match.same_status(exchanges))
    must(match.same_visitor(exchanges))
    should(match.equal_answers(exchanges), warn)


@then("all answers name one purchase")
def same_purchase(exchanges: Exchanges, profile: Profile, warn: Warn) -> None:
    """Match a success with the same, non-empty purchase id in every answer. Other differences are a warning."""
    for exchange in exchanges:
        must(match.status(exchange, [200, 201]))
        _match_schema(exchange, profile, warn)
        must(match.purchase_id(exchange, empty=False))
    must(match.same_member(exchanges, "purchaseId"))
    should(match.equal_answers(exchanges), warn)


@then("the answers name different purchases")
def different_purchases(exchanges: Exchanges) -> None:
    """Match successes with different purchase ids."""
    for exchange in exchanges:
        must(match.status(exchange, [201]))
        must(match.purchase_id(exchange, empty=False))
    must(match.different_members(exchanges, "purchaseId"))


@then("the answer says that it is JSON")
def declares_json(exchanges: Exchanges) -> None:
    """Match the content type of a success. The content type of a refusal is free."""
    must(match.status(exchanges[-1], [200, 201]))
    must(match.says_json(exchanges[-1]))


@then("each key is decided on its own merits")
def decided_apart(exchanges: Exchanges) -> None:
    """Match 200 for the shopper and 401 for the unknown key."""
    for exchange, expected in zip(exchanges, (200, 401), strict=True):
        must(match.status(exchange, [expected]))


@then("the refusal is repeated")
def refused_again(exchanges: Exchanges, profile: Profile) -> None:
    """Match 401 for the second of two attempts.

    Raises NotDeclared if the first one was not refused, or if the house decides a refused scan again.
    """
    first, second = exchanges
    if _UNAUTHORIZED not in profile.house.identity.remember:
        raise NotDeclared("[house.identity] remember leaves out 401, so a repeated scan may be decided again")
    if match.status(first, [401]):
        raise NotDeclared(f"the connector did not refuse the first attempt, see VIK-2: {first.in_short()}")
    must(match.status(second, [401]))


@then(parsers.parse("every answer has status {status:d}"))
def all_with(exchanges: Exchanges, status: int) -> None:
    """Match the status of every answer."""
    for exchange in exchanges:
        must(match.status(exchange, [status]))


@then("the first cart counts or the change is refused, as the house says")
def changed_cart(exchanges: Exchanges, profile: Profile) -> None:
    """Match the answer that `ordering.changed_cart` requires."""
    first, second = exchanges
    must(match.status(first, [201]))
    if profile.house.ordering.changed_cart == "conflict_409":
        must(match.status(second, [409]))
    else:
        must(match.status(second, [201]))
        must(match.same_member(exchanges, "purchaseId"))


@then(parsers.parse("each answer is complete within the gate's time"))
def within_gate_time(exchanges: Exchanges, profile: Profile, note: Note) -> None:
    """Match the time of every whole call against its budget: the published one, or that of the profile's house."""
    _require_decisions(exchanges, {200, 401})
    _match_time(exchanges, exchanges[0].operation.answer_budget_s(profile.house), note)


@then("each answer is complete within the house's time for carts")
def within_cart_time(exchanges: Exchanges, profile: Profile, note: Note) -> None:
    """Match the time of every whole call against the house's budget."""
    _require_decisions(exchanges, {201})
    _match_time(exchanges, CREATE_PURCHASES.answer_budget_s(profile.house), note)


def _match_time(exchanges: Exchanges, budget_s: float, note: Note) -> None:
    """Match the times. Raises NotDeclared if the suite itself ran too late to judge them."""
    must(match.in_time(exchanges, budget_s))
    needs_punctual_suite(exchanges, budget_s)
    note(match.late_share_bound(exchanges))


@then("some scans are answered 429, and all others 200 or 401")
def limited(exchanges: Exchanges, profile: Profile, warn: Warn) -> None:
    """Match 200, 401 or 429 only. No 429 at all is a warning, since the retailer decides about bursts."""
    for exchange in exchanges:
        must(match.status(exchange, [200, 401, 429]))
    if not any(exchange.answer and exchange.answer.status == 429 for exchange in exchanges):  # noqa: PLR2004 - the limit
        _require_rate_exceeded(exchanges, profile.limits.rate_limit_per_second)
        should(Mismatch("at least one 429 over the declared rate", f"none in {len(exchanges)} calls"), warn)


def _require_rate_exceeded(exchanges: Exchanges, rate: int) -> None:
    """Raises NotDeclared if the answers never exceeded the rate within a second, so that no limit applied."""
    ends = sorted(exchange.started_at.timestamp() + exchange.elapsed_s for exchange in exchanges)
    most = max(sum(end - 1 < other <= end for other in ends) for end in ends)
    if most <= rate:
        raise NotDeclared(
            f"at most {most} answers came within a second, so the calls did not exceed the declared limit of {rate}"
        )


def _require_decisions(exchanges: Exchanges, statuses: set[int]) -> None:
    """Raises NotDeclared if no answer has one of the statuses, since the time of an error proves nothing."""
    answers = [exchange.answer for exchange in exchanges if exchange.answer]
    if answers and not any(answer.status in statuses for answer in answers):
        raise NotDeclared(
            f"none of {len(exchanges)} calls got a correct answer that could be timed: {exchanges[0].in_short()}"
        )


@then("the portal's probe succeeds")
def probe(exchanges: Exchanges, profile: Profile, warn: Warn) -> None:
    """Match the statuses that the portal's connectivity test accepts for a purchase."""
    must(match.status(exchanges[-1], profile.house.suite.probe_ok))
    _match_schema(exchanges[-1], profile, warn)


@then("a duplicate is answered as the house says")
def duplicate_status(exchanges: Exchanges, profile: Profile) -> None:
    """Match `ordering.duplicate_status` for the second of two attempts."""
    must(match.status(exchanges[0], [201]))
    must(match.status(exchanges[1], [profile.house.ordering.duplicate_status]))


def _require_an_answer(exchanges: Exchanges) -> None:
    if not exchanges:
        must(Mismatch("an answer to the first request at least", "none"))


def _match_schema(exchange: Exchange, profile: Profile, warn: Warn) -> None:
    must(match.well_formed(exchange, profile.house))
    should(match.well_formed(exchange, profile.house, by_house=True), warn)
