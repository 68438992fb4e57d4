"""The validation rules of the small connector, each with the fault of leaving it out and the ids that find that."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from conformance.mutants.json_values import Body, at

Broken = Callable[[Body, set[str]], bool]
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_INSTANT = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}([.][0-9]+)?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])")
_EVENT_ID = re.compile(r"[0-9A-Za-z_.-]+")
_UUID_LENGTH = 36
_SYMBOLOGIES = {"UPC", "EAN", "EAN8", "ISBN", "GTIN", "PLU"}
_SCAN_TYPES = {"SHOPPER", "ASSOCIATE", "CASH", "CASH_SHOPPER", "LOYALTY"}


class Rule(NamedTuple):
    """The fault of leaving a rule out, the ids that find it, and a test of a body, with the stores, for a breach."""

    fault: str
    found_by: tuple[str, ...]
    is_broken: Broken


def _rule(fault: str, found_by: str | tuple[str, ...], is_broken: Broken) -> Rule:
    return Rule(fault, (found_by,) if isinstance(found_by, str) else found_by, is_broken)


def _missing(path: str) -> Broken:
    parent, _, name = path.rpartition(".")

    def broken(body: Body, _stores: set[str]) -> bool:
        holders = at(body, parent) if parent else [body]
        return any(isinstance(holder, dict) and holder.get(name) is None for holder in holders)

    return broken


def _empty(*paths: str) -> Broken:
    return lambda body, _stores: any(value == "" for path in paths for value in at(body, path))


def _no_text(path: str) -> Broken:
    return lambda body, _stores: not at(body, path)[0]


def _wrong_type(kinds: dict[type, tuple[str, ...]]) -> Broken:
    def broken(body: Body, _stores: set[str]) -> bool:
        return any(
            not isinstance(value, kind) and (value is not None or path.endswith("[]"))
            for kind, paths in kinds.items()
            for path in paths
            for value in at(body, path)
        )

    return broken


def _bad(path: str, is_bad: Callable[[Any], bool]) -> Broken:
    return lambda body, _stores: any(value is not None and is_bad(value) for value in at(body, path))


def _longer(path: str, limit: int) -> Broken:
    return _bad(path, lambda value: isinstance(value, str) and len(value) > limit)


def _not_in(path: str, values: set[str]) -> Broken:
    return _bad(path, lambda value: value not in values)


def _no_match(path: str, pattern: re.Pattern[str]) -> Broken:
    return _bad(path, lambda value: value != "" and not (isinstance(value, str) and pattern.fullmatch(value)))


def _unknown_store(body: Body, stores: set[str]) -> bool:
    store = body.get("storeId")
    return isinstance(store, str) and 0 < len(store) <= 255 and store not in stores  # noqa: PLR2004 - the next rule's


def _instant(value: object) -> datetime | None:
    if not _INSTANT.fullmatch(str(value)):
        return None
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        return None


def _ends_before_start(body: Body, _stores: set[str]) -> bool:
    start, end = (_instant(at(body, f"shoppingTrip.{name}")[0]) for name in ("startTime", "endTime"))
    return start is not None and end is not None and end < start


def _repeats_a_line_id(body: Body, _stores: set[str]) -> bool:
    ids = [value for value in at(body, "cartItems[].lineItemId") if value is not None]
    return len(ids) != len(set(map(str, ids)))


_EVENT = "shoppingTrip.authEvents[]"
_ITEM = "cartItems[]"

_SCAN_TEXTS = ("requestId", "identityKey", "storeId", "authEvent.id", "authEvent.timestamp", "authEvent.location")
_CART_TEXTS = (
    *("requestId", "idempotentShoppingTripId", "storeId", "shoppingTrip.startTime", "shoppingTrip.endTime"),
    *(f"{_EVENT}.id", f"{_EVENT}.payloadType", f"{_ITEM}.id", f"{_ITEM}.type"),
    *(f"{_ITEM}.quantity.value", f"{_ITEM}.quantity.unit"),
)
_OPTIONAL_CART_TEXTS = (
    *("shopperIdentity.id", "shopperDeviceId", f"{_ITEM}.lineItemId"),
    *(f"{_EVENT}.timestamp", f"{_EVENT}.location", f"{_EVENT}.scanResult.id", f"{_EVENT}.scanResult.type"),
    *(f"{_ITEM}.externalIdentifiers[].id", f"{_ITEM}.externalIdentifiers[].type"),
)
_CART_OBJECTS = (
    *("shoppingTrip", "shopperIdentity", _EVENT, f"{_EVENT}.scanResult"),
    *(_ITEM, f"{_ITEM}.quantity", f"{_ITEM}.externalIdentifiers[]"),
)
_CART_LISTS = ("shoppingTrip.authEvents", "cartItems", f"{_ITEM}.externalIdentifiers")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?")

SCAN_RULES = (
    _rule("reads_any_type:scan", "VIK-X.20", _wrong_type({dict: ("authEvent",), str: (*_SCAN_TEXTS, "keyChannel")})),
    _rule("takes_empty_texts:scan", "VIK-X.21", _empty(*_SCAN_TEXTS)),
    _rule("accepts_a_missing_request_id", "VIK-3.1", _missing("requestId")),
    _rule("accepts_any_request_id", "VIK-3.2", _no_match("requestId", _UUID)),
    _rule("accepts_a_missing_identity_key", "VIK-3.3", _missing("identityKey")),
    _rule("accepts_an_overlong_identity_key", "VIK-3.4", _longer("identityKey", 1000)),
    _rule("accepts_a_key_that_is_not_base64", "VIK-3.5", _no_match("identityKey", _BASE64)),
    _rule("accepts_a_missing_store", "VIK-3.6", _missing("storeId")),
    _rule("accepts_an_overlong_store", "VIK-3.7", _longer("storeId", 255)),
    _rule("accepts_an_unknown_store", "VIK-3.8", _unknown_store),
    _rule("accepts_a_missing_auth_event", "VIK-3.9", _missing("authEvent")),
    _rule("accepts_a_missing_auth_event_id", "VIK-3.10", _missing("authEvent.id")),
    _rule("accepts_any_auth_event_id", "VIK-3.11", _no_match("authEvent.id", _UUID)),
    _rule("accepts_a_missing_scan_time", "VIK-3.12", _missing("authEvent.timestamp")),
    _rule("accepts_any_scan_time", "VIK-3.13", _bad("authEvent.timestamp", lambda value: not _instant(value))),
    _rule("accepts_a_missing_location", "VIK-3.14", _missing("authEvent.location")),
    _rule("accepts_any_location", "VIK-3.15", _not_in("authEvent.location", {"ENTRY"})),
    _rule("accepts_any_key_channel", ("VIK-3.16", "VIK-X.36"), _not_in("keyChannel", {"OPTICAL", "CONTACT", "RADIO"})),
)

CART_RULES = (
    _rule(
        "reads_any_type:cart",
        "CP-X.29",
        _wrong_type({dict: _CART_OBJECTS, list: _CART_LISTS, str: (*_CART_TEXTS, *_OPTIONAL_CART_TEXTS)}),
    ),
    _rule("takes_overlong_trip_ids", "CP-X.45", _longer("idempotentShoppingTripId", 255)),
    _rule("takes_empty_texts:cart", "CP-X.30", _empty(*_CART_TEXTS)),
    _rule("takes_any_quantity", "CP-X.28", _no_match(f"{_ITEM}.quantity.value", _QUANTITY)),
    _rule("accepts_a_cart_without_request_id", "CP-3.1", _missing("requestId")),
    _rule("accepts_a_cart_with_any_request_id", "CP-3.2", _no_match("requestId", _UUID)),
    _rule("accepts_a_cart_without_trip_id", "CP-3.3", _missing("idempotentShoppingTripId")),
    _rule("accepts_a_cart_without_store", "CP-3.4", _missing("storeId")),
    _rule("accepts_a_cart_of_an_overlong_store", "CP-3.5", _longer("storeId", 255)),
    _rule("accepts_a_cart_of_an_unknown_store", "CP-X.10", _unknown_store),
    _rule("accepts_a_cart_without_visit", "CP-3.6", _missing("shoppingTrip")),
    _rule("accepts_a_visit_without_start", "CP-3.7", _missing("shoppingTrip.startTime")),
    _rule("accepts_a_visit_without_end", "CP-3.8", _missing("shoppingTrip.endTime")),
    _rule("accepts_any_start_time", "CP-3.9", _bad("shoppingTrip.startTime", lambda value: not _instant(value))),
    _rule("accepts_any_end_time", "CP-X.63", _bad("shoppingTrip.endTime", lambda value: not _instant(value))),
    _rule("accepts_any_time_of_an_entry", "CP-X.63", _bad(f"{_EVENT}.timestamp", lambda value: not _instant(value))),
    _rule("accepts_an_end_before_the_start", "CP-3.10", _ends_before_start),
    _rule("accepts_a_visit_without_auth_events", "CP-3.11", _missing("shoppingTrip.authEvents")),
    _rule("accepts_an_entry_without_id", "CP-3.12", _missing(f"{_EVENT}.id")),
    _rule("accepts_an_entry_with_any_id", "CP-3.13", _no_match(f"{_EVENT}.id", _EVENT_ID)),
    _rule("accepts_an_entry_with_an_overlong_id", "CP-3.14", _longer(f"{_EVENT}.id", 255)),
    _rule("accepts_an_entry_without_payload_type", "CP-3.15", _missing(f"{_EVENT}.payloadType")),
    _rule("accepts_any_payload_type", "CP-3.16", _not_in(f"{_EVENT}.payloadType", {"FINANCIAL", "SCAN_CODE"})),
    _rule(
        "accepts_an_entry_at_any_location",
        "CP-3.17",
        _not_in(f"{_EVENT}.location", {"ENTRY", "EXIT", "MANUAL_IN_STORE"}),
    ),
    _rule("accepts_a_cart_without_items", "CP-3.18", _missing("cartItems")),
    _rule("accepts_an_item_without_id", "CP-3.19", _missing(f"{_ITEM}.id")),
    _rule("accepts_an_item_with_an_overlong_id", "CP-3.20", _longer(f"{_ITEM}.id", 255)),
    _rule("accepts_an_item_without_type", "CP-3.21", _missing(f"{_ITEM}.type")),
    _rule("accepts_an_item_of_any_type", "CP-3.22", _not_in(f"{_ITEM}.type", {"SKU", "SCANCODE"})),
    _rule("accepts_an_item_without_quantity", "CP-3.23", _missing(f"{_ITEM}.quantity")),
    _rule("accepts_a_quantity_without_value", "CP-3.24", _missing(f"{_ITEM}.quantity.value")),
    _rule("accepts_an_overlong_quantity", "CP-3.25", _longer(f"{_ITEM}.quantity.value", 10)),
    _rule("accepts_a_quantity_without_unit", "CP-3.26", _missing(f"{_ITEM}.quantity.unit")),
    _rule("accepts_any_identifier_type", "CP-3.27", _not_in(f"{_ITEM}.externalIdentifiers[].type", _SYMBOLOGIES)),
    _rule("accepts_an_overlong_identifier", "CP-3.28", _longer(f"{_ITEM}.externalIdentifiers[].id", 255)),
    _rule("accepts_any_scan_result_type", "CP-3.29", _not_in(f"{_EVENT}.scanResult.type", _SCAN_TYPES)),
    _rule("accepts_an_overlong_scan_result_id", "CP-3.30", _longer(f"{_EVENT}.scanResult.id", 255)),
    _rule("accepts_an_overlong_shopper_id", "CP-3.31", _longer("shopperIdentity.id", 255)),
    _rule("accepts_an_overlong_device_id", "CP-3.32", _longer("shopperDeviceId", 255)),
    _rule("accepts_an_overlong_line_id", "CP-3.33", _longer(f"{_ITEM}.lineItemId", 255)),
    _rule("accepts_a_repeated_line_id", "CP-3.34", _repeats_a_line_id),
)


TAP_RULES = (
    _rule("authorises_without_a_store", "SA-7a.12", _no_text("storeId")),
    _rule("authorises_without_a_shopper", "SA-7a.12", _no_text("shopperIdentity.id")),
    _rule("authorises_for_any_store", "SA-7a.13", _unknown_store),
)

LOYALTY_RULES = (
    _rule("resolves_without_a_store", "RS-2", _no_text("storeId")),
    _rule("resolves_without_an_event_id", "RS-2", _no_text("scanEvent.id")),
    _rule("resolves_any_request_id", "RS-3", lambda body, _stores: len(str(body.get("requestId"))) != _UUID_LENGTH),
)

EMPTY_OBJECT = {
    "scan": _rule("accepts_an_empty_object:scan", "VIK-3.17", lambda body, _stores: not body),
    "cart": _rule("accepts_an_empty_object:cart", "CP-3.35", lambda body, _stores: not body),
}
"""An empty object breaks all rules at once. It has a rule of its own, or it would hide that another one is left out."""

RULES = {"scan": SCAN_RULES, "cart": CART_RULES, "tap": TAP_RULES, "loyalty": LOYALTY_RULES, "details": ()}


def broken_rule(call: str, body: Body, stores: set[str], left_out: str = "") -> str:
    """Return the fault of the first rule that a body breaks, without the rule left out; empty for a valid body."""
    rules = RULES[call] if body or call not in EMPTY_OBJECT else (EMPTY_OBJECT[call],)
    return next((rule.fault for rule in rules if rule.fault != left_out and rule.is_broken(body, stores)), "")
