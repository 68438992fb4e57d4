"""Faults of Verify Identity Keys that fail on some keys, or compare keys loosely."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import ClassVar

from conformance.mutants.http_app import Reply, Request, error
from conformance.mutants.json_values import key_bytes_of
from conformance.mutants.registry import CONNECTOR_FAULTS, Fault
from conformance.mutants.small_connector import VISITORS, SmallConnector

_fault = CONNECTOR_FAULTS.fault
_SHORT_KEY = 512
_REFUSED = "refused_key"


class _FailsOn(SmallConnector):
    """The base of faults that fail on some keys."""

    breaks: ClassVar[Callable[[bytes], object]]

    def decide(self, request: Request) -> Reply:
        return error(500, "failed") if type(self).breaks(key_bytes_of(request.body)) else super().decide(request)


def _is_no_text(key: bytes) -> bool:
    try:
        key.decode()
    except ValueError:
        return True
    return False


_BREAKING: dict[str, Callable[[bytes], object]] = {
    "fails_on_a_quote_in_a_key": lambda key: b"'" in key,
    "fails_on_a_percent_sign_in_a_key": lambda key: b"%" in key,
    "fails_on_braces_in_a_key": lambda key: b"{" in key,
    "fails_on_a_backslash_in_a_key": lambda key: b"\\" in key,
    "fails_on_a_nul_in_a_key": lambda key: b"\0" in key,
    "fails_on_keys_in_other_scripts": lambda key: "никто".encode() in key,
    "fails_on_emoji_in_a_key": lambda key: b"\xf0" in key,
    "fails_on_keys_that_are_no_text": _is_no_text,
    "fails_on_keys_of_digits": bytes.isdigit,
    "fails_on_short_keys": lambda key: len(key) <= 2,  # noqa: PLR2004 - one or two bytes
    "fails_on_long_keys": lambda key: len(key) > _SHORT_KEY,
}
for _name, _breaks in _BREAKING.items():
    CONNECTOR_FAULTS.add(Fault(_name, ("VIK-X.67",)), type(_name, (_FailsOn,), {"breaks": staticmethod(_breaks)}))


class _ReadsKeys(SmallConnector):
    """The base of faults that compare keys loosely."""

    read: ClassVar[Callable[[bytes], str]]

    def decide(self, request: Request) -> Reply:
        visitor = VISITORS.get(type(self).read(key_bytes_of(request.body)))
        return self.let_in(*visitor) if visitor else self.turn_away()


def _like(pattern: str) -> str:
    """Return the first key that matches a pattern of SQL."""
    expression = "".join({"%": ".*", "_": "."}.get(each, re.escape(each)) for each in pattern)
    return next((key for key in VISITORS if pattern and re.fullmatch(expression, key)), "")


def _beginning(text: str) -> str:
    return next((key for key in VISITORS if text and (key.startswith(text) or text.startswith(key))), "")


_LOOSE: dict[str, tuple[tuple[str, ...], Callable[[bytes], str]]] = {
    "searches_keys_by_pattern": (("VIK-X.67", "VIK-X.68"), lambda key: _like(key.decode(errors="replace"))),
    "searches_keys_by_beginning": (("VIK-X.68", "VIK-X.69"), lambda key: _beginning(key.decode(errors="replace"))),
    "searches_keys_by_content": (
        ("VIK-X.68",),
        lambda key: next((each for each in VISITORS if len(key) > 3 and key.decode(errors="replace") in each), ""),  # noqa: PLR2004
    ),
    "cuts_keys_at_a_nul": (("VIK-X.68",), lambda key: key.partition(b"\0")[0].decode(errors="replace")),
    "skips_bytes_that_are_no_text": (("VIK-X.68",), lambda key: key.decode(errors="ignore")),
    "reads_keys_in_any_case": (("VIK-X.69",), lambda key: key.decode(errors="replace").lower()),
    "trims_decoded_keys": (("VIK-X.69",), lambda key: key.decode(errors="replace").strip()),
    "normalises_keys": (("VIK-X.69",), lambda key: unicodedata.normalize("NFKC", key.decode(errors="replace"))),
    "skips_the_mark_of_a_key": (("VIK-X.69",), lambda key: key.decode("utf-8-sig", errors="replace")),
}
for _name, (_found_by, _read) in _LOOSE.items():
    CONNECTOR_FAULTS.add(Fault(_name, _found_by), type(_name, (_ReadsKeys,), {"read": staticmethod(_read)}))


@_fault("VIK-X.70")
class refuses_the_exact_key_only(SmallConnector):
    def visitor_of(self, key: str) -> tuple[str, str] | None:
        is_known = key != _REFUSED and key.strip().lower() == _REFUSED
        return ("shopper-uuid-999", "SHOPPER") if is_known else super().visitor_of(key)
