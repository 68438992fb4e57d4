"""Faults that a few scans show: lenient readers, stores that are compared loosely, forgotten events.

A lenient reader changes the request before the checks: each row is such a change, with the ids that find it.
"""

from __future__ import annotations

import json
import re
import unicodedata
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar, NamedTuple

from conformance.mutants.http_app import CALLS, Receive, Reply, Request, Scope, Send, error
from conformance.mutants.json_values import Body, at, key_bytes_of, text_at
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import SmallConnector

_fault = CONNECTOR_FAULTS.fault
_PATHS = {
    "requestId": ("requestId",),
    "event": ("authEvent.id",),
    "time": ("authEvent.timestamp",),
    "key": ("identityKey",),
    "store": ("storeId",),
    "listed": ("authEvent.location", "keyChannel"),
}
_STANDARD_TIME, _STANDARD_ID = "2026-01-01T00:00:00Z", "11111111-2222-4333-8444-555555555555"
_LIMIT = 1000
_INDEXED_GROUP, _NODE = 8, -12


class _Lenient(SmallConnector):
    """The base of faults that change the bytes of a scan before the checks."""

    change: ClassVar[Callable[[bytes], bytes]]

    async def answer(self, request: Request) -> Reply:
        changed = replace(request, raw=type(self).change(request.raw)) if request.call == "scan" else request
        return await super().answer(changed)


class _Reader(NamedTuple):
    """A lenient reader of the members of one kind: its fault, the ids that find it, and the text that it reads."""

    fault: str
    found_by: tuple[str, ...]
    kind: str
    read: Callable[[str], str]


def _uuid_of(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return text


def _first_match(pattern: str, otherwise: str = "") -> Callable[[str], str]:
    """Return a reader that replaces a text with what a pattern finds in it, or with a valid value."""

    def read(text: str) -> str:
        found = re.search(pattern, text)
        return (otherwise or found.group(0)) if found else text

    return read


def _ascii_digits(text: str) -> str:
    return "".join(str(unicodedata.digit(each)) if each.isdigit() else each for each in text)


def _only_base64(text: str) -> str:
    return re.sub("[^A-Za-z0-9+/=]", "", text)


def _padded(text: str) -> str:
    bare = text.rstrip("=")
    return bare + "=" * (-len(bare) % 4)


def _less_padded(text: str) -> str:
    return _padded(text) if text.endswith("==") else text


def _until_padding(text: str) -> str:
    return text if re.fullmatch("[^=]*={0,2}", text) else _padded(text.partition("=")[0])


def _whole_groups(text: str) -> str:
    return text[:-1] if len(text) % 4 == 1 else text


def _cut_to(wrong_limit: int) -> Callable[[str], str]:
    """Return a reader that cuts a text to the limit if it is within a wrong limit."""
    return lambda text: text[:_LIMIT] if len(text) <= wrong_limit else text


def _nearest(text: str) -> str:
    """Return the listed value that a text begins or that begins a text."""
    listed = ("ENTRY", "OPTICAL", "CONTACT", "RADIO")
    return next((each for each in listed if text and (each.startswith(text) or text.startswith(each))), text)


_UUID = "[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_ID_CHARACTERS = "[0-9A-Za-z_.-]+"
_READERS = (
    _Reader("reads_request_ids_with_a_library", ("VIK-X.50",), "requestId", _uuid_of),
    _Reader("finds_a_uuid_in_the_request_id", ("VIK-X.50",), "requestId", _first_match(_UUID)),
    _Reader("trims_request_ids_of_scans", ("VIK-X.50",), "requestId", str.strip),
    _Reader("reads_any_digits_in_request_ids", ("VIK-X.50",), "requestId", _ascii_digits),
    _Reader("counts_the_digits_of_request_ids", ("VIK-X.50",), "requestId",
            _first_match("^[0-9a-z-]{36}$", _STANDARD_ID)),
    _Reader("reads_event_ids_with_a_library", ("VIK-X.51", "VIK-X.52"), "event", _uuid_of),
    _Reader("finds_a_uuid_in_the_event_id", ("VIK-X.51", "VIK-X.52"), "event", _first_match(_UUID)),
    _Reader("trims_event_ids", ("VIK-X.51",), "event", str.strip),
    _Reader("takes_event_ids_of_carts", ("VIK-X.52",), "event", _first_match(f"^{_ID_CHARACTERS}$", _STANDARD_ID)),
    _Reader("takes_a_date_for_a_time", ("VIK-X.53",), "time", _first_match("^[-0-9]{10}$", _STANDARD_TIME)),
    _Reader("counts_the_digits_of_times", ("VIK-X.53",), "time",
            _first_match("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$", _STANDARD_TIME)),
    _Reader("takes_numbers_for_times", ("VIK-X.53",), "time", _first_match("^[0-9]{10,13}$", _STANDARD_TIME)),
    _Reader("finds_a_time_in_a_text", ("VIK-X.53",), "time", _first_match("^[^ ]+Z")),
    _Reader("assumes_a_zone", ("VIK-X.54",), "time", lambda text: text if re.search("[Z+]|-..:", text) else f"{text}Z"),
    _Reader("reads_a_blank_as_t", ("VIK-X.54",), "time", lambda text: text.replace(" ", "T", 1)),
    _Reader("takes_times_without_seconds", ("VIK-X.77",), "time",
            lambda text: re.sub(r"(T\d\d:\d\d)(Z)$", r"\1:00\2", text)),
    _Reader("takes_any_offset", ("VIK-X.54", "VIK-X.77"), "time", lambda text: re.sub(r"[+-]\d\d:\d\d$", "Z", text)),
    _Reader("trims_times_of_scans", ("VIK-X.54",), "time", str.strip),
    _Reader("stops_at_the_padding", ("VIK-X.55",), "key", _until_padding),
    _Reader("skips_what_is_no_base64", ("VIK-X.55", "VIK-X.56"), "key", _only_base64),
    _Reader("leaves_a_character_over", ("VIK-X.55",), "key", _whole_groups),
    _Reader("pads_keys", ("VIK-X.56",), "key", _padded),
    _Reader("trims_keys", ("VIK-X.56",), "key", str.strip),
    _Reader("takes_too_much_padding", ("VIK-X.77",), "key", _less_padded),
    _Reader("removes_blanks_from_keys", ("VIK-X.56",), "key", lambda text: re.sub(r"\s", "", text)),
    _Reader("reads_url_safe_keys", ("VIK-X.56",), "key", lambda text: text.replace("-", "+").replace("_", "/")),
    _Reader("limits_keys_to_1200", ("VIK-3.4", "VIK-X.57"), "key", _cut_to(1200)),
    _Reader("limits_decoded_keys", ("VIK-3.4", "VIK-X.57"), "key", _cut_to(1339)),
    _Reader("searches_the_list_by_beginning", ("VIK-X.58",), "listed", _nearest),
    _Reader("reads_a_list_of_values", ("VIK-X.58",), "listed", lambda text: text.partition(",")[0]),
    _Reader("skips_dashes_in_values", ("VIK-X.58",), "listed", lambda text: text.replace("-", "")),
    _Reader("reads_values_in_any_case_of_scans", ("VIK-X.59",), "listed", str.upper),
    _Reader("trims_values_of_scans", ("VIK-X.59",), "listed", str.strip),
    _Reader("normalises_values", ("VIK-X.59",), "listed", lambda text: unicodedata.normalize("NFKC", text)),
    _Reader("replaces_an_empty_value", ("VIK-X.59",), "listed", lambda text: text or "OPTICAL"),
    _Reader("searches_stores_by_pattern", ("VIK-X.63",), "store",
            lambda text: "STORE-001" if set(text) <= set("%_") else text),
    _Reader("searches_stores_by_beginning", ("VIK-X.63",), "store", lambda text: text[: len("STORE-001")]),
    _Reader("cuts_stores_at_a_nul", ("VIK-X.63",), "store", lambda text: text.partition("\0")[0]),
    _Reader("normalises_stores", ("VIK-X.63",), "store", lambda text: unicodedata.normalize("NFKC", text)),
    _Reader("reads_stores_in_any_case", ("VIK-X.64",), "store", str.upper),
    _Reader("trims_stores", ("VIK-X.64",), "store", str.strip),
)  # fmt: skip


def _reading(reader: _Reader) -> Callable[[bytes], bytes]:
    def change(raw: bytes) -> bytes:
        body = _body(raw)
        for path in _PATHS[reader.kind]:
            text = at(body, path)[0]
            if isinstance(text, str):
                holder = body["authEvent"] if path.startswith("authEvent.") else body
                holder[path.rpartition(".")[2]] = reader.read(text)
        return json.dumps(body).encode() if body else raw

    return change


def _body(raw: bytes) -> Body:
    with suppress(ValueError):
        body = json.loads(raw)
        return body if isinstance(body, dict) else {}
    return {}


def _first_value(raw: bytes) -> bytes:
    with suppress(ValueError):
        value, _ = json.JSONDecoder().raw_decode(raw.decode())
        return json.dumps(value).encode()
    return raw


def _python_value(raw: bytes) -> bytes:
    return raw.replace(b"'", b'"').replace(b"None", b"null")


def _with_any_constant(raw: bytes) -> bytes:
    body = _body(raw)
    body.pop("xFutureAttribute", None)
    return json.dumps(body).encode() if body else raw


def _first_of_list(raw: bytes) -> bytes:
    return raw[1:-1] if raw.startswith(b"[{") else raw


def _text_in_text(raw: bytes) -> bytes:
    with suppress(ValueError):
        inner = json.loads(raw)
        return inner.encode() if isinstance(inner, str) else raw
    return raw


def _any_encoding(raw: bytes) -> bytes:
    with suppress(ValueError):
        return json.dumps(json.loads(raw)).encode()
    return raw


def _out_of_lists(raw: bytes) -> bytes:
    body = _body(raw)
    first: dict[str, Any] = {name: _first_entry(value) for name, value in body.items()}
    if isinstance(first.get("authEvent"), dict):
        first["authEvent"] = {name: _first_entry(value) for name, value in first["authEvent"].items()}
    return json.dumps(first).encode() if body else raw


def _first_entry(value: object) -> object:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


_RAW: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "takes_a_comma_at_the_end": ("VIK-X.60", lambda raw: re.sub(rb",\s*}", b"}", raw)),
    "stops_after_the_first_value": ("VIK-X.60", _first_value),
    "skips_comments": ("VIK-X.60", lambda raw: re.sub(rb"/\*.*?\*/|//[^\"]*$", b"", raw)),
    "reads_values_of_python": ("VIK-X.60", _python_value),
    "takes_nan": ("VIK-X.77", _with_any_constant),
    "takes_line_ends_in_texts": ("VIK-X.60", lambda raw: raw.replace(b"\n", b" ")),
    "takes_the_first_of_a_list": ("VIK-X.60", _first_of_list),
    "reads_json_within_json": ("VIK-X.60", _text_in_text),
    "guesses_the_encoding": ("VIK-X.77", _any_encoding),
    "replaces_bytes_that_are_no_text": ("VIK-X.77", lambda raw: raw.decode(errors="replace").encode()),
    "takes_the_first_entry_of_lists": ("VIK-X.62", _out_of_lists),
}
"""Lenient readers of a whole body: the id that finds the fault, and what is read."""


def _register() -> Iterator[tuple[str, tuple[str, ...], Callable[[bytes], bytes]]]:
    for reader in _READERS:
        yield reader.fault, reader.found_by, _reading(reader)
    for name, (found_by, change) in _RAW.items():
        yield name, (found_by,), change


for _name, _found_by, _change in _register():
    CONNECTOR_FAULTS.add(Fault(_name, _found_by), type(_name, (_Lenient,), {"change": staticmethod(_change)}))


@_fault("VIK-X.61")
class fails_on_a_byte_order_mark(SmallConnector):
    async def answer(self, request: Request) -> Reply:
        return error(500, "not JSON") if request.raw.startswith(b"\xef\xbb\xbf") else await super().answer(request)


@_fault("VIK-X.63")
class lets_associates_in_at_any_store(SmallConnector):
    def problem_of(self, request: Request) -> str:
        is_associate = key_bytes_of(request.body) == b"associate_key"
        return "" if is_associate else super().problem_of(request)


@_fault("VIK-X.63")
class fails_on_stores_in_other_scripts(SmallConnector):
    def refuse(self, request: Request, problem: str) -> Reply:
        store = text_at(request.body, "storeId")
        return super().refuse(request, problem) if store.isascii() else error(500, "no such letters")


@_fault("VIK-X.65")
class decides_by_any_method(SmallConnector):
    async def answer(self, request: Request) -> Reply:
        is_scan = request.call == "scan" and request.raw and request.method != "GET"
        return await super().answer(replace(request, method="POST") if is_scan else request)


class _HasAnEffect(SmallConnector):
    """The base of faults that refuse another method, and decide all the same."""

    method: ClassVar[str]

    async def answer(self, request: Request) -> Reply:
        if request.call == "scan" and request.method == self.method:
            await super().answer(replace(request, method="POST"))
        return await super().answer(request)


for _method in ("GET", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"):
    _name = f"decides_secretly_by_{_method.lower()}"
    CONNECTOR_FAULTS.add(Fault(_name, ("VIK-X.65",)), type(_name, (_HasAnEffect,), {"method": _method}))


class _ReadsMethodOfHeader(SmallConnector):
    """The base of faults that take the method of a scan from a header."""

    header: ClassVar[bytes]
    method: ClassVar[str]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_scan = scope["type"] == "http" and CALLS.get(scope["path"]) == "scan"
        if is_scan and scope["method"] == self.method:
            scope = {**scope, "method": dict(scope["headers"]).get(self.header, b"PUT").decode()}
        await super().__call__(scope, receive, send)


for _method, _header in (
    ("PUT", "x-http-method-override"),
    ("DELETE", "x-http-method-override"),
    ("GET", "x-http-method-override"),
    ("PUT", "x-http-method"),
    ("PUT", "x-method-override"),
):
    _name = f"decides_by_{_method.lower()}_with_{_header.replace('-', '_')}"
    _members = {"header": _header.encode(), "method": _method}
    CONNECTOR_FAULTS.add(Fault(_name, ("VIK-X.65",)), type(_name, (_ReadsMethodOfHeader,), _members))


@_fault("VIK-X.66")
class refuses_events_of_long_ago(SmallConnector):
    def problem_of(self, request: Request) -> str:
        is_old = "2000" < text_at(request.body, "authEvent.timestamp") < "2025"
        return "too old" if is_old and request.call == "scan" else super().problem_of(request)
