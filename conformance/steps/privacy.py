"""What an answer must not tell: keys that open gates, and what is known of a shopper."""

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
from contract.profile import Profile

Exchanges = list[Exchange]
_SHORTEST = 6
"""Shorter texts stand in ordinary words as well."""
_PERSONAL = (
    "shopperIdentity.id",
    "shopperDeviceId",
    "paymentSource.id",
    "shoppingTrip.authEvents[0].scanResult.id",
)


@when("it is sent, for a key that nobody has as well, and without its event", target_fixture="exchanges")
def send_keys(draft: Draft, connector: ConnectorClient, requests: Requests) -> Exchanges:
    """Send a scan that is decided, one that is refused, and one that is invalid."""
    stranger = requests.build.scan(requests.keys.unknown())
    drafts = {"as it is": draft, "of a stranger": stranger, "without its event": draft.again().without("authEvent")}
    return [connector.send(each.operation, each.encoded(), label=label) for label, each in drafts.items()]


@when("it is sent with all that tells of the shopper, whole and without its items", target_fixture="exchanges")
def send_personal(draft: Draft, connector: ConnectorClient) -> Exchanges:
    """Send a cart with made-up data of a shopper, and break it once."""
    for path in _PERSONAL:
        draft = draft.with_value(path, f"shopper-{uuid.uuid4().hex}")
    drafts = {"whole": draft, "without its items": draft.again().without("cartItems")}
    return [connector.send(each.operation, each.encoded(), label=label) for label, each in drafts.items()]


@then("no answer repeats the key")
def no_key(exchanges: Exchanges, profile: Profile) -> None:
    """Match answers without the key as it came; a refusal does not hold it decoded either."""
    _is_judged(profile)
    for exchange in exchanges:
        key = str(_sent(exchange).value("identityKey"))
        is_refusal = exchange.answer is not None and exchange.answer.status >= 400  # noqa: PLR2004 - the refusals
        must(_told(exchange, [key, *(_decoded(key) if is_refusal else [])], "identityKey"))


@then("no answer repeats what tells of the shopper")
def nothing_personal(exchanges: Exchanges, profile: Profile) -> None:
    """Match answers without any of the shopper's data."""
    _is_judged(profile)
    for exchange in exchanges:
        for path in _PERSONAL:
            must(_told(exchange, [str(_sent(exchange).value(path))], path))


def _is_judged(profile: Profile) -> None:
    if profile.house.http.repeats_personal:
        raise NotDeclared("[house.http] repeats_personal says that answers may repeat keys and personal data")


def _sent(exchange: Exchange) -> Draft:
    return Draft(exchange.operation, exchange.sent())


def _decoded(key: str) -> list[str]:
    try:
        return [base64.b64decode(key).decode()]
    except ValueError:
        return []


def _told(exchange: Exchange, texts: Sequence[str], path: str) -> Mismatch | None:
    """Match an answer, its headers included, without any of the texts."""
    answer = exchange.answer
    told = answer.body.decode("utf-8", "replace") + " ".join(answer.headers.values()) if answer else ""
    plain = unescaped(told)
    if not any(len(text) >= _SHORTEST and (text in told or text in plain) for text in texts):
        return None
    return Mismatch(f"an answer that does not repeat {path}", f"{exchange.in_short()} (it does)")
