"""Refusals of what must be taken, as rows: the fault, the ids that must find it, and what is wrongly refused."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from conformance.mutants.rules import at

Body = dict[str, Any]
_EVENT = "shoppingTrip.authEvents[]"
_TIMES = ("authEvent.timestamp", "shoppingTrip.startTime", "shoppingTrip.endTime", f"{_EVENT}.timestamp")


class Refusal(NamedTuple):
    """A fault, the ids each of which must find it, and the test for a body that is refused by it."""

    fault: str
    found_by: tuple[str, ...]
    sees: Callable[[Body], bool]


def _any(path: str, test: Callable[[Any], bool]) -> Callable[[Body], bool]:
    return lambda body: any(value is not None and test(value) for value in at(body, path))


def _is_scan(body: Body) -> bool:
    return "authEvent" in body


def _time_like(pattern: str, *, scan: bool) -> Callable[[Body], bool]:
    def sees(body: Body) -> bool:
        texts = [str(value) for path in _TIMES for value in at(body, path) if value is not None]
        return _is_scan(body) is scan and any(re.search(pattern, text) for text in texts)

    return sees


def _holds_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(member is None or _holds_null(member) for member in value.values())
    return isinstance(value, list) and any(_holds_null(item) for item in value)


def _not_ascii(value: object) -> bool:
    return not str(value).isascii()


def _length(path: str, least: int) -> Callable[[Body], bool]:
    return _any(path, lambda value: len(value) >= least)


def _one_of(path: str, *values: str) -> Callable[[Body], bool]:
    return _any(path, lambda value: value in values)


def _lines(body: Body) -> list[Any]:
    lines = body.get("cartItems")
    return lines if isinstance(lines, list) else []


def _uuid_version(version: str, *, scan: bool) -> Callable[[Body], bool]:
    def sees(body: Body) -> bool:
        return _is_scan(body) is scan and str(body.get("requestId"))[14:15] == version

    return sees


def _upper(path: str, *, scan: bool) -> Callable[[Body], bool]:
    return lambda body: _is_scan(body) is scan and _any(path, lambda value: value != value.lower())(body)


def _is_mixed(text: str) -> bool:
    return text not in {text.lower(), text.upper()}


def _is_old(text: str) -> bool:
    return datetime.now(UTC) - datetime.fromisoformat(text) > timedelta(hours=20)


_FRACTION, _OFFSET = r"\.\d+", r"[+-]\d\d:\d\d$"

_ITEM = "cartItems[]"

REFUSALS = (
    Refusal("refuses_a_key_of_1000_characters", ("VIK-X.14",), _length("identityKey", 1000)),
    Refusal("refuses_fractions_of_a_second:scan", ("VIK-X.15",), _time_like(_FRACTION, scan=True)),
    Refusal("refuses_offsets:scan", ("VIK-X.15",), _time_like(_OFFSET, scan=True)),
    Refusal("refuses_upper_case_request_ids:scan", ("VIK-X.16",), _upper("requestId", scan=True)),
    Refusal("refuses_upper_case_events", ("VIK-X.16",), _upper("authEvent.id", scan=True)),
    Refusal("refuses_uuids_of_version_7:scan", ("VIK-X.16",), _uuid_version("7", scan=True)),
    Refusal("refuses_contact", ("VIK-X.17",), _one_of("keyChannel", "CONTACT")),
    Refusal("refuses_radio", ("VIK-X.17",), _one_of("keyChannel", "RADIO")),
    Refusal("refuses_null:scan", ("VIK-X.18",), lambda body: _is_scan(body) and _holds_null(body)),
    Refusal("refuses_255_character_lines", ("CP-X.14",), _length(f"{_ITEM}.lineItemId", 255)),
    Refusal("refuses_255_character_entries", ("CP-X.14",), _length(f"{_EVENT}.id", 255)),
    Refusal("refuses_255_character_devices", ("CP-X.14",), _length("shopperDeviceId", 255)),
    Refusal("refuses_255_character_shoppers", ("CP-X.14",), _length("shopperIdentity.id", 255)),
    Refusal("refuses_ten_digit_quantities", ("CP-X.14",), _length(f"{_ITEM}.quantity.value", 10)),
    Refusal("refuses_long_trip_ids", ("CP-X.15",), _length("idempotentShoppingTripId", 65)),
    Refusal("wants_trips_to_be_uuids", ("CP-X.15",), _any("idempotentShoppingTripId", lambda value: " " in value)),
    Refusal("refuses_fractions_of_a_second:cart", ("CP-X.16",), _time_like(_FRACTION, scan=False)),
    Refusal("refuses_offsets:cart", ("CP-X.16",), _time_like(_OFFSET, scan=False)),
    Refusal("refuses_upper_case_request_ids:cart", ("CP-X.17",), _upper("requestId", scan=False)),
    Refusal("refuses_uuids_of_version_7:cart", ("CP-X.17",), _uuid_version("7", scan=False)),
    Refusal("refuses_units_in_other_scripts", ("CP-X.18",), _any(f"{_ITEM}.quantity.unit", _not_ascii)),
    Refusal("refuses_devices_in_other_scripts", ("CP-X.18",), _any("shopperDeviceId", _not_ascii)),
    Refusal("refuses_1000_lines", ("CP-X.19",), lambda body: len(_lines(body)) > 500),  # noqa: PLR2004 - its limit
    Refusal("refuses_shoppers_in_a_cart", ("CP-X.20",), _one_of(f"{_EVENT}.scanResult.type", "SHOPPER")),
    Refusal("refuses_exit", ("CP-X.21",), _one_of(f"{_EVENT}.location", "EXIT")),
    Refusal("refuses_cash_shopper_in_a_cart", ("CP-X.21",), _one_of(f"{_EVENT}.scanResult.type", "CASH_SHOPPER")),
    Refusal("refuses_price_lookup_codes", ("CP-X.21",), _one_of(f"{_ITEM}.externalIdentifiers[].type", "PLU")),
    Refusal("refuses_null:cart", ("CP-X.22",), lambda body: not _is_scan(body) and _holds_null(body)),
    Refusal("refuses_guests", ("CP-X.23",), _any("shopperIdentity.id", lambda value: value == "")),
    Refusal("refuses_nameless_scan_results", ("CP-X.23",), _any(f"{_EVENT}.scanResult.id", lambda value: value == "")),
    Refusal("refuses_trips_without_entries", ("CP-X.24",), _any("shoppingTrip.authEvents", lambda value: value == [])),
    Refusal("refuses_payment_sources", ("CP-X.25",), lambda body: "paymentSource" in body),
    Refusal("refuses_whole_quantities", ("CP-X.27",), _any(f"{_ITEM}.quantity.value", lambda value: "." not in value)),
    Refusal("refuses_leading_zeros", ("CP-X.27",), _any(f"{_ITEM}.quantity.value", lambda value: value[:2] == "00")),
    Refusal("refuses_uuids_in_mixed_case", ("VIK-X.35",), lambda body: _is_scan(body) and _is_mixed(body["requestId"])),
    Refusal("refuses_apostrophes", ("CP-X.44",), _any("shopperDeviceId", lambda value: not value.isalnum())),
    Refusal("refuses_carts_of_yesterday", ("CP-X.46",), _any("shoppingTrip.endTime", _is_old)),
    Refusal("refuses_second_lines", ("CP-1.2",), lambda body: len(_lines(body)) > 1),
    Refusal("refuses_weights", ("CP-1.3",), _one_of(f"{_ITEM}.quantity.unit", "lb")),
    Refusal("refuses_scanned_codes", ("CP-1.4",), _one_of(f"{_ITEM}.type", "SCANCODE")),
    Refusal("refuses_identifiers", ("CP-1.5",), _any(f"{_ITEM}.externalIdentifiers", lambda _value: True)),
    Refusal("refuses_line_ids", ("CP-1.6",), _any(f"{_ITEM}.lineItemId", lambda _value: True)),
    Refusal("refuses_cards", ("CP-1.8",), _one_of(f"{_EVENT}.payloadType", "FINANCIAL")),
    Refusal("refuses_associates_carts", ("CP-1.10",), _one_of(f"{_EVENT}.scanResult.type", "ASSOCIATE")),
    Refusal("refuses_cash_carts", ("CP-1.11",), _one_of(f"{_EVENT}.scanResult.type", "CASH")),
    Refusal("refuses_loyalty_carts", ("CP-1.12",), _one_of(f"{_EVENT}.scanResult.type", "LOYALTY")),
    Refusal("refuses_groups", ("CP-1.13",), _any("shoppingTrip.authEvents", lambda value: len(value) > 1)),
    Refusal("refuses_staffed_entry", ("CP-1.14",), _one_of(f"{_EVENT}.location", "MANUAL_IN_STORE")),
    Refusal(
        "wants_a_location", ("CP-1.15",), lambda body: "cartItems" in body and at(body, f"{_EVENT}.location") == [None]
    ),
    Refusal("refuses_empty_carts", ("CP-1.7",), lambda body: "cartItems" in body and not _lines(body)),
)


def refused_raw(fault: str, raw: bytes) -> bool:
    """Say whether a fault refuses the bytes themselves."""
    return {
        "wants_compact_json:scan": b'"authEvent"' in raw and b"\n" in raw,
        "wants_compact_json:cart": b"cartItems" in raw and b"\n" in raw,
        "knows_no_escapes:scan": b"authEvent" in raw and b"\\u0045" in raw,
        "knows_no_escapes:cart": b"cartItems" in raw and b"\\u0045" in raw,
    }.get(fault, False)


RAW_REFUSALS = tuple(
    (f"{fault}:{call}", found_by)
    for fault in ("wants_compact_json", "knows_no_escapes")
    for call, found_by in (("scan", "VIK-X.19"), ("cart", "CP-X.26"))
)


def refused(fault: str, body: Body) -> bool:
    """Say whether a fault refuses a body that is right."""
    return any(row.fault == fault and row.sees(body) for row in REFUSALS)


def without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Copy a JSON value without members that are null."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def digest_of(raw: bytes) -> str:
    """Return the body as written, without its requestId."""
    return re.sub(r'"requestId": ?"[^"]*",? ?', "", json.dumps(json.loads(raw), ensure_ascii=False))
