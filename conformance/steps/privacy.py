"""Steps of privacy: an answer must not repeat keys that open gates, or data of a shopper."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Sequence

from pytest_bdd import then, when

from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.drivers.http import ConnectorClient
from conformance.drivers.masks import unescaped
from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.requests import Requests
from conformance.verify import must
from jwo_contract.profile import Profile

Exchanges = list[Exchange]
_MIN_LENGTH = 6
"""Shorter texts also occur inside ordinary words."""
_PERSONAL = (
    "shopperIdentity.id",
    "shopperDeviceId",
    "paymentSource.id",
    "shoppingTrip.authEvents[0].scanResult.id",
)


@when("it is sent, also for an unknown key, and without its event", target_fixture="exchanges")
def send_keys(draft: Draft, connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send a valid scan, a scan of an unknown key, and an invalid scan."""
    stranger = requests.build.scan(requests.keys.unknown())
    drafts = {"as it is": draft, "of a stranger": stranger, "without its event": draft.again().without("authEvent")}
    return [connector.send(each.operation, each.encoded(), label=label) for label, each in drafts.items()]


@when("it is sent with all of the shopper's data, whole and without its items", target_fixture="exchanges")
def send_personal(draft: Draft, connector: ConnectorClient) -> Exchanges:
    """Send a cart with random data of a shopper, and an invalid cart with the same data."""
    for path in _PERSONAL:
        draft = draft.with_value(path, f"shopper-{uuid.uuid4().hex}")
    drafts = {"whole": draft, "without its items": draft.again().without("cartItems")}
    return [connector.send(each.operation, each.encoded(), label=label) for label, each in drafts.items()]


@then("no answer repeats the key")
def no_key(exchanges: Exchanges, profile: Profile) -> None:
    """Match answers without the key. A refusal must not contain the decoded key either."""
    _check_rule_applies(profile)
    for exchange in exchanges:
        key = str(_sent_draft(exchange).value("identityKey"))
        is_refusal = exchange.answer is not None and exchange.answer.status >= 400  # noqa: PLR2004 - the refusals
        must(_match_not_repeated(exchange, [key, *(_decode(key) if is_refusal else [])], "identityKey"))


@then("no answer repeats the shopper's data")
def nothing_personal(exchanges: Exchanges, profile: Profile) -> None:
    """Match answers without any of the shopper's data."""
    _check_rule_applies(profile)
    for exchange in exchanges:
        for path in _PERSONAL:
            must(_match_not_repeated(exchange, [str(_sent_draft(exchange).value(path))], path))


def _check_rule_applies(profile: Profile) -> None:
    if profile.house.http.repeats_personal:
        raise NotDeclared("[house.http] repeats_personal says that answers may repeat keys and personal data")


def _sent_draft(exchange: Exchange) -> Draft:
    return Draft(exchange.operation, exchange.sent())


def _decode(key: str) -> list[str]:
    try:
        return [base64.b64decode(key).decode()]
    except ValueError:
        return []


def _match_not_repeated(exchange: Exchange, texts: Sequence[str], path: str) -> Mismatch | None:
    """Match an answer with none of the texts in its body and headers."""
    answer = exchange.answer
    text = answer.body.decode("utf-8", "replace") + " ".join(answer.headers.values()) if answer else ""
    plain = unescaped(text)
    if not any(len(each) >= _MIN_LENGTH and (each in text or each in plain) for each in texts):
        return None
    return Mismatch(f"an answer that does not repeat {path}", f"{exchange.in_short()} (the answer repeats it)")
