"""The validation rules of the small connector, as rows: the fault of leaving the rule out, and what the rule sees.

Each row names the id of the check that must find its absence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, NamedTuple

Body = dict[str, Any]
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_BASE64 = re.compile(r"([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_EVENT_ID = re.compile(r"[0-9A-Za-z_.-]+")
_SYMBOLOGIES = {"UPC", "EAN", "EAN8", "ISBN", "GTIN", "PLU"}
_SCAN_TYPES = {"SHOPPER", "ASSOCIATE", "CASH", "CASH_SHOPPER", "LOYALTY"}


class Rule(NamedTuple):
    """A fault, the id of the check that finds it, and the test for a body that breaks the rule."""

    fault: str
    found_by: str
    broken: Callable[[Body, set[str]], bool]


class Rules(NamedTuple):
    """The rules of one call."""

    name: str
    rows: tuple[Rule, ...]

    def broken_by(self, body: Body, stores: set[str]) -> Iterator[str]:
        """Name the rules that the body breaks. An empty body breaks all at once, so leaving one out cannot show."""
        if not body:
            yield f"accepts_an_empty_object:{self.name}"
            return
        yield from (rule.fault for rule in self.rows if rule.broken(body, stores))


def at(body: object, path: str) -> list[object]:
    """Return the values at a path, in which `[]` stands for each entry of a list; missing ones are None."""
    values: list[object] = [body]
    for step in path.split("."):
        name, each = step.removesuffix("[]"), step.endswith("[]")
        values = [value.get(name) if isinstance(value, dict) else None for value in values]
        if each:
            values = [entry for value in values if isinstance(value, list) for entry in value]
    return values


def _missing(path: str) -> Callable[[Body, set[str]], bool]:
    parent, _, name = path.rpartition(".")

    def broken(body: Body, _stores: set[str]) -> bool:
        holders = at(body, parent) if parent else [body]
        return any(isinstance(holder, dict) and holder.get(name) is None for holder in holders)

    return broken


def _empty(*paths: str) -> Callable[[Body, set[str]], bool]:
    return lambda body, _stores: any(value == "" for path in paths for value in at(body, path))


def _wrong_type(kinds: dict[type, tuple[str, ...]]) -> Callable[[Body, set[str]], bool]:
    def broken(body: Body, _stores: set[str]) -> bool:
        return any(
            not isinstance(value, kind) and (value is not None or path.endswith("[]"))
            for kind, paths in kinds.items()
            for path in paths
            for value in at(body, path)
        )

    return broken


def _bad(path: str, is_bad: Callable[[Any], bool]) -> Callable[[Body, set[str]], bool]:
    return lambda body, _stores: any(value is not None and is_bad(value) for value in at(body, path))


def _longer(path: str, limit: int) -> Callable[[Body, set[str]], bool]:
    return _bad(path, lambda value: isinstance(value, str) and len(value) > limit)


def _not_in(path: str, values: set[str]) -> Callable[[Body, set[str]], bool]:
    return _bad(path, lambda value: value not in values)


def _no_match(path: str, pattern: re.Pattern[str]) -> Callable[[Body, set[str]], bool]:
    return _bad(path, lambda value: value != "" and not (isinstance(value, str) and pattern.fullmatch(value)))


def _unknown_store(body: Body, stores: set[str]) -> bool:
    store = body.get("storeId")
    return isinstance(store, str) and 0 < len(store) <= 255 and store not in stores  # noqa: PLR2004 - the next rule's


def _instant(value: object) -> datetime | None:
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
    *("shopperIdentity.id", "shopperDeviceId", "paymentSource.id", f"{_ITEM}.lineItemId"),
    *(f"{_EVENT}.timestamp", f"{_EVENT}.location", f"{_EVENT}.scanResult.id", f"{_EVENT}.scanResult.type"),
    *(f"{_ITEM}.externalIdentifiers[].id", f"{_ITEM}.externalIdentifiers[].type"),
)
_CART_OBJECTS = (
    *("shoppingTrip", "shopperIdentity", "paymentSource", _EVENT, f"{_EVENT}.scanResult"),
    *(_ITEM, f"{_ITEM}.quantity", f"{_ITEM}.externalIdentifiers[]"),
)
_CART_LISTS = ("shoppingTrip.authEvents", "cartItems", f"{_ITEM}.externalIdentifiers")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?")

SCAN_RULES = Rules(
    "scan",
    (
        Rule("reads_any_type:scan", "VIK-X.20", _wrong_type({dict: ("authEvent",), str: (*_SCAN_TEXTS, "keyChannel")})),
        Rule("takes_empty_texts:scan", "VIK-X.21", _empty(*_SCAN_TEXTS)),
        Rule("accepts_a_missing_request_id", "VIK-3.1", _missing("requestId")),
        Rule("accepts_any_request_id", "VIK-3.2", _no_match("requestId", _UUID)),
        Rule("accepts_a_missing_identity_key", "VIK-3.3", _missing("identityKey")),
        Rule("accepts_an_overlong_identity_key", "VIK-3.4", _longer("identityKey", 1000)),
        Rule("accepts_a_key_that_is_not_base64", "VIK-3.5", _no_match("identityKey", _BASE64)),
        Rule("accepts_a_missing_store", "VIK-3.6", _missing("storeId")),
        Rule("accepts_an_overlong_store", "VIK-3.7", _longer("storeId", 255)),
        Rule("accepts_an_unknown_store", "VIK-3.8", _unknown_store),
        Rule("accepts_a_missing_auth_event", "VIK-3.9", _missing("authEvent")),
        Rule("accepts_a_missing_auth_event_id", "VIK-3.10", _missing("authEvent.id")),
        Rule("accepts_any_auth_event_id", "VIK-3.11", _no_match("authEvent.id", _UUID)),
        Rule("accepts_a_missing_scan_time", "VIK-3.12", _missing("authEvent.timestamp")),
        Rule("accepts_any_scan_time", "VIK-3.13", _bad("authEvent.timestamp", lambda value: not _instant(value))),
        Rule("accepts_a_missing_location", "VIK-3.14", _missing("authEvent.location")),
        Rule("accepts_any_location", "VIK-3.15", _not_in("authEvent.location", {"ENTRY"})),
        Rule("accepts_any_key_channel", "VIK-3.16", _not_in("keyChannel", {"OPTICAL", "CONTACT", "RADIO"})),
    ),
)

CART_RULES = Rules(
    "cart",
    (
        Rule(
            "reads_any_type:cart",
            "CP-X.29",
            _wrong_type({dict: _CART_OBJECTS, list: _CART_LISTS, str: (*_CART_TEXTS, *_OPTIONAL_CART_TEXTS)}),
        ),
        Rule("takes_overlong_trip_ids", "CP-X.45", _longer("idempotentShoppingTripId", 255)),
        Rule("takes_empty_texts:cart", "CP-X.30", _empty(*_CART_TEXTS)),
        Rule("takes_any_quantity", "CP-X.28", _no_match(f"{_ITEM}.quantity.value", _QUANTITY)),
        Rule("accepts_a_cart_without_request_id", "CP-3.1", _missing("requestId")),
        Rule("accepts_a_cart_with_any_request_id", "CP-3.2", _no_match("requestId", _UUID)),
        Rule("accepts_a_cart_without_trip_id", "CP-3.3", _missing("idempotentShoppingTripId")),
        Rule("accepts_a_cart_without_store", "CP-3.4", _missing("storeId")),
        Rule("accepts_a_cart_of_an_overlong_store", "CP-3.5", _longer("storeId", 255)),
        Rule("accepts_a_cart_of_an_unknown_store", "CP-X.10", _unknown_store),
        Rule("accepts_a_cart_without_visit", "CP-3.6", _missing("shoppingTrip")),
        Rule("accepts_a_visit_without_start", "CP-3.7", _missing("shoppingTrip.startTime")),
        Rule("accepts_a_visit_without_end", "CP-3.8", _missing("shoppingTrip.endTime")),
        Rule("accepts_any_start_time", "CP-3.9", _bad("shoppingTrip.startTime", lambda value: not _instant(value))),
        Rule("accepts_an_end_before_the_start", "CP-3.10", _ends_before_start),
        Rule("accepts_a_visit_without_auth_events", "CP-3.11", _missing("shoppingTrip.authEvents")),
        Rule("accepts_an_entry_without_id", "CP-3.12", _missing(f"{_EVENT}.id")),
        Rule("accepts_an_entry_with_any_id", "CP-3.13", _no_match(f"{_EVENT}.id", _EVENT_ID)),
        Rule("accepts_an_entry_with_an_overlong_id", "CP-3.14", _longer(f"{_EVENT}.id", 255)),
        Rule("accepts_an_entry_without_payload_type", "CP-3.15", _missing(f"{_EVENT}.payloadType")),
        Rule("accepts_any_payload_type", "CP-3.16", _not_in(f"{_EVENT}.payloadType", {"FINANCIAL", "SCAN_CODE"})),
        Rule(
            "accepts_an_entry_at_any_location",
            "CP-3.17",
            _not_in(f"{_EVENT}.location", {"ENTRY", "EXIT", "MANUAL_IN_STORE"}),
        ),
        Rule("accepts_a_cart_without_items", "CP-3.18", _missing("cartItems")),
        Rule("accepts_an_item_without_id", "CP-3.19", _missing(f"{_ITEM}.id")),
        Rule("accepts_an_item_with_an_overlong_id", "CP-3.20", _longer(f"{_ITEM}.id", 255)),
        Rule("accepts_an_item_without_type", "CP-3.21", _missing(f"{_ITEM}.type")),
        Rule("accepts_an_item_of_any_type", "CP-3.22", _not_in(f"{_ITEM}.type", {"SKU", "SCANCODE"})),
        Rule("accepts_an_item_without_quantity", "CP-3.23", _missing(f"{_ITEM}.quantity")),
        Rule("accepts_a_quantity_without_value", "CP-3.24", _missing(f"{_ITEM}.quantity.value")),
        Rule("accepts_an_overlong_quantity", "CP-3.25", _longer(f"{_ITEM}.quantity.value", 10)),
        Rule("accepts_a_quantity_without_unit", "CP-3.26", _missing(f"{_ITEM}.quantity.unit")),
        Rule("accepts_any_identifier_type", "CP-3.27", _not_in(f"{_ITEM}.externalIdentifiers[].type", _SYMBOLOGIES)),
        Rule("accepts_an_overlong_identifier", "CP-3.28", _longer(f"{_ITEM}.externalIdentifiers[].id", 255)),
        Rule("accepts_any_scan_result_type", "CP-3.29", _not_in(f"{_EVENT}.scanResult.type", _SCAN_TYPES)),
        Rule("accepts_an_overlong_scan_result_id", "CP-3.30", _longer(f"{_EVENT}.scanResult.id", 255)),
        Rule("accepts_an_overlong_shopper_id", "CP-3.31", _longer("shopperIdentity.id", 255)),
        Rule("accepts_an_overlong_device_id", "CP-3.32", _longer("shopperDeviceId", 255)),
        Rule("accepts_an_overlong_line_id", "CP-3.33", _longer(f"{_ITEM}.lineItemId", 255)),
        Rule("accepts_a_repeated_line_id", "CP-3.34", _repeats_a_line_id),
    ),
)
