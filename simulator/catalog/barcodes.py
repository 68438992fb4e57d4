"""Checks of barcodes: their digits and their check digits.

UPC has twelve digits (UPC-A) or eight (UPC-E, checked after its expansion to UPC-A). The length of a barcode without a
type decides on its type.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from jwo_contract.house import Barcode

_LENGTHS = {"UPC": 12, "EAN": 13, "EAN8": 8, "GTIN": 14, "ISBN": 10}
_BY_LENGTH = {12: "UPC", 13: "EAN", 14: "GTIN", 10: "ISBN", 3: "PLU", 4: "PLU", 5: "PLU", 6: "PLU"}
_SHORT_UPC = 8
_PLU = re.compile("[0-9]{3,6}")
_DIGITS = re.compile("[0-9]+")
_ISBN = re.compile("[0-9]{9}[0-9Xx]")


class Problem(NamedTuple):
    """A problem with an item: the code for the report, and a message."""

    code: str
    message: str


def check_barcode(barcode: str, symbology: str | None, rules: Barcode) -> Problem | None:
    """Return the problem of a barcode, or None if it is valid. `symbology` None or empty means a missing type."""
    kind = symbology or type_of(barcode, rules)
    if kind is None:
        return _format(barcode, "has no type, and its length fits no type")
    if kind == "PLU":
        return None if _PLU.fullmatch(barcode) else _format(barcode, "is not 3 to 6 digits, as PLU is")
    if kind not in _LENGTHS:
        return Problem("BARCODE_FORMAT", f"{kind!r} is not a barcode type")
    return _check_known_type(barcode, kind, rules)


def type_of(barcode: str, rules: Barcode) -> str | None:
    """Return the type of a barcode by its length; None if no type fits."""
    if not rules.infer_type or not (_DIGITS.fullmatch(barcode) or _ISBN.fullmatch(barcode)):
        return None
    if len(barcode) == _SHORT_UPC:
        return "UPC" if _is_upc_e(barcode) and mod10_is_right(upc_a_from_e(barcode)) else "EAN8"
    return _BY_LENGTH.get(len(barcode))


def mod10_digit(digits: str) -> str:
    """Return the check digit for these digits: weights 3, 1, 3 ... from the right."""
    total = sum(int(digit) * (3 if index % 2 == 0 else 1) for index, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def mod10_is_right(barcode: str) -> bool:
    """Return whether the last digit is the check digit of the others."""
    return mod10_digit(barcode[:-1]) == barcode[-1]


def isbn_is_right(isbn: str) -> bool:
    """Return whether the check digit of an ISBN-10 is right: weights 10 to 1, sum a multiple of 11, X counts 10."""
    values = [10 if sign in "Xx" else int(sign) for sign in isbn]
    return sum(weight * value for weight, value in zip(range(10, 0, -1), values, strict=True)) % 11 == 0


def upc_a_from_e(barcode: str) -> str:
    """Expand an eight-digit UPC-E to its twelve-digit UPC-A, with the same check digit."""
    system, d1, d2, d3, d4, d5, d6, check = tuple(barcode)
    if d6 in "012":
        middle = f"{d1}{d2}{d6}0000{d3}{d4}{d5}"
    elif d6 == "3":
        middle = f"{d1}{d2}{d3}00000{d4}{d5}"
    elif d6 == "4":
        middle = f"{d1}{d2}{d3}{d4}00000{d5}"
    else:
        middle = f"{d1}{d2}{d3}{d4}{d5}0000{d6}"
    return f"{system}{middle}{check}"


def _is_upc_e(barcode: str) -> bool:
    return len(barcode) == _SHORT_UPC and barcode[0] in "01"


def _check_known_type(barcode: str, kind: str, rules: Barcode) -> Problem | None:
    if not (_DIGITS.fullmatch(barcode) or (kind == "ISBN" and _ISBN.fullmatch(barcode))):
        return _format(barcode, f"has characters that {kind} does not allow")
    short = kind == "UPC" and len(barcode) <= _SHORT_UPC
    right_length = _SHORT_UPC if short else _LENGTHS[kind]
    if len(barcode) == right_length - 1 and rules.missing_by_length:
        missing = f"{barcode} is one digit short for {kind}: its check digit is missing"
        return Problem("CHECK_DIGIT_MISSING", missing + _leading_zero_hint(barcode, kind))
    if len(barcode) != right_length or (short and not _is_upc_e(barcode)):
        return _format(barcode, f"does not have the format of {kind}")
    if _checks(kind, rules) and not _check_is_right(barcode, kind):
        return Problem("CHECK_DIGIT_INVALID", f"the check digit of {kind} {barcode} is wrong")
    return None


def _checks(kind: str, rules: Barcode) -> bool:
    return {"EAN8": rules.ean8_check, "GTIN": rules.gtin_check, "ISBN": rules.isbn_check}.get(kind, True)


def _check_is_right(barcode: str, kind: str) -> bool:
    if kind == "ISBN":
        return isbn_is_right(barcode)
    return mod10_is_right(upc_a_from_e(barcode) if _is_upc_e(barcode) and kind == "UPC" else barcode)


def _leading_zero_hint(barcode: str, kind: str) -> str:
    """Say if a leading zero makes a barcode right: spreadsheets remove it, and a further check digit would be wrong."""
    padded = f"0{barcode}"
    if not _check_is_right(padded, kind):
        return ""
    return f", or its leading zero, which spreadsheets remove; {padded} is right as it is"


def _format(barcode: str, why: str) -> Problem:
    return Problem("BARCODE_FORMAT", f"{barcode[:40]!r} {why}")
