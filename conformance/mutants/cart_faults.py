"""Faults of Create Purchases in nearly valid carts, unusual carts, kinds of carts, keys that look alike and methods.

A tolerant fault reads a cart in a changed form before it validates it; each is a row.
"""

from __future__ import annotations

import copy
import json
import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from conformance.mutants.http_app import Request
from conformance.mutants.json_values import Body, at, cut, text_at
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import NO_JSON, NO_OBJECT, SmallConnector, trip_of

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
    "compares_values_by_prefix", "CP-X.65", _each(cut(r"(?<=SKU).*|(?<=ENTRY).*|(?<=SHOPPER).*|(?<=UPC).*"), *_ENUMS)
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
_reads("reads_quantities_with_a_line_end", "CP-X.67", _each(cut(r"\n$"), _VALUE))
_reads("reads_quantities_with_a_last_point", "CP-X.67", _each(cut(r"\.$"), _VALUE))
_reads("reads_signs", "CP-X.67", _each(_one_where(r"\+[0-9]+"), _VALUE))
_reads("reads_minus_zero", "CP-X.67", _each(_one_where(r"-0"), _VALUE))
_reads("reads_hexadecimal_quantities", "CP-X.67", _each(_one_where(r"0x[0-9a-f]+"), _VALUE))
_reads("reads_underscores_in_quantities", "CP-X.67", _each(cut("_"), _VALUE))
_reads("reads_digits_of_any_alphabet", "CP-X.67", _each(_one_where(r"\d+"), _VALUE))
_reads("reads_exponents", "CP-X.67", _each(_one_where(r"[0-9]+e[0-9]+"), _VALUE))
_reads("reads_fractions", "CP-X.67", _each(_one_where(r"[0-9]+/[0-9]+"), _VALUE))
_reads("reads_units_in_quantities", "CP-X.67", _each(cut(r" ?[a-z]+$"), _VALUE))
_reads("reads_infinite_quantities", "CP-X.67", _each(_one_where("Infinity"), _VALUE))
_reads("counts_no_leading_zeros", "CP-X.68", _each(cut(r"^0+(?=[0-9])"), _VALUE))
_reads("counts_the_digits_before_the_point", "CP-X.68", _each(cut(r"\..*"), _VALUE))
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


_reads("trims_store_ids", "CP-X.86", _each(str.strip, "storeId"))
_reads("reads_store_ids_in_any_case", "CP-X.86", _each(str.upper, "storeId"))
_reads("reads_store_ids_by_prefix", "CP-X.86", _each(cut(r"-X$"), "storeId"))
_reads("reads_store_ids_up_to_nul", "CP-X.86", _each(cut(r"\0.*"), "storeId"))
_reads("reads_store_ids_as_patterns", "CP-X.86", _each(lambda text: "STORE-001" if text == "%" else text, "storeId"))
_reads("reads_underscores_in_store_ids", "CP-X.86", _each(lambda text: text.replace("_", "-"), "storeId"))
_reads("reads_store_ids_in_wide_letters", "CP-X.86", _each(lambda text: unicodedata.normalize("NFKC", text), "storeId"))
_reads("cuts_fractions_off", "CP-X.90", _each(cut(r"\.[0-9]+"), *_TIMES))


@_fault("CP-X.58")
class reads_letters_of_any_alphabet_in_event_ids(SmallConnector):
    left_out = "accepts_an_entry_with_any_id"

    def problem_of(self, request: Request) -> str:
        ids = [str(each) for each in at(request.body, f"{_EVENT}.id")] if request.call == "cart" else []
        return super().problem_of(request) or ("" if all(re.fullmatch(r"[\w.-]+", each) for each in ids) else "id")
