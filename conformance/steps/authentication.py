"""Steps of authentication: calls without the right credentials, and what they leave behind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from pytest_bdd import given, parsers, then, when

from conformance import credentials, match
from conformance.credentials import Credentials
from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.errors import NotDeclared
from conformance.requests import Requests
from conformance.run.controls import ControlCalls
from conformance.verify import must
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile


class Tries(NamedTuple):
    """Calls with wrong credentials, and the later calls of the same event or trip with the right ones."""

    refused: Sequence[Exchange]
    later: Sequence[Exchange]


@given("a shopper's scan at a connector with authentication", target_fixture="draft")
def a_guarded_scan(requests: Requests, controls: ControlCalls, profile: Profile) -> Draft:
    """Return a scan that the connector accepts with the declared credentials."""
    _needs_credentials(profile)
    key = requests.keys.take("shopper")
    controls.needs_understanding(VERIFY_IDENTITY_KEYS)
    return requests.build.scan(key)


@given("a cart at a connector with authentication", target_fixture="draft")
def a_guarded_cart(requests: Requests, controls: ControlCalls, profile: Profile) -> Draft:
    """Return a cart that the connector accepts with the declared credentials."""
    _needs_credentials(profile)
    controls.needs_understanding(CREATE_PURCHASES)
    return requests.build.cart()


@when(parsers.parse("it comes with {wrong}, and its event or trip again with the right credentials"),
      target_fixture="tries")  # fmt: skip
def send_wrongly(draft: Draft, connector: ConnectorClient, requests: Requests, profile: Profile, wrong: str) -> Tries:
    """Send requests with wrong credentials, each with new ids, and then others of the same event or trip."""
    chosen = list(_chosen(wrong, profile, requests, draft))
    tries = Tries([], [])
    for each in chosen:
        new = requests.valid_request(draft.operation)
        refused = connector.send_with(new.operation, new.encoded(), each)
        other = _with_other_content(new, requests)
        later = connector.send(
            other.operation, other.encoded(), label=f"afterwards with the right credentials: {each.label}"
        )
        tries = Tries([*tries.refused, refused], [*tries.later, later])
    return tries


@when("it is accepted, and comes again with no and with other credentials", target_fixture="tries")
def send_again_wrongly(draft: Draft, connector: ConnectorClient, profile: Profile) -> Tries:
    """Send a request with the right credentials, and attempts of it with wrong ones."""
    connector.send(draft.operation, draft.encoded())
    table = profile.connector
    wrong = [*credentials.none(table), next(iter(credentials.others(table)))]
    return Tries([connector.send_with(draft.operation, draft.again().encoded(), each) for each in wrong], [])


@then("no gate opens, and the event is still undecided")
def no_gate(tries: Tries) -> None:
    """Match no success, and the refusal of an unknown key after a good key of the same event."""
    for refused in tries.refused:
        must(match.no_success(refused))
    for later in tries.later:
        must(match.status(later, [401]))


@then("nothing is booked, and the trip is still new")
def nothing_booked(tries: Tries) -> None:
    """Match no success, and an empty purchase for the empty cart of a trip that came with goods before."""
    for refused in tries.refused:
        must(match.no_success(refused))
    for later in tries.later:
        must(match.status(later, [201]))
        must(match.purchase_id(later, empty=True))


@then("no duplicate is answered")
def no_duplicate(tries: Tries) -> None:
    """Match no success."""
    for refused in tries.refused:
        must(match.no_success(refused))


def _needs_credentials(profile: Profile) -> None:
    if profile.connector.auth == "none":
        raise NotDeclared(
            "[connector] auth is not declared; declare headers or sigv4 if the connector checks its callers"
        )


def _chosen(wrong: str, profile: Profile, requests: Requests, draft: Draft) -> Iterable[Credentials]:
    """Yield the wrong credentials of a kind. Raises NotDeclared for signatures where calls are not signed."""
    table = profile.connector
    signed: dict[str, Callable[[], Iterable[Credentials]]] = {
        "the signature of another body": lambda: credentials.other_body(
            table, requests.valid_request(draft.operation).encoded()
        ),
        "the signature of another time": lambda: credentials.other_time(table, profile.house.auth.max_skew_s),
        "the signature of another scope": lambda: credentials.other_scope(table),
    }
    if wrong in signed and table.auth != "sigv4":
        raise NotDeclared('[connector] auth is not "sigv4", so calls have no signature')
    kinds = {
        "no credentials": lambda: credentials.none(table),
        "other credentials": lambda: credentials.others(table),
        **signed,
    }
    return kinds[wrong]()


def _with_other_content(draft: Draft, requests: Requests) -> Draft:
    """Return a request of the same event with an unknown key, or of the same trip with an empty cart."""
    if draft.operation is VERIFY_IDENTITY_KEYS:
        return draft.again().with_value("identityKey", requests.keys.unknown())
    return draft.again().with_value("cartItems", [])
