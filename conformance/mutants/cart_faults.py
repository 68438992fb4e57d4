"""Faults of Create Purchases in nearly valid carts, unusual carts, kinds of carts, keys that look alike and methods.

A tolerant fault reads a cart in a changed form before it validates it; each is a row.
"""

from __future__ import annotations

import asyncio
import copy
import json
import re
import unicodedata
import urllib.parse
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from typing import Any, ClassVar

from conformance.mutants.http_app import CALLS, Receive, Reply, Request, Scope, Send, error
from conformance.mutants.json_values import Body, at, text_at
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import NO_JSON, NO_OBJECT, Purchase, SmallConnector, new_id, trip_of

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


# tolerant readers: each reads a value in another form than the one that was sent


def _reads(name: str, found_by: str, change: Callable[[Body], None]) -> None:
    """Register a fault that changes the body of a cart before it validates it."""

    def problem_of(self: SmallConnector, request: Request) -> str:
        if request.call == "cart" and isinstance(request.document, dict):
            body = copy.deepcopy(request.body)
            change(body)
            request.body = body
        return SmallConnector.problem_of(self, request)

    CONNECTOR_FAULTS.add(Fault(name, (found_by,)), type(name, (SmallConnector,), {"problem_of": problem_of}))


def _each(change: Change, *paths: str) -> Callable[[Body], None]:
    """Return a function that changes every text at some paths."""

    def apply(body: Body) -> None:
        for path in paths:
            parent, _, name = path.rpartition(".")
            for holder in at(body, parent) if parent else [body]:
                if isinstance(holder, dict) and isinstance(holder.get(name), str):
                    holder[name] = change(holder[name])

    return apply


def _lists(change: Change, *paths: str) -> Callable[[Body], None]:
    """Return a function that changes every list at some paths."""

    def apply(body: Body) -> None:
        for path in paths:
            parent, _, name = path.rpartition(".")
            for holder in at(body, parent) if parent else [body]:
                if isinstance(holder, dict) and isinstance(holder.get(name), list):
                    holder[name] = change(holder[name])

    return apply


def _uuid_where(pattern: str) -> Change:
    """Return a function that takes each text of a pattern for a UUID."""
    return lambda text: _VALID_UUID if re.fullmatch(pattern, text, re.DOTALL) else text


def _cut(pattern: str) -> Change:
    return lambda text: re.sub(pattern, "", text)


def _one_where(pattern: str) -> Change:
    """Return a function that takes each text of a pattern for the quantity 1."""
    return lambda text: "1" if re.fullmatch(pattern, text) else text


def _rolled(text: str) -> str:
    """Return 1 March for 30 February, as a program does that rolls days over."""
    return re.sub(r"-02-30T", "-03-01T", text)


def _guessed(text: str) -> str:
    """Return a time with the zone that a tolerant reader adds."""
    return f"{text}Z" if re.fullmatch(r"[0-9-]{10}T[0-9:]{8}", text) else text


def _date_at_midnight(text: str) -> str:
    return f"{text}T00:00:00Z" if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else text


def _from_epoch(text: str) -> str:
    return (
        datetime.fromtimestamp(int(text), tz=datetime.now().astimezone().tzinfo).isoformat() if text.isdigit() else text
    )


_reads(
    "reads_uuids_of_any_letters",
    "CP-X.60",
    _each(_uuid_where(r"[0-9a-z]{8}(-[0-9a-z]{4}){3}-[0-9a-z]{12}"), "requestId"),
)
_reads(
    "reads_uuids_of_any_length", "CP-X.60", _each(_uuid_where(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]+"), "requestId")
)
_reads("finds_uuids_in_texts", "CP-X.60", _each(_uuid_where(f".*{_UUID}.*"), "requestId"))
_reads("reads_uuids_without_dashes", "CP-X.61", _each(_uuid_where(r"[0-9a-fA-F]{32}"), "requestId"))
_reads("reads_uuids_in_braces", "CP-X.61", _each(_uuid_where(rf"\{{{_UUID}\}}"), "requestId"))
_reads("reads_uuids_as_urns", "CP-X.61", _each(_uuid_where(f"urn:uuid:{_UUID}"), "requestId"))
_reads("reads_uuids_with_a_line_end", "CP-X.61", _each(_uuid_where(rf"{_UUID}\n"), "requestId"))
_reads("trims_request_ids", "CP-X.61", _each(str.strip, "requestId"))
_reads("reads_uuids_in_any_groups", "CP-X.61", _each(_uuid_where(r"[0-9a-f]+(-[0-9a-f]+){4}"), "requestId"))
_reads(
    "reads_uuids_of_any_digits", "CP-X.61", _each(_uuid_where(r"[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}"), "requestId")
)
_reads("guesses_the_zone", "CP-X.64", _each(_guessed, *_TIMES))
_reads("reads_a_blank_for_t", "CP-X.64", _each(lambda text: text.replace(" ", "T"), *_TIMES))
_reads("reads_dates_as_times", "CP-X.64", _each(_date_at_midnight, *_TIMES))
_reads("reads_seconds_since_1970", "CP-X.64", _each(_from_epoch, *_TIMES))
_reads("rolls_days_over", "CP-X.64", _each(_rolled, *_TIMES))
_reads("trims_times", "CP-X.64", _each(str.strip, *_TIMES))
_reads(
    "compares_values_by_prefix", "CP-X.65", _each(_cut(r"(?<=SKU).*|(?<=ENTRY).*|(?<=SHOPPER).*|(?<=UPC).*"), *_ENUMS)
)
_reads(
    "finds_values_in_the_list",
    "CP-X.65",
    _each(lambda text: "SKU" if text in "SKU SCANCODE" else text, f"{_ITEM}.type"),
)
_reads("reads_values_in_any_case", "CP-X.66", _each(str.upper, *_ENUMS))
_reads("trims_values", "CP-X.66", _each(str.strip, *_ENUMS))
_reads("reads_dashes_in_values", "CP-X.66", _each(lambda text: text.replace("-", "_"), *_ENUMS))
_reads("reads_values_in_wide_letters", "CP-X.66", _each(lambda text: unicodedata.normalize("NFKC", text), *_ENUMS))
_reads("trims_quantities", "CP-X.67", _each(str.strip, _VALUE))
_reads("reads_quantities_with_a_line_end", "CP-X.67", _each(_cut(r"\n$"), _VALUE))
_reads("reads_quantities_with_a_last_point", "CP-X.67", _each(_cut(r"\.$"), _VALUE))
_reads("reads_signs", "CP-X.67", _each(_one_where(r"\+[0-9]+"), _VALUE))
_reads("reads_minus_zero", "CP-X.67", _each(_one_where(r"-0"), _VALUE))
_reads("reads_hexadecimal_quantities", "CP-X.67", _each(_one_where(r"0x[0-9a-f]+"), _VALUE))
_reads("reads_underscores_in_quantities", "CP-X.67", _each(_cut("_"), _VALUE))
_reads("reads_digits_of_any_alphabet", "CP-X.67", _each(_one_where(r"\d+"), _VALUE))
_reads("reads_exponents", "CP-X.67", _each(_one_where(r"[0-9]+e[0-9]+"), _VALUE))
_reads("reads_fractions", "CP-X.67", _each(_one_where(r"[0-9]+/[0-9]+"), _VALUE))
_reads("reads_units_in_quantities", "CP-X.67", _each(_cut(r" ?[a-z]+$"), _VALUE))
_reads("reads_infinite_quantities", "CP-X.67", _each(_one_where("Infinity"), _VALUE))
_reads("counts_no_leading_zeros", "CP-X.68", _each(_cut(r"^0+(?=[0-9])"), _VALUE))
_reads("counts_the_digits_before_the_point", "CP-X.68", _each(_cut(r"\..*"), _VALUE))
_reads("trims_before_it_measures", "CP-X.69", _each(str.strip, *_TEXTS))
_reads("counts_ascii_only", "CP-X.69", _each(lambda text: text.encode("ascii", "ignore").decode() or "x", *_TEXTS))


# readers of almost-JSON, and of other shapes


class _ReadsMore(SmallConnector, ABC):
    """The base of faults that read a body that is not JSON."""

    def problem_of(self, request: Request) -> str:
        problem = super().problem_of(request)
        if request.call == "cart" and problem in {NO_JSON, NO_OBJECT}:
            read = replace(request, raw=self.repaired(request.raw.decode("utf-8", "replace")).encode())
            problem = super().problem_of(read)
            if not problem:
                request.body = read.body
        return problem

    @abstractmethod
    def repaired(self, text: str) -> str:
        """Return the text as JSON."""


@_fault("CP-X.71")
class reads_a_last_comma(_ReadsMore):
    def repaired(self, text: str) -> str:
        return re.sub(r",(?=[}\]])", "", text)


@_fault("CP-X.71")
class reads_comments(_ReadsMore):
    def repaired(self, text: str) -> str:
        return re.sub(r"/\*.*?\*/", "", text)


@_fault("CP-X.71")
class reads_single_quotes(_ReadsMore):
    def repaired(self, text: str) -> str:
        return text.replace("'", '"')


@_fault("CP-X.71")
class reads_the_first_value_only(_ReadsMore):
    def repaired(self, text: str) -> str:
        try:
            return json.dumps(json.JSONDecoder().raw_decode(text)[0])
        except ValueError:
            return text


@_fault("CP-X.71")
class reads_raw_line_ends(_ReadsMore):
    def repaired(self, text: str) -> str:
        return text.replace("\n", "")


@_fault("CP-X.71")
class unwraps_a_list_of_one(_ReadsMore):
    def repaired(self, text: str) -> str:
        return text[1:-1] if text.startswith("[") else text


@_fault("CP-X.71")
class reads_json_in_a_text(_ReadsMore):
    def repaired(self, text: str) -> str:
        return str(json.loads(text)) if text.startswith('"') else text


def _change_members(change: Callable[[Any], Any], *names: str) -> Callable[[Body], None]:
    def apply(body: Body) -> None:
        visit = body.get("shoppingTrip")
        for holder in (body, visit, *at(body, _ITEM), *at(body, _EVENT)):
            for name in set(names) & set(holder if isinstance(holder, dict) else ()):
                holder[name] = change(holder[name])

    return apply


def _with_default(name: str, path: str) -> Callable[[Body], None]:
    def apply(body: Body) -> None:
        for holder in at(body, path):
            if isinstance(holder, dict):
                holder.setdefault(name, "unit")

    return apply


_reads("takes_an_object_for_a_list", "CP-X.72", _change_members(
    lambda value: [value] if isinstance(value, dict) else value, "cartItems", "authEvents", "externalIdentifiers"
))  # fmt: skip
_reads("takes_a_list_for_an_object", "CP-X.72", _change_members(
    lambda value: value[0] if isinstance(value, list) else value, "shoppingTrip", "quantity", "scanResult"
))  # fmt: skip
_reads("takes_null_for_a_unit", "CP-X.72", _with_default("unit", f"{_ITEM}.quantity"))
_reads("skips_null_in_lists", "CP-X.72", _change_members(
    lambda value: [each for each in value if each is not None] if isinstance(value, list) else value,
    "cartItems", "authEvents",
))  # fmt: skip


# only some elements are checked


def _own_line_ids(lines: list[Any]) -> list[Any]:
    return [
        {**line, "lineItemId": str(number)} if isinstance(line, dict) else line for number, line in enumerate(lines)
    ]


def _one_of_each_id(lines: list[Any]) -> list[Any]:
    return list({str(line.get("id")): line for line in reversed(lines)}.values())


def _but(member: str, value: str) -> Change:
    return lambda entries: [each for each in entries if each.get(member) != value]


_reads("checks_the_first_entry_only", "CP-X.73", _lists(lambda events: events[:1], _EVENTS))
_reads("checks_the_last_entry_only", "CP-X.73", _lists(lambda events: events[-1:], _EVENTS))
_reads("checks_three_entries", "CP-X.73", _lists(lambda events: events[:3], _EVENTS))
_reads("checks_ten_entries", "CP-X.73", _lists(lambda events: events[:10], _EVENTS))
_reads("checks_no_staffed_entries", "CP-X.73", _lists(_but("location", "MANUAL_IN_STORE"), _EVENTS))
_reads("checks_no_entries_by_card", "CP-X.73", _lists(_but("payloadType", "FINANCIAL"), _EVENTS))
_reads("checks_the_first_line_only", "CP-X.74", _lists(lambda lines: lines[:1], "cartItems"))
_reads("checks_the_last_line_only", "CP-X.74", _lists(lambda lines: lines[-1:], "cartItems"))
_reads("checks_fifty_lines", "CP-X.74", _lists(lambda lines: lines[:50], "cartItems"))
_reads("checks_a_hundred_lines", "CP-X.74", _lists(lambda lines: lines[:100], "cartItems"))
_reads("checks_one_line_of_each_item", "CP-X.74", _lists(_one_of_each_id, "cartItems"))
_reads("checks_no_scanned_lines", "CP-X.74", _lists(_but("type", "SCANCODE"), "cartItems"))
_reads("checks_the_first_identifier_only", "CP-X.75", _lists(lambda entries: entries[:1], _IDENTIFIERS))
_reads("checks_the_last_identifier_only", "CP-X.75", _lists(lambda entries: entries[-1:], _IDENTIFIERS))
_reads("checks_two_identifiers", "CP-X.75", _lists(lambda entries: entries[:2], _IDENTIFIERS))
_reads("checks_no_identifiers_without_an_id", "CP-X.75", _lists(
    lambda entries: [each for each in entries if each.get("id")], _IDENTIFIERS
))  # fmt: skip


def _identifiers_of_the_first_line(lines: list[Any]) -> list[Any]:
    rest = [{name: value for name, value in line.items() if name != "externalIdentifiers"} for line in lines[1:]]
    return [*lines[:1], *rest]


_reads("checks_the_identifiers_of_the_first_line", "CP-X.75", _lists(_identifiers_of_the_first_line, "cartItems"))


class _ComparesFewLineIds(SmallConnector, ABC):
    """The base of faults that find only some repeated line ids."""

    left_out = "accepts_a_repeated_line_id"

    def problem_of(self, request: Request) -> str:
        problem = super().problem_of(request)
        return problem or ("repeated" if request.call == "cart" and self.finds_repeated(request.items) else "")

    @abstractmethod
    def finds_repeated(self, lines: list[Any]) -> bool:
        """Say whether a line repeats the id of another one."""


@_fault("CP-X.76")
class compares_neighbouring_line_ids(_ComparesFewLineIds):
    def finds_repeated(self, lines: list[Any]) -> bool:
        ids = [line.get("lineItemId") for line in lines]
        return any(first == second for first, second in pairwise(ids) if first)


@_fault("CP-X.76")
class compares_with_the_first_line_id(_ComparesFewLineIds):
    def finds_repeated(self, lines: list[Any]) -> bool:
        ids = [line.get("lineItemId") for line in lines]
        return bool(ids and ids[0]) and ids[0] in ids[1:]


@_fault("CP-X.76")
class compares_with_the_last_line_id(_ComparesFewLineIds):
    def finds_repeated(self, lines: list[Any]) -> bool:
        ids = [line.get("lineItemId") for line in lines]
        return bool(ids and ids[-1]) and ids[-1] in ids[:-1]


@_fault("CP-X.76")
class compares_line_ids_of_one_item(_ComparesFewLineIds):
    def finds_repeated(self, lines: list[Any]) -> bool:
        keys = [(line.get("id"), line.get("lineItemId")) for line in lines if line.get("lineItemId")]
        return len(keys) != len(set(keys))


@_fault("CP-X.87")
class compares_line_ids_without_case(_ComparesFewLineIds):
    def finds_repeated(self, lines: list[Any]) -> bool:
        ids = [str(line["lineItemId"]).lower() for line in lines if line.get("lineItemId")]
        return len(ids) != len(set(ids))


@_fault("CP-X.77")
class checks_no_empty_carts(SmallConnector):
    def problem_of(self, request: Request) -> str:
        is_empty = request.call == "cart" and request.body.get("cartItems") == []
        return "" if is_empty and trip_of(request.body) else super().problem_of(request)


@_fault("CP-X.77")
class checks_no_times_of_empty_carts(SmallConnector):
    def problem_of(self, request: Request) -> str:
        problem = super().problem_of(request)
        is_empty = request.call == "cart" and request.body.get("cartItems") == []
        return (
            ""
            if is_empty and problem in {"accepts_an_end_before_the_start", "accepts_a_visit_without_end"}
            else problem
        )


@_fault("CP-X.62")
class checks_the_form_of_times(SmallConnector):
    def problem_of(self, request: Request) -> str:
        start = text_at(request.body, "shoppingTrip.startTime")
        if request.call == "cart" and re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", start):
            request.body["shoppingTrip"]["startTime"] = "2020-01-01T00:00:00Z"
        return super().problem_of(request)


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


def _any(path: str, test: Callable[[str], object]) -> Callable[[Body], bool]:
    return lambda body: any(isinstance(value, str) and bool(test(value)) for value in at(body, path))


def _all_texts(test: Callable[[str], object]) -> Callable[[Body], bool]:
    return lambda body: any(_any(path, test)(body) for path in _TEXTS)


def _entries(body: Body) -> list[Any]:
    return at(body, _EVENT)


def _day(body: Body, name: str) -> str:
    return text_at(body, f"shoppingTrip.{name}")[:10]


def _lasted_hours(body: Body) -> float:
    start, end = (datetime.fromisoformat(text_at(body, f"shoppingTrip.{name}")) for name in ("startTime", "endTime"))
    return (end - start).total_seconds() / 3600


def _has_fraction(text: str) -> bool:
    return bool(re.search(r"\.[0-9]{9}", text))


_breaks("counts_bytes", "CP-X.70", _all_texts(lambda text: len(text.encode()) > 255), 400)  # noqa: PLR2004 - the limit
_breaks("counts_utf16_units", "CP-X.70", _all_texts(lambda text: len(text.encode("utf-16-le")) > 510), 400)  # noqa: PLR2004 - twice the limit
_breaks("fails_on_quotes", "CP-X.78", _any(f"{_ITEM}.id", lambda text: "'" in text))
_breaks("fails_on_percent_signs", "CP-X.78", _any(f"{_ITEM}.id", lambda text: "%" in text))
_breaks("fails_on_emoji", "CP-X.78", _any(f"{_ITEM}.id", lambda text: max(text) > "\uffff"))
_breaks("fails_on_other_alphabets", "CP-X.78", _any(f"{_ITEM}.id", lambda text: not text.isascii()))
_breaks("fails_on_long_numbers", "CP-X.78", _any(f"{_ITEM}.id", lambda text: text.isdigit() and len(text) > 18))  # noqa: PLR2004 - of 64 bits
_breaks("refuses_item_ids_with_zeros", "CP-X.78", _any(f"{_ITEM}.id", lambda text: text.startswith("00")), 400)
_breaks("refuses_item_ids_with_blanks", "CP-X.78", _any(f"{_ITEM}.id", lambda text: text != text.strip()), 400)
_breaks("refuses_short_scanned_codes", "CP-X.78", lambda body: any(
    line.get("type") == "SCANCODE" and len(line["id"]) < 4 for line in at(body, _ITEM)  # noqa: PLR2004 - short
), 400)  # fmt: skip
_breaks("fails_on_identifiers_with_letters", "CP-X.78", _any(f"{_IDENTIFIERS}[].id", lambda text: not text.isdigit()))
_breaks("fails_on_nul", "CP-X.79", _any(f"{_ITEM}.id", lambda text: "\0" in text))
_breaks("fails_on_surrogates", "CP-X.79", _any(f"{_ITEM}.id", lambda text: re.search("[\ud800-\udfff]", text)))
_breaks("fails_on_nul_in_device_ids", "CP-X.79", _any("shopperDeviceId", lambda text: "\0" in text))
_breaks("refuses_a_quantity_of_zero", "CP-X.80", _any(_VALUE, lambda text: float(text) == 0), 400)
_breaks("refuses_large_quantities", "CP-X.80", _any(_VALUE, lambda text: float(text) > 999_999), 400)  # noqa: PLR2004 - the fault's own limit
_breaks("refuses_many_decimals", "CP-X.80", _any(_VALUE, lambda text: re.search(r"\.[0-9]{5}", text)), 400)
_breaks("refuses_leading_zeros_of_ten", "CP-X.80", _any(_VALUE, lambda text: text.startswith("000")), 400)
_breaks("fails_on_an_item_twice", "CP-X.81", lambda body: _is_twice(at(body, f"{_ITEM}.id")))
_breaks("refuses_mixed_types", "CP-X.81", lambda body: len(set(at(body, f"{_ITEM}.type"))) > 1, 400)
_breaks("refuses_mixed_units", "CP-X.81", lambda body: len(set(at(body, f"{_ITEM}.quantity.unit"))) > 1, 400)
_breaks("refuses_eleven_people", "CP-X.82", lambda body: len(_entries(body)) > 10, 400)  # noqa: PLR2004 - the fault's own limit
_breaks("fails_on_an_entry_twice", "CP-X.82", lambda body: _is_twice(at(body, f"{_EVENT}.id")))
_breaks(
    "sorts_entries_by_time", "CP-X.83", lambda body: len(_entries(body)) > 1 and None in at(body, f"{_EVENT}.timestamp")
)
_breaks("refuses_mixed_entries", "CP-X.83", lambda body: len(set(at(body, f"{_EVENT}.payloadType"))) > 1, 400)
_breaks("wants_each_location_of_a_group", "CP-X.83", lambda body: (
    len(_entries(body)) > 1 and None in at(body, f"{_EVENT}.location")
))  # fmt: skip
_breaks("wants_each_scan_result_of_a_group", "CP-X.83", lambda body: (
    len(_entries(body)) > 1 and None in (found := at(body, f"{_EVENT}.scanResult")) and any(found)
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
_breaks("fails_on_nanoseconds", "CP-X.88", _any("shoppingTrip.startTime", _has_fraction))


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


_reads("trims_store_ids", "CP-X.86", _each(str.strip, "storeId"))
_reads("reads_store_ids_in_any_case", "CP-X.86", _each(str.upper, "storeId"))
_reads("reads_store_ids_by_prefix", "CP-X.86", _each(_cut(r"-X$"), "storeId"))
_reads("reads_store_ids_up_to_nul", "CP-X.86", _each(_cut(r"\0.*"), "storeId"))
_reads("reads_store_ids_as_patterns", "CP-X.86", _each(lambda text: "STORE-001" if text == "%" else text, "storeId"))
_reads("reads_underscores_in_store_ids", "CP-X.86", _each(lambda text: text.replace("_", "-"), "storeId"))
_reads("reads_store_ids_in_wide_letters", "CP-X.86", _each(lambda text: unicodedata.normalize("NFKC", text), "storeId"))


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


_reads("cuts_fractions_off", "CP-X.90", _each(_cut(r"\.[0-9]+"), *_TIMES))


# keys of trips that are too short, or too long


def _key(name: str, found_by: str, key: Callable[[Request], str]) -> None:
    """Register a fault that remembers trips by another key."""
    trip_key = {"trip_key": lambda _self, request: key(request)}
    CONNECTOR_FAULTS.add(Fault(name, (found_by,)), type(name, (SmallConnector,), trip_key))


def _text_key(name: str, found_by: str, change: Callable[[str], str]) -> None:
    _key(name, found_by, lambda request: change(trip_of(request.body)))


def _hash_of_32_bits(text: str) -> str:
    value = 0
    for unit in text:
        value = (31 * value + ord(unit)) % 2**32
    return str(value)


def _is_loosely_a_number(text: str) -> str:
    return str(float(text)) if re.fullmatch(r"[0-9]+(e[0-9]+)?", text) else text


def _without_marks(text: str) -> str:
    return "".join(each for each in unicodedata.normalize("NFD", text) if not unicodedata.combining(each))


_text_key("keys_by_16_characters", "CP-X.91", lambda text: text[:16])
_text_key("keys_by_35_characters", "CP-X.91", lambda text: text[:35])
_text_key("keys_by_the_last_12_characters", "CP-X.91", lambda text: text[-12:])
_text_key("keys_by_sorted_characters", "CP-X.91", lambda text: "".join(sorted(text)))
_text_key("keys_by_sorted_groups", "CP-X.91", lambda text: "-".join(sorted(text.split("-"))))
_text_key("keys_without_case", "CP-X.92", str.lower)
_text_key("keys_with_folded_case", "CP-X.92", str.casefold)
_text_key("keys_without_blanks_around", "CP-X.92", str.strip)
_text_key("keys_without_blanks_at_the_end", "CP-X.92", str.rstrip)
_text_key("keys_in_latin_1", "CP-X.92", lambda text: text.encode("latin-1", "replace").decode("latin-1"))
_text_key("keys_of_three_bytes", "CP-X.92", lambda text: re.sub("[\U00010000-\U0010ffff]", "?", text))
_text_key("keys_of_letters_and_digits", "CP-X.92", _cut(r"[^0-9A-Za-z]"))
_text_key("keys_in_nfc", "CP-X.92", lambda text: unicodedata.normalize("NFC", text))
_text_key("keys_in_nfkc", "CP-X.92", lambda text: unicodedata.normalize("NFKC", text))
_text_key("keys_without_accents", "CP-X.92", _without_marks)
_text_key("keys_decoded_from_percent", "CP-X.92", urllib.parse.unquote)
_text_key("keys_with_plus_as_blank", "CP-X.92", lambda text: text.replace("+", " "))
_text_key("keys_without_zero_width", "CP-X.92", _cut("\u200b"))
_text_key("keys_after_a_slash", "CP-X.92", lambda text: text.rpartition("/")[2])
_text_key("keys_up_to_a_dot", "CP-X.92", lambda text: text.partition(".")[0])
_text_key("keys_up_to_a_hash_sign", "CP-X.92", lambda text: text.partition("#")[0])
_text_key("keys_of_32_bits", "CP-X.92", _hash_of_32_bits)
_text_key("keys_compared_as_numbers", "CP-X.92", _is_loosely_a_number)
_key("keys_with_the_entry", "CP-X.93", lambda request: trip_of(request.body) + str(at(request.body, f"{_EVENT}.id")))
_key("keys_with_the_end", "CP-X.93", lambda request: trip_of(request.body) + text_at(request.body, _TIMES[1]))
_key("keys_with_the_start", "CP-X.93", lambda request: trip_of(request.body) + text_at(request.body, _TIMES[0]))
_key("keys_with_the_lines", "CP-X.93", lambda request: trip_of(request.body) + str(at(request.body, f"{_ITEM}.id")))
_key("keys_with_the_number_of_lines", "CP-X.93", lambda request: trip_of(request.body) + str(len(request.items)))
_key("keys_with_the_shopper", "CP-X.93", lambda request: (
    trip_of(request.body) + str(at(request.body, f"{_EVENT}.scanResult.id"))
))  # fmt: skip
_key(
    "keys_with_the_device", "CP-X.93", lambda request: trip_of(request.body) + text_at(request.body, "shopperDeviceId")
)
_key("keys_with_the_store", "CP-X.93", lambda request: trip_of(request.body) + text_at(request.body, "storeId"))
_key("keys_with_all_names", "CP-X.93", lambda request: trip_of(request.body) + str(sorted(request.body)))


@_fault("CP-X.91")
class remembers_request_ids_too(SmallConnector):
    async def sale(self, trip: str, request: Request) -> Reply:
        known: Purchase | None = self.purchases.get(text_at(request.body, "requestId"))
        if known is not None and known.id:
            return self.sold(known.id)
        reply = await super().sale(trip, request)
        self.purchases.keep(text_at(request.body, "requestId"), self.purchases.get(trip), request)
        return reply


@_fault("CP-X.91")
class keeps_scans_and_trips_together(SmallConnector):
    def trip_key(self, request: Request) -> str:
        trip = super().trip_key(request)
        if isinstance(self.decisions.get(trip), Reply):
            self.purchases.keep(trip, Purchase("", []), request)
        return trip


@_fault("CP-X.93")
class keeps_the_last_cart(SmallConnector):
    def sold_before(self, purchase: Purchase, request: Request) -> Reply:
        if purchase.lines == request.items:
            return super().sold_before(purchase, request)
        return self.sold(self.buy(trip_of(request.body), request).id)


# kinds of carts that are forgotten


def _forgets(name: str, found_by: str, forgets: Callable[[Body], bool]) -> None:
    """Register a fault that makes a new purchase each time for some carts."""

    def trip_key(self: SmallConnector, request: Request) -> str:
        return new_id() if forgets(request.body) else SmallConnector.trip_key(self, request)

    CONNECTOR_FAULTS.add(Fault(name, (found_by,)), type(name, (SmallConnector,), {"trip_key": trip_key}))


_forgets("forgets_groups", "CP-X.94", lambda body: len(_entries(body)) > 1)
_forgets("forgets_entries_by_card", "CP-X.94", _any(f"{_EVENT}.payloadType", lambda text: text == "FINANCIAL"))
_forgets("forgets_staffed_entries", "CP-X.94", _any(f"{_EVENT}.location", lambda text: text == "MANUAL_IN_STORE"))
_forgets("forgets_associates", "CP-X.94", _any(f"{_EVENT}.scanResult.type", lambda text: text == "ASSOCIATE"))
_forgets("forgets_the_loyal", "CP-X.94", _any(f"{_EVENT}.scanResult.type", lambda text: text == "LOYALTY"))
_forgets("forgets_the_anonymous", "CP-X.94", lambda body: not any(at(body, f"{_EVENT}.scanResult")))
_forgets("forgets_devices", "CP-X.94", lambda body: "shopperDeviceId" in body)
_forgets("forgets_weights", "CP-X.94", _any(_VALUE, lambda text: float(text) % 1))
_forgets("forgets_scanned_codes", "CP-X.94", _any(f"{_ITEM}.type", lambda text: text == "SCANCODE"))
_forgets("forgets_many_lines", "CP-X.94", lambda body: len(at(body, _ITEM)) > 30)  # noqa: PLR2004 - the fault's own limit
_forgets("forgets_other_stores", "CP-X.94", lambda body: text_at(body, "storeId").endswith("2"))
_forgets("forgets_unknown_items", "CP-X.94", _any(f"{_ITEM}.id", lambda text: text.startswith("NO-SUCH")))
_forgets("forgets_long_trip_ids", "CP-X.94", _any("idempotentShoppingTripId", lambda text: len(text) > 200))  # noqa: PLR2004 - the fault's own limit
_forgets("forgets_other_alphabets", "CP-X.94", _any("idempotentShoppingTripId", lambda text: not text.isascii()))


class _Counts(SmallConnector):
    """The base of faults that answer a repetition by its number."""

    def __init__(self, stores: tuple[str, ...], rate_limit_per_second: int = 0) -> None:
        super().__init__(stores, rate_limit_per_second)
        self.sent: dict[str, int] = {}

    async def sale(self, trip: str, request: Request) -> Reply:
        self.sent[trip] = self.sent.get(trip, 0) + 1
        return await super().sale(trip, request)


@_fault("CP-X.95")
class forgets_after_one_repetition(_Counts):
    def sold_before(self, purchase: Purchase, request: Request) -> Reply:
        return self.sold(new_id() if self.sent[trip_of(request.body)] > 2 else purchase.id)  # noqa: PLR2004 - the second call


@_fault("CP-X.95")
class forgets_after_four_calls(_Counts):
    def sold_before(self, purchase: Purchase, request: Request) -> Reply:
        return self.sold(new_id() if self.sent[trip_of(request.body)] > 4 else purchase.id)  # noqa: PLR2004 - the fault's own limit


class _ForgetsAtRefusal(SmallConnector):
    """The base of faults that forget something when they refuse a cart."""

    def refuse(self, request: Request, problem: str) -> Reply:
        if request.call == "cart" and self.forgets_at(problem):
            self.forget(request)
        return super().refuse(request, problem)

    def forgets_at(self, problem: str) -> bool:
        """Say whether the problem of a refused cart makes the connector forget."""
        return bool(problem)

    def forget(self, request: Request) -> None:
        """Forget some purchases; the default is the last one."""
        del request
        if self.purchases.kept:
            self.purchases.kept.popitem()


@_fault("CP-X.95")
class rolls_the_last_purchase_back(_ForgetsAtRefusal):
    pass


@_fault("CP-X.95")
class forgets_a_trip_at_its_refusal(_ForgetsAtRefusal):
    def forget(self, request: Request) -> None:
        self.purchases.kept.pop(trip_of(request.body), None)


@_fault("CP-X.95")
class forgets_at_an_unknown_store(_ForgetsAtRefusal):
    def forgets_at(self, problem: str) -> bool:
        return problem == "accepts_a_cart_of_an_unknown_store"


@_fault("CP-X.96")
class keeps_no_empty_trips(SmallConnector):
    async def sale(self, trip: str, request: Request) -> Reply:
        return await super().sale(trip, request) if request.items else self.sold("")


# answers to kinds of carts


class _AnswersKinds(SmallConnector, ABC):
    """The base of faults that answer some carts, or repetitions, in another way."""

    async def cart(self, request: Request) -> Reply:
        is_repeated = self.purchases.get(self.trip_key(request)) is not None
        reply = await super().cart(request)
        return self.changed(reply) if self.is_odd(request.body, is_repeated=is_repeated) else reply

    @abstractmethod
    def is_odd(self, body: Body, *, is_repeated: bool) -> bool:
        """Say whether the cart gets another answer."""

    @abstractmethod
    def changed(self, reply: Reply) -> Reply:
        """Return the other answer."""


def _answers(name: str, found_by: str, is_odd: Callable[[Body, bool], bool], changed: Callable[[Reply], Reply]) -> None:
    """Register a fault that changes the answer to some carts."""
    methods = {
        "is_odd": lambda _self, body, is_repeated: is_odd(body, is_repeated),
        "changed": lambda _self, reply: changed(reply),
    }
    CONNECTOR_FAULTS.add(Fault(name, (found_by,)), type(name, (_AnswersKinds,), methods))


def _as_html(reply: Reply) -> Reply:
    return replace(reply, headers=((b"content-type", b"text/html; charset=utf-8"),))


def _without_type(reply: Reply) -> Reply:
    return replace(reply, headers=())


def _with_status(status: int) -> Callable[[Reply], Reply]:
    return lambda reply: replace(reply, status=status)


def _named(name: str, change: Callable[[str], object] = str) -> Callable[[Reply], Reply]:
    return lambda reply: replace(reply, body={name: change(reply.body["purchaseId"])})


def _is_group(body: Body) -> bool:
    return len(_entries(body)) > 1


def _is_weighed(body: Body) -> bool:
    return "lb" in at(body, f"{_ITEM}.quantity.unit")


def _is_scanned(body: Body) -> bool:
    return "SCANCODE" in at(body, f"{_ITEM}.type")


def _is_by(kind: str) -> Callable[[Body, bool], bool]:
    return lambda body, _again: kind in at(body, f"{_EVENT}.scanResult.type")


_answers("answers_groups_with_200", "CP-X.97", lambda body, _again: _is_group(body), _with_status(200))
_answers("answers_large_carts_with_202", "CP-X.97", lambda body, _again: len(at(body, _ITEM)) > 20, _with_status(202))  # noqa: PLR2004 - the fault's own limit
_answers("counts_scanned_purchases", "CP-X.97", lambda body, _again: _is_scanned(body), _named("purchaseId", len))
_answers("names_loyal_purchases_otherwise", "CP-X.97", _is_by("LOYALTY"), _named("purchase_id"))
_answers("leaves_associates_ids_empty", "CP-X.97", _is_by("ASSOCIATE"), _named("purchaseId", lambda _id: ""))
_answers(
    "answers_weights_with_null",
    "CP-X.97",
    lambda body, _again: _is_weighed(body),
    _named("purchaseId", lambda _id: None),
)
_answers("names_repeated_purchases_otherwise", "CP-X.97", lambda _body, again: again, _named("id"))
_answers(
    "answers_repeated_groups_with_409", "CP-X.97", lambda body, again: again and _is_group(body), _with_status(409)
)
_answers("wraps_empty_answers_in_a_text", "CP-X.97", lambda body, _again: not at(body, _ITEM), lambda reply: replace(
    reply, body=json.dumps(reply.body)
))  # fmt: skip
_answers("says_html_for_empty_carts", "CP-X.98", lambda body, _again: not at(body, _ITEM), _as_html)
_answers("says_html_for_repetitions", "CP-X.98", lambda _body, again: again, _as_html)
_answers("says_html_for_weights", "CP-X.98", lambda body, _again: _is_weighed(body), _as_html)
_answers("says_nothing_for_groups", "CP-X.98", lambda body, _again: _is_group(body), _without_type)
_answers("says_html_for_associates", "CP-X.98", _is_by("ASSOCIATE"), _as_html)
_answers("says_html_for_large_carts", "CP-X.98", lambda body, _again: len(at(body, _ITEM)) > 20, _as_html)  # noqa: PLR2004 - the fault's own limit


# other methods


class _TakesMethods(SmallConnector):
    """The base of faults that treat a cart of another method as a call."""

    methods: ClassVar[tuple[str, ...]] = ()
    answers: ClassVar[bool] = True

    async def answer(self, request: Request) -> Reply:
        if request.method not in self.methods or CALLS.get(request.path) != "cart" or not request.raw:
            return await super().answer(request)
        reply = await super().answer(replace(request, method="POST"))
        return reply if self.answers else error(501, "no such method")


def _takes(name: str, *methods: str, answers: bool = True) -> None:
    """Register a fault that books a cart that comes by another method, and may answer that it does not."""
    members = {"methods": methods, "answers": answers}
    CONNECTOR_FAULTS.add(Fault(name, ("CP-X.99",)), type(name, (_TakesMethods,), members))


_takes("books_by_put", "PUT")
_takes("books_by_patch", "PATCH")
_takes("books_by_delete", "DELETE")
_takes("books_by_get", "GET")
_takes("books_by_head_and_says_501", "HEAD", answers=False)
_takes("books_by_options_and_says_501", "OPTIONS", answers=False)
_takes("books_by_trace", "TRACE")


@_fault("CP-X.99")
class books_by_a_header(SmallConnector):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and dict(scope["headers"]).get(b"x-http-method-override") == b"POST":
            scope = {**scope, "method": "POST"}
        await super().__call__(scope, receive, send)
