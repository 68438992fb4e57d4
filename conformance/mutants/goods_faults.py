"""Faults of unusual carts: a connector that refuses valid goods, groups, visits and texts, or fails for them."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar

from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.json_values import Body, any_value, at, entries_of, text_at
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import SmallConnector

_fault = CONNECTOR_FAULTS.fault
_EVENTS, _EVENT, _ITEM = "shoppingTrip.authEvents", "shoppingTrip.authEvents[]", "cartItems[]"
_VALUE, _IDENTIFIERS = f"{_ITEM}.quantity.value", f"{_ITEM}.externalIdentifiers"
_ENUMS = (f"{_EVENT}.payloadType", f"{_EVENT}.location", f"{_EVENT}.scanResult.type", f"{_ITEM}.type",
          f"{_IDENTIFIERS}[].type")  # fmt: skip
_TEXTS = (f"{_ITEM}.id", f"{_ITEM}.lineItemId", f"{_EVENT}.scanResult.id", "shopperIdentity.id", "shopperDeviceId",
          f"{_IDENTIFIERS}[].id")  # fmt: skip
_TIMES = ("shoppingTrip.startTime", "shoppingTrip.endTime", f"{_EVENT}.timestamp")
_VALID_UUID = "00000000-0000-4000-8000-000000000000"
_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

_SLOW_S = 2.3

Change = Callable[[Any], Any]

# unusual carts that are refused, or make the connector fail


class _Fails(SmallConnector, ABC):
    """The base of faults that fail for some valid carts."""

    status: ClassVar[int] = 500

    async def answer_valid(self, request: Request) -> Reply:
        if request.call == "cart" and self.breaks(request.body):
            return error(self.status, "broken")
        return await super().answer_valid(request)

    @abstractmethod
    def breaks(self, body: Body) -> bool:
        """Say whether the connector fails for a cart."""


def _breaks(name: str, found_by: str, breaks: Callable[[Body], bool], status: int = 500) -> None:
    """Register a fault that answers some valid carts with a status."""
    methods = {"breaks": lambda _self, body: breaks(body), "status": status}
    CONNECTOR_FAULTS.add(Fault(name, (found_by,)), type(name, (_Fails,), methods))


def _all_texts(test: Callable[[str], object]) -> Callable[[Body], bool]:
    return lambda body: any(any_value(path, test)(body) for path in _TEXTS)


def _day(body: Body, name: str) -> str:
    return text_at(body, f"shoppingTrip.{name}")[:10]


def _lasted_hours(body: Body) -> float:
    start, end = (datetime.fromisoformat(text_at(body, f"shoppingTrip.{name}")) for name in ("startTime", "endTime"))
    return (end - start).total_seconds() / 3600


def _has_fraction(text: str) -> bool:
    return bool(re.search(r"\.[0-9]{9}", text))


_breaks("counts_bytes", "CP-X.70", _all_texts(lambda text: len(text.encode()) > 255), 400)  # noqa: PLR2004 - the limit
_breaks("counts_utf16_units", "CP-X.70", _all_texts(lambda text: len(text.encode("utf-16-le")) > 510), 400)  # noqa: PLR2004 - twice the limit
_breaks("fails_on_quotes", "CP-X.78", any_value(f"{_ITEM}.id", lambda text: "'" in text))
_breaks("fails_on_percent_signs", "CP-X.78", any_value(f"{_ITEM}.id", lambda text: "%" in text))
_breaks("fails_on_emoji", "CP-X.78", any_value(f"{_ITEM}.id", lambda text: max(text) > "\uffff"))
_breaks("fails_on_other_alphabets", "CP-X.78", any_value(f"{_ITEM}.id", lambda text: not text.isascii()))
_breaks("fails_on_long_numbers", "CP-X.78", any_value(f"{_ITEM}.id", lambda text: text.isdigit() and len(text) > 18))  # noqa: PLR2004 - of 64 bits
_breaks("refuses_item_ids_with_zeros", "CP-X.78", any_value(f"{_ITEM}.id", lambda text: text.startswith("00")), 400)
_breaks("refuses_item_ids_with_blanks", "CP-X.78", any_value(f"{_ITEM}.id", lambda text: text != text.strip()), 400)
_breaks("refuses_short_scanned_codes", "CP-X.78", lambda body: any(
    line.get("type") == "SCANCODE" and len(line["id"]) < 4 for line in at(body, _ITEM)  # noqa: PLR2004 - short
), 400)  # fmt: skip
_breaks(
    "fails_on_identifiers_with_letters", "CP-X.78", any_value(f"{_IDENTIFIERS}[].id", lambda text: not text.isdigit())
)
_breaks("fails_on_nul", "CP-X.79", any_value(f"{_ITEM}.id", lambda text: "\0" in text))
_breaks("fails_on_surrogates", "CP-X.79", any_value(f"{_ITEM}.id", lambda text: re.search("[\ud800-\udfff]", text)))
_breaks("fails_on_nul_in_device_ids", "CP-X.79", any_value("shopperDeviceId", lambda text: "\0" in text))
_breaks("refuses_a_quantity_of_zero", "CP-X.80", any_value(_VALUE, lambda text: float(text) == 0), 400)
_breaks("refuses_large_quantities", "CP-X.80", any_value(_VALUE, lambda text: float(text) > 999_999), 400)  # noqa: PLR2004 - the fault's own limit
_breaks("refuses_many_decimals", "CP-X.80", any_value(_VALUE, lambda text: re.search(r"\.[0-9]{5}", text)), 400)
_breaks("refuses_leading_zeros_of_ten", "CP-X.80", any_value(_VALUE, lambda text: text.startswith("000")), 400)
_breaks("fails_on_an_item_twice", "CP-X.81", lambda body: _is_twice(at(body, f"{_ITEM}.id")))
_breaks("refuses_mixed_types", "CP-X.81", lambda body: len(set(at(body, f"{_ITEM}.type"))) > 1, 400)
_breaks("refuses_mixed_units", "CP-X.81", lambda body: len(set(at(body, f"{_ITEM}.quantity.unit"))) > 1, 400)
_breaks("refuses_eleven_people", "CP-X.82", lambda body: len(entries_of(body)) > 10, 400)  # noqa: PLR2004 - the fault's own limit
_breaks("fails_on_an_entry_twice", "CP-X.82", lambda body: _is_twice(at(body, f"{_EVENT}.id")))
_breaks(
    "sorts_entries_by_time",
    "CP-X.83",
    lambda body: len(entries_of(body)) > 1 and None in at(body, f"{_EVENT}.timestamp"),
)
_breaks("refuses_mixed_entries", "CP-X.83", lambda body: len(set(at(body, f"{_EVENT}.payloadType"))) > 1, 400)
_breaks("wants_each_location_of_a_group", "CP-X.83", lambda body: (
    len(entries_of(body)) > 1 and None in at(body, f"{_EVENT}.location")
))  # fmt: skip
_breaks("wants_each_scan_result_of_a_group", "CP-X.83", lambda body: (
    len(entries_of(body)) > 1 and None in (found := at(body, f"{_EVENT}.scanResult")) and any(found)
))  # fmt: skip
_breaks("refuses_visits_of_four_hours", "CP-X.84", lambda body: _lasted_hours(body) > 4, 400)  # noqa: PLR2004 - the fault's own limit
_breaks("refuses_visits_of_twelve_hours", "CP-X.84", lambda body: _lasted_hours(body) > 12, 400)  # noqa: PLR2004 - as above
_breaks("refuses_visits_over_midnight", "CP-X.84", lambda body: (
    _lasted_hours(body) < 1 and _day(body, "startTime") != _day(body, "endTime")
), 400)  # fmt: skip
_breaks(
    "compares_days_of_the_month", "CP-X.84", lambda body: _day(body, "startTime")[8:] > _day(body, "endTime")[8:], 400
)
_breaks(
    "compares_days_of_the_year", "CP-X.84", lambda body: _day(body, "startTime")[5:] > _day(body, "endTime")[5:], 400
)
_breaks("knows_no_leap_days", "CP-X.84", lambda body: _day(body, "startTime").endswith("02-29"), 400)
_breaks("compares_times_as_texts", "CP-X.88", lambda body: (
    text_at(body, "shoppingTrip.startTime") > text_at(body, "shoppingTrip.endTime")
), 400)  # fmt: skip
_breaks(
    "compares_fractions_as_numbers",
    "CP-X.88",
    lambda body: _fraction(body, "startTime") > _fraction(body, "endTime"),
    400,
)
_breaks("fails_on_nanoseconds", "CP-X.88", any_value("shoppingTrip.startTime", _has_fraction))


def _is_twice(values: list[Any]) -> bool:
    return len(values) != len(set(values))


def _fraction(body: Body, name: str) -> int:
    """Return the digits of a fraction as a number; 0 if the times differ in their second."""
    start, end = (text_at(body, f"shoppingTrip.{each}") for each in ("startTime", "endTime"))
    found = re.search(r"\.([0-9]+)", text_at(body, f"shoppingTrip.{name}"))
    return int(found[1]) if found and start[:19] == end[:19] else 0


@_fault("CP-X.85", slow=True)
class reads_lines_slowly(SmallConnector):
    async def cart(self, request: Request) -> Reply:
        await asyncio.sleep(_SLOW_S * (len(request.items) > 150))  # noqa: PLR2004 - the fault's own limit
        return await super().cart(request)


@_fault("CP-X.89")
class accepts_what_is_in_order_as_text(SmallConnector):
    left_out = "accepts_an_end_before_the_start"

    def problem_of(self, request: Request) -> str:
        start, end = (text_at(request.body, f"shoppingTrip.{name}") for name in ("startTime", "endTime"))
        return super().problem_of(request) or ("backwards" if request.call == "cart" and end < start else "")


@_fault("CP-X.89")
class cuts_offsets_off(SmallConnector):
    left_out = "accepts_an_end_before_the_start"

    def problem_of(self, request: Request) -> str:
        start, end = (text_at(request.body, f"shoppingTrip.{name}")[:19] for name in ("startTime", "endTime"))
        return super().problem_of(request) or ("backwards" if request.call == "cart" and end < start else "")
