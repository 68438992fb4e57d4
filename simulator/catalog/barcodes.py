"""Barcodes: their digits, their check digits, and what is wrong with one.

UPC is twelve digits (UPC-A) or eight (UPC-E, checked after its expansion to UPC-A). A code without a type is judged by
its length.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from contract.house import Barcode

_LENGTHS = {"UPC": 12, "EAN": 13, "EAN8": 8, "GTIN": 14, "ISBN": 10}
_BY_LENGTH = {12: "UPC", 13: "EAN", 14: "GTIN", 10: "ISBN", 3: "PLU", 4: "PLU", 5: "PLU", 6: "PLU"}
_SHORT_UPC = 8
_PLU = re.compile("[0-9]{3,6}")
_DIGITS = re.compile("[0-9]+")
_ISBN = re.compile("[0-9]{9}[0-9Xx]")


class Fault(NamedTuple):
    """What is wrong with a barcode: the report's code, and a sentence."""

    code: str
    message: str


def fault_of(barcode: str, symbology: str | None, rules: Barcode) -> Fault | None:
    """Check a barcode; None if it is valid. `symbology` None or empty means that the type was not given."""
    kind = symbology or type_of(barcode, rules)
    if kind is None:
        return _format(barcode, "has no type and the length of none")
    if kind == "PLU":
        return None if _PLU.fullmatch(barcode) else _format(barcode, "is not 3 to 6 digits, as PLU is")
    if kind not in _LENGTHS:
        return Fault("BARCODE_FORMAT", f"{kind!r} is not a barcode type")
    return _fault_of_checked(barcode, kind, rules)


def type_of(barcode: str, rules: Barcode) -> str | None:
    """Return the type of a barcode that was given without one, by its length; None if no type fits."""
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
    """Say whether the last digit is the check digit of the others."""
    return mod10_digit(barcode[:-1]) == barcode[-1]


def isbn_is_right(isbn: str) -> bool:
    """Say whether an ISBN-10 checks: weights 10 down to 1, the sum a multiple of 11, X counting 10."""
    values = [10 if sign in "Xx" else int(sign) for sign in isbn]
    return sum(weight * value for weight, value in zip(range(10, 0, -1), values, strict=True)) % 11 == 0


def upc_a_from_e(barcode: str) -> str:
    """Expand an eight-digit UPC-E to its twelve-digit UPC-A; the check digit is kept."""
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


def _fault_of_checked(barcode: str, kind: str, rules: Barcode) -> Fault | None:
    if not (_DIGITS.fullmatch(barcode) or (kind == "ISBN" and _ISBN.fullmatch(barcode))):
        return _format(barcode, f"holds signs that {kind} does not have")
    short = kind == "UPC" and len(barcode) <= _SHORT_UPC
    wanted = _SHORT_UPC if short else _LENGTHS[kind]
    if len(barcode) == wanted - 1 and rules.missing_by_length:
        return Fault("CHECK_DIGIT_MISSING", f"{barcode} is one digit short for {kind}: its check digit is missing")
    if len(barcode) != wanted or (short and not _is_upc_e(barcode)):
        return _format(barcode, f"has not the form of {kind}")
    if _checks(kind, rules) and not _check_is_right(barcode, kind):
        return Fault("CHECK_DIGIT_INVALID", f"the check digit of {kind} {barcode} is wrong")
    return None


def _checks(kind: str, rules: Barcode) -> bool:
    return {"EAN8": rules.ean8_check, "GTIN": rules.gtin_check, "ISBN": rules.isbn_check}.get(kind, True)


def _check_is_right(barcode: str, kind: str) -> bool:
    if kind == "ISBN":
        return isbn_is_right(barcode)
    return mod10_is_right(upc_a_from_e(barcode) if _is_upc_e(barcode) and kind == "UPC" else barcode)


def _format(barcode: str, why: str) -> Fault:
    return Fault("BARCODE_FORMAT", f"{barcode[:40]!r} {why}")
