"""A request that must be refused has exactly one fault; without a declared shopper key, its unknown key is a second."""

from __future__ import annotations

from conformance.drafts import Draft
from conformance.drivers.exchange import Exchange
from conformance.requests import Requests
from jwo_contract.errors import MalformedBody
from jwo_contract.operations import VERIFY_IDENTITY_KEYS

_UNAUTHORIZED = 401


KEY_IS_UNKNOWN = "the key is unknown as well, and the connector may look at it first; declare [keys] shopper"


def may_be_about_the_key(exchange: Exchange, draft: Draft, requests: Requests) -> bool:
    """Say whether the connector may have refused the unknown key, and not the fault of a request made from `draft`."""
    if exchange.operation is not VERIFY_IDENTITY_KEYS or requests.keys.has("shopper"):
        return False
    is_refused = exchange.answer is not None and exchange.answer.status == _UNAUTHORIZED
    return is_refused and _key_of(exchange) == draft.body["identityKey"]


def _key_of(exchange: Exchange) -> object:
    try:
        return exchange.sent().get("identityKey")
    except MalformedBody:
        return None
