"""Strict faults: a connector that answers 400 to a valid request."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from conformance.mutants.http_app import Request
from conformance.mutants.json_values import at
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import ITEMS, SmallConnector, item_ids

Sees = Callable[[Request], bool]
"""Says whether the faulty connector refuses a request that is valid."""
_EVENT = "shoppingTrip.authEvents[]"
_ITEM = "cartItems[]"
_TIMES = ("authEvent.timestamp", "shoppingTrip.startTime", "shoppingTrip.endTime", f"{_EVENT}.timestamp")
_FRACTION, _OFFSET = r"\.\d+", r"[+-]\d\d:\d\d$"


def _fault(name: str, call: str, found_by: tuple[str, ...], sees: Sees) -> None:
    def problem_of(self: SmallConnector, request: Request) -> str:
        problem = SmallConnector.problem_of(self, request)
        return problem or (f"refused by the fault {name}" if request.call == call and sees(request) else "")

    CONNECTOR_FAULTS.add(Fault(name, found_by), type(name, (SmallConnector,), {"problem_of": problem_of}))


def _scan(name: str, found_by: str, sees: Sees) -> None:
    """Register a fault that refuses the scans that `sees` selects."""
    _fault(name, "scan", (found_by,), sees)


def _cart(name: str, found_by: str, sees: Sees) -> None:
    """Register a fault that refuses the carts that `sees` selects."""
    _fault(name, "cart", (found_by,), sees)


def _both(name: str, scan: str, cart: str, sees: Sees) -> None:
    """Register two faults, one for each call of the core."""
    _fault(f"{name}:scan", "scan", (scan,), sees)
    _fault(f"{name}:cart", "cart", (cart,), sees)


def _any(path: str, test: Callable[[Any], bool]) -> Sees:
    return lambda request: any(value is not None and test(value) for value in at(request.body, path))


def _time_like(pattern: str) -> Sees:
    def sees(request: Request) -> bool:
        texts = [str(value) for path in _TIMES for value in at(request.body, path) if value is not None]
        return any(re.search(pattern, text) for text in texts)

    return sees


def _holds_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(member is None or _holds_null(member) for member in value.values())
    return isinstance(value, list) and any(_holds_null(item) for item in value)


def _not_ascii(value: object) -> bool:
    return not str(value).isascii()


def _length(path: str, least: int) -> Sees:
    return _any(path, lambda value: len(value) >= least)


def _one_of(path: str, *values: str) -> Sees:
    return _any(path, lambda value: value in values)


def _uuid_version(version: str) -> Sees:
    return lambda request: str(request.body.get("requestId"))[14:15] == version


def _upper(path: str) -> Sees:
    return _any(path, lambda value: value != value.lower())


def _is_mixed(text: str) -> bool:
    return text not in {text.lower(), text.upper()}


def _is_old(text: str) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(text) > timedelta(hours=20)


def _has_unknown_member(request: Request) -> bool:
    return "xFutureAttribute" in json.dumps(request.body)


def _has_more_than_two(value: dict[str, object]) -> bool:
    return len(value) > 2  # noqa: PLR2004 - the members id and type


def _lasts_no_time(request: Request) -> bool:
    visit = request.body["shoppingTrip"]
    return bool(visit.get("startTime") == visit.get("endTime"))


_both("refuses_fractions_of_a_second", "VIK-X.15", "CP-X.16", _time_like(_FRACTION))
_both("refuses_offsets", "VIK-X.15", "CP-X.16", _time_like(_OFFSET))
_both("refuses_upper_case_request_ids", "VIK-X.16", "CP-X.17", _upper("requestId"))
_both("refuses_uuids_of_version_7", "VIK-X.16", "CP-X.17", _uuid_version("7"))
_both("refuses_null", "VIK-X.18", "CP-X.22", lambda request: _holds_null(request.document))
_both("refuses_unknown_members", "VIK-X.6", "CP-X.6", _has_unknown_member)
_both("refuses_unknown_ids", "VIK-X.6", "CP-X.6", lambda request: "futureAttributeId" in json.dumps(request.body))
_cart("refuses_unknown_members_of_the_shopper", "CP-X.6", _any("shopperIdentity", lambda value: len(value) > 1))
_cart("refuses_unknown_members_of_identifiers", "CP-X.6", _any(f"{_ITEM}.externalIdentifiers[]", _has_more_than_two))
_cart("refuses_unknown_members_of_scan_results", "CP-X.6", _any(f"{_EVENT}.scanResult", _has_more_than_two))
_both("wants_compact_json", "VIK-X.19", "CP-X.26", lambda request: b"\n" in request.raw)
_both("knows_no_escapes", "VIK-X.19", "CP-X.26", lambda request: b"\\u0045" in request.raw)
_fault("refuses_unknown_members_of_a_tap", "tap", ("SA-X.2",), _has_unknown_member)
_fault("refuses_unknown_members_of_a_loyalty_scan", "loyalty", ("RS-X.2",), _has_unknown_member)

_scan("refuses_without_key_channel", "VIK-X.7", lambda request: "keyChannel" not in request.body)
_scan("refuses_a_key_of_1000_characters", "VIK-X.14", _length("identityKey", 1000))
_scan("refuses_upper_case_events", "VIK-X.16", _upper("authEvent.id"))
_scan("refuses_contact", "VIK-X.17", _one_of("keyChannel", "CONTACT"))
_scan("refuses_radio", "VIK-X.17", _one_of("keyChannel", "RADIO"))
_scan("refuses_uuids_in_mixed_case", "VIK-X.35", _any("requestId", _is_mixed))

_cart("refuses_second_lines", "CP-1.2", lambda request: len(request.items) > 1)
_cart("refuses_weights", "CP-1.3", _one_of(f"{_ITEM}.quantity.unit", "lb"))
_cart("refuses_scanned_codes", "CP-1.4", _one_of(f"{_ITEM}.type", "SCANCODE"))
_cart("refuses_identifiers", "CP-1.5", _any(f"{_ITEM}.externalIdentifiers", lambda _value: True))
_cart("refuses_line_ids", "CP-1.6", _any(f"{_ITEM}.lineItemId", lambda _value: True))
_cart("refuses_empty_carts", "CP-1.7", lambda request: not request.items)
_cart("refuses_cards", "CP-1.8", _one_of(f"{_EVENT}.payloadType", "FINANCIAL"))
_cart("refuses_associates_carts", "CP-1.10", _one_of(f"{_EVENT}.scanResult.type", "ASSOCIATE"))
_cart("refuses_cash_carts", "CP-1.11", _one_of(f"{_EVENT}.scanResult.type", "CASH"))
_cart("refuses_loyalty_carts", "CP-1.12", _one_of(f"{_EVENT}.scanResult.type", "LOYALTY"))
_cart("refuses_groups", "CP-1.13", _any("shoppingTrip.authEvents", lambda value: len(value) > 1))
_cart("refuses_staffed_entry", "CP-1.14", _one_of(f"{_EVENT}.location", "MANUAL_IN_STORE"))
_cart("wants_a_location", "CP-1.15", lambda request: at(request.body, f"{_EVENT}.location") == [None])
_cart("wants_a_visit_to_last", "CP-X.7", _lasts_no_time)
_cart("refuses_unknown_items", "CP-X.9", lambda request: not ITEMS.issuperset(item_ids(request)))
_cart("refuses_255_character_lines", "CP-X.14", _length(f"{_ITEM}.lineItemId", 255))
_cart("refuses_255_character_entries", "CP-X.14", _length(f"{_EVENT}.id", 255))
_cart("refuses_255_character_devices", "CP-X.14", _length("shopperDeviceId", 255))
_cart("refuses_255_character_shoppers", "CP-X.14", _length("shopperIdentity.id", 255))
_cart("refuses_ten_digit_quantities", "CP-X.14", _length(f"{_ITEM}.quantity.value", 10))
_cart("refuses_long_trip_ids", "CP-X.15", _length("idempotentShoppingTripId", 65))
_cart("wants_trips_to_be_uuids", "CP-X.15", _any("idempotentShoppingTripId", lambda value: " " in value))
_cart("refuses_units_in_other_scripts", "CP-X.18", _any(f"{_ITEM}.quantity.unit", _not_ascii))
_cart("refuses_devices_in_other_scripts", "CP-X.18", _any("shopperDeviceId", _not_ascii))
_cart("refuses_1000_lines", "CP-X.19", lambda request: len(request.items) > 500)  # noqa: PLR2004 - the fault's own limit
_cart("refuses_shoppers_in_a_cart", "CP-X.20", _one_of(f"{_EVENT}.scanResult.type", "SHOPPER"))
_cart("refuses_exit", "CP-X.21", _one_of(f"{_EVENT}.location", "EXIT"))
_cart("refuses_cash_shopper_in_a_cart", "CP-X.21", _one_of(f"{_EVENT}.scanResult.type", "CASH_SHOPPER"))
_cart("refuses_price_lookup_codes", "CP-X.21", _one_of(f"{_ITEM}.externalIdentifiers[].type", "PLU"))
_cart("refuses_guests", "CP-X.23", _any("shopperIdentity.id", lambda value: value == ""))
_cart("refuses_nameless_scan_results", "CP-X.23", _any(f"{_EVENT}.scanResult.id", lambda value: value == ""))
_cart("refuses_trips_without_entries", "CP-X.24", _any("shoppingTrip.authEvents", lambda value: value == []))
_cart("refuses_payment_sources", "CP-X.25", lambda request: "paymentSource" in request.body)
_cart("refuses_whole_quantities", "CP-X.27", _any(f"{_ITEM}.quantity.value", lambda value: "." not in value))
_cart("refuses_leading_zeros", "CP-X.27", _any(f"{_ITEM}.quantity.value", lambda value: value[:2] == "00"))
_cart("refuses_apostrophes", "CP-X.44", _any("shopperDeviceId", lambda value: not value.isalnum()))
_cart("refuses_carts_of_yesterday", "CP-X.46", _any("shoppingTrip.endTime", _is_old))
