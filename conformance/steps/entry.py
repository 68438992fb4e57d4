"""Steps of the entry tier: card taps, loyalty scans, shopper details, and their answers.

Amazon publishes the statuses. The contents of bodies are at most recommended, so a wrong body is a warning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_bdd import given, parsers, then, when

from conformance import match
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.requests import Requests, needs_answering
from conformance.run.controls import ControlCalls
from conformance.verify import must, should
from jwo_contract.operations import GET_SCAN_DETAILS, RESOLVE_SCAN, SHOPPER_AUTHORIZATION
from jwo_contract.profile import Profile

Exchanges = list[Exchange]
Warn = Callable[[Mismatch], None]
_RISKS = ("InvalidCard", "CustomerFraud", "BadDebt")


@given("a valid card tap", target_fixture="draft")
def a_valid_tap(requests: Requests, controls: ControlCalls, profile: Profile) -> Draft:
    """Return a Shopper Authorization, and judge whether the connector accepts it."""
    needs_answering(SHOPPER_AUTHORIZATION, profile)
    controls.judge(SHOPPER_AUTHORIZATION)
    return requests.valid_request(SHOPPER_AUTHORIZATION)


@given("a valid loyalty scan", target_fixture="draft")
def a_valid_loyalty_scan(requests: Requests, controls: ControlCalls, profile: Profile) -> Draft:
    """Return a Resolve Scan, and judge whether the connector accepts it."""
    needs_answering(RESOLVE_SCAN, profile)
    controls.judge(RESOLVE_SCAN)
    return requests.valid_request(RESOLVE_SCAN)


@given("a card tap that the connector understands", target_fixture="draft")
def an_understood_tap(requests: Requests, controls: ControlCalls, profile: Profile) -> Draft:
    """Return a valid Shopper Authorization. Raises NotDeclared if the connector refuses it as invalid."""
    needs_answering(SHOPPER_AUTHORIZATION, profile)
    controls.needs_understanding(SHOPPER_AUTHORIZATION)
    return requests.valid_request(SHOPPER_AUTHORIZATION)


@given(parsers.re(r"a card tap of the declared shopper of (?P<kind>.+?)(?P<advice>, recommended|, advised against)?"),
       target_fixture="draft")  # fmt: skip
def a_declared_tap(requests: Requests, profile: Profile, kind: str, advice: str | None) -> Draft:
    """Return the tap of a shopper that the profile declares. Raises NotDeclared if it declares none of this kind."""
    needs_answering(SHOPPER_AUTHORIZATION, profile)
    name = kind.replace(" ", "_")
    shopper = getattr(profile.shopper_identities, name)
    if not shopper:
        raise NotDeclared(f"[shopper_identities] {name} is not declared in the profile")
    return requests.entry.authorization(shopper, recommended=advice != ", advised against")


@given("a loyalty scan that the connector understands", target_fixture="draft")
def an_understood_loyalty_scan(requests: Requests, controls: ControlCalls, profile: Profile) -> Draft:
    """Return a valid Resolve Scan. Raises NotDeclared if the connector refuses it as invalid."""
    needs_answering(RESOLVE_SCAN, profile)
    controls.needs_understanding(RESOLVE_SCAN)
    return requests.valid_request(RESOLVE_SCAN)


@given(parsers.re(r"a loyalty scan of the declared (?P<kind>accepted|rejected) content"), target_fixture="draft")
def a_declared_loyalty_scan(requests: Requests, controls: ControlCalls, profile: Profile, kind: str) -> Draft:
    """Return a Resolve Scan of a content that the profile declares. Raises NotDeclared if it declares none.

    Raises Blocked if the content is accepted and the connector refuses a valid call.
    """
    needs_answering(RESOLVE_SCAN, profile)
    value = getattr(profile.scans, kind)
    if not value:
        raise NotDeclared(f"[scans] {kind} is not declared in the profile")
    if kind == "accepted":
        controls.needs_understanding(RESOLVE_SCAN)
    return requests.entry.scan(value)


@given("a question about an unknown shopper", target_fixture="draft")
def a_question_about_an_unknown_shopper(requests: Requests, profile: Profile) -> Draft:
    """Return a Get Scan Details request with an id that no Resolve Scan answer contained."""
    needs_answering(RESOLVE_SCAN, profile)
    return requests.entry.details()


@when("its shopper's details are asked for", target_fixture="exchanges")
def ask_for_details(draft: Draft, connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Resolve the scan, and ask for the details of the shopper that it identifies."""
    resolved = connector.send(draft.operation, draft.encoded())
    found = _resolution(resolved)
    if found.get("resolution") != "ACCEPT" or not found.get("id"):
        must(Mismatch("an accepted scan with an id and a type", resolved.in_short()))
    question = requests.entry.details(str(found["id"]), str(found.get("type")))
    return [connector.send(GET_SCAN_DETAILS, question.encoded())]


@when("it is sent once for each risk that is known", target_fixture="exchanges")
def send_risks(connector: ConnectorClient, requests: Requests, controls: ControlCalls) -> Exchanges:
    """Send a tap for each value of shopperRisks."""
    taps = {risk: requests.entry.authorization(recommended=False, risks=(risk,)) for risk in _RISKS}
    return _send_labelled(taps, connector, controls)


@when(parsers.parse('it is sent once without each of "{paths}"'), target_fixture="exchanges")
def send_without_each(draft: Draft, connector: ConnectorClient, controls: ControlCalls, paths: str) -> Exchanges:
    """Send one request for each path, without the member at that path."""
    return _send_labelled({f"without {path}": draft.without(path) for path in paths.split(", ")}, connector, controls)


def _send_labelled(drafts: dict[str, Draft], connector: ConnectorClient, controls: ControlCalls) -> Exchanges:
    """Send drafts concurrently, each under its label."""

    def send(each: tuple[str, Draft]) -> Exchange:
        label, draft = each
        return connector.send(draft.operation, draft.encoded(), label=label)

    operation = next(iter(drafts.values())).operation
    return controls.send_concurrently(operation, send, list(drafts.items()))


@then("it is answered with 200")
def answered(exchanges: Exchanges) -> None:
    """Match 200 in every answer."""
    for exchange in exchanges:
        must(match.status(exchange, [200]))


@then(parsers.re(r"the shopper should be (?P<outcome>authorised|refused|authorised with an adjusted amount)"))
def authorised(exchanges: Exchanges, profile: Profile, warn: Warn, outcome: str) -> None:
    """Match 200. A body with another decision is a warning."""
    must(match.status(exchanges[-1], [200]))
    _note_shape(exchanges[-1], profile, warn)
    body = _body(exchanges[-1])
    conditions = body.get("authorizationConditions")
    adjusts = isinstance(conditions, list) and any(
        isinstance(each, dict) and each.get("type") == "ADJUST" for each in conditions
    )
    right = body.get("shopperAuthorized") is (outcome != "refused") and (adjusts or "adjusted" not in outcome)
    should(None if right else Mismatch(f"a shopper who is {outcome}", exchanges[-1].in_short()), warn)


@then(parsers.re(r"the scan should be (?P<outcome>accepted|rejected)"))
def resolved(exchanges: Exchanges, profile: Profile, warn: Warn, outcome: str) -> None:
    """Match 200. Another resolution is a warning."""
    expected = {"accepted": "ACCEPT", "rejected": "REJECT"}[outcome]
    for exchange in exchanges:
        must(match.status(exchange, [200]))
        _note_shape(exchange, profile, warn)
        got = _resolution(exchange).get("resolution")
        should(None if got == expected else Mismatch(f"the resolution {expected}", exchange.in_short()), warn)


@then("the details are complete")
def details(exchanges: Exchanges, profile: Profile, warn: Warn) -> None:
    """Match 200 and a body that keeps its schema. A breach of the house's part of it is a warning."""
    must(match.status(exchanges[-1], [200]))
    must(match.well_formed(exchanges[-1], profile.house))
    should(match.well_formed(exchanges[-1], profile.house, by_house=True), warn)


@then("all answers are equal")
def equal_answers(exchanges: Exchanges, profile: Profile) -> None:
    """Match one status and one decision in every answer; members that the contract does not name may differ.

    Raises NotDeclared if the house decides a repeated call again.
    """
    group = "resolve_scan" if exchanges[0].operation is RESOLVE_SCAN else "shopper_auth"
    if not profile.house.value(f"{group}.idempotent"):
        raise NotDeclared(f"[house.{group}] idempotent is false, so a repeated call may be decided again")
    must(match.same_status(exchanges))
    decisions = [_decision(exchange) for exchange in exchanges]
    if any(decision != decisions[0] for decision in decisions):
        must(Mismatch("one answer to all attempts", "; ".join(exchange.in_short() for exchange in exchanges)))


def _body(exchange: Exchange) -> dict[str, Any]:
    return (exchange.answer.json() if exchange.answer else None) or {}


def _decision(exchange: Exchange) -> dict[str, Any]:
    """Return the members that decide who may enter and under which conditions."""
    if exchange.operation is RESOLVE_SCAN:
        source, names = _resolution(exchange), ("resolution", "id", "type")
    else:
        source, names = _body(exchange), ("shopperAuthorized", "authorizationConditions", "shopperRisks")
    return {name: source.get(name) for name in names}


def _resolution(exchange: Exchange) -> dict[str, Any]:
    """Return the resolution, id and type of a Resolve Scan answer, which has one of two shapes."""
    body = _body(exchange)
    if "resolution" in body:
        inner = body.get("scanResult")
        return {"resolution": body["resolution"], **(inner if isinstance(inner, dict) else {})}
    return {"resolution": body.get("action"), "id": body.get("id"), "type": body.get("type")}


def _note_shape(exchange: Exchange, profile: Profile, warn: Warn) -> None:
    """Warn of a body that breaks its schema, since Amazon does not publish the members of these answers."""
    house = profile.house
    for mismatch in (match.well_formed(exchange, house), match.well_formed(exchange, house, by_house=True)):
        should(mismatch, warn)
