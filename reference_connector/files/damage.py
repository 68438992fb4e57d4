"""Finds values that a spreadsheet or another program has changed, and names the likely cause.

Each function returns the damage of a text, or None if the text is plain. The texts have no spaces around them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

_PRICE = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,2}|\.[0-9]{2}0{2,})?|\.[0-9]{1,2}")
_NUMBER = re.compile(r"[0-9]{1,10}(?:\.[0-9]{1,10})?|\.[0-9]{1,10}")
_PLAIN_CODE = re.compile(r"[A-Za-z]{2,}[-_]?[0-9]+|[0-9]+")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9][ -~]{9,}")
"""Most codes and names, which need no further look; no other pattern matches these."""
_DIGITS = re.compile(r"[0-9]+")
_PRINTABLE = re.compile(r"[!-~]+")
_FORMULA_ERROR = re.compile(r"#(?:[A-ZÀ-Ý/0]+[!?]|N/?[ADV]|#+)|Err:[0-9]+")
_FORMULA = re.compile(r"=.+")
_CALCULATED = re.compile(r"=(?:[$A-Z]+[0-9$]+.*|[A-ZÀ-Ý.]+\(.*|\".*)")
_SCIENTIFIC = re.compile(r"[+-]?[0-9]+(?:[.,][0-9]*)?[eE][+-]?[0-9]+")
_SCIENTIFIC_SHOWN = re.compile(r"[0-9](?:[.,][0-9]+)?E\+[0-9]{2,}")
_NO_VALUE = re.compile(r"[+-]?(?:nan|inf|infinity|none|null|nil|n/?a|undefined|tbd|true|false)", re.IGNORECASE)
_NO_TEXT = re.compile(r"NaN|nan|None|NULL|null|undefined")
_MONTH = "(?:jan|feb|mar|mär|mrz|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez)[a-zäé]*"
_DATE = re.compile(
    r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}(?:[ T].*)?"
    rf"|[0-9]{{1,4}}[-. /]{{1,2}}{_MONTH}\.?(?:[-. /][0-9]{{2,4}})?|{_MONTH}\.?[-. /][0-9]{{1,4}}",
    re.IGNORECASE,
)
_DAY_AND_MONTH = re.compile(r"[0-9]{1,2}[-/][0-9]{1,2}|[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?")
_DATE_SHOWN = re.compile(r"[0-9]{1,2}-(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)")
_DECIMAL_COMMA = re.compile(r"[0-9]*,[0-9]{1,2}")
_THOUSANDS = re.compile(
    r"[0-9]{1,3}(?:[,.'\u2019 \u00a0\u202f][0-9]{3})+(?:[.,][0-9]*)?|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}\S*"
)
_GROUPS = re.compile(r"[0-9]{1,3}(?:[,.'\u2019 \u00a0\u202f][0-9]{3}){2,}|[0-9]+(?:[ \u00a0\u202f][0-9]+)+")
_NEGATIVE = re.compile(r"[-\u2212\u2013](?=.*[0-9]).*|\(.*[0-9].*\)|[0-9.,]+[-\u2212]")
_CURRENCY = re.compile(r"[$€£¥₹¢₩₽]|[A-Za-z]{1,3}\.? ?(?=[0-9])|(?<=[0-9]) ?[A-Za-z]{1,3}")
_DECIMALS = re.compile(r"[0-9]*\.[0-9]{3,}")
_WHOLE_AS_DECIMAL = re.compile(r"[0-9]+[.,]0+")
_NOT_PRINTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffd\ufeff\ufffe\uffff\ud800-\udfff]")
_ODD_IN_A_CODE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f]|(?! )\\s")
_NOT_ONE_BARCODE = re.compile("^[+-]|[,;|'\"]")
_LENGTHS: Mapping[str, tuple[int, ...]] = {"UPC": (8, 12), "EAN": (13,), "EAN8": (8,), "GTIN": (14,), "ISBN": (10,)}
_ANY_LENGTH = (8, 12)
_WITH_A_TYPE = frozenset({3, 4, 5, 6, 8, 10, 12, 13, 14})
"""The lengths from which the platform infers a type."""


_AS_TEXT = "Format the column as text in the spreadsheet, enter the value again, and save"


class Damage(NamedTuple):
    """What is wrong with a value, with its likely cause, and what to do."""

    problem: str
    fix: str


Find = Callable[[str], Damage | None]


def price_damage(text: str) -> Damage | None:
    """Find damage of a price: it is written as 4.99, with at most two decimals."""
    return None if _PRICE.fullmatch(text) else _amount_damage(text, "a price such as 4.99")


def number_damage(text: str) -> Damage | None:
    """Find damage of a number that is not a price, such as a rate."""
    return None if _NUMBER.fullmatch(text) else _amount_damage(text, "a number such as 0.07")


def barcode_damage(text: str) -> Damage | None:
    """Find damage of a barcode. Its length and check digit are not judged here."""
    if _DIGITS.fullmatch(text):
        return None
    if found := _spreadsheet_damage(text):
        return found
    for pattern, cause in _BARCODES:
        if pattern.fullmatch(text):
            return Damage(f"{text!r} {cause}", _AS_TEXT)
    if _NOT_ONE_BARCODE.search(text):
        return Damage(f"{text!r} is not one barcode, as it has {_first_odd(text)!r}", "Write one barcode, in digits")
    return None if _PRINTABLE.fullmatch(text) else _odd_character(text, _first_odd(text))


def code_damage(text: str) -> Damage | None:
    """Find damage of a SKU or another id, which may have any visible characters."""
    if _PLAIN_CODE.fullmatch(text):
        return None
    found = _spreadsheet_damage(text) or name_damage(text)
    if found or (text.isascii() and text.isalnum()):
        return found
    if _SCIENTIFIC_SHOWN.fullmatch(text):
        return Damage(f"{text!r} is a rounded number: a spreadsheet replaced the code", _AS_TEXT)
    if _WHOLE_AS_DECIMAL.fullmatch(text) and len(text) > len("999.0"):
        return Damage(f"{text!r} has decimals: a program took the code for a number", _AS_TEXT)
    if _DATE_SHOWN.fullmatch(text):
        return Damage(f"{text!r} is a date: a spreadsheet replaced the code", _AS_TEXT)
    odd = [each for each in text if _ODD_IN_A_CODE.match(each) or (each.isdigit() and not each.isascii())]
    return _odd_character(text, odd[0]) if odd else None


def name_damage(text: str) -> Damage | None:
    """Find damage of a text for people."""
    if _PLAIN_NAME.fullmatch(text):
        return None
    if "\n" in text or "\r" in text:
        return Damage(f"{_short(text)} has a line break", "Write it in one line")
    if found := text_damage(text):
        return found
    if _NO_TEXT.fullmatch(text):
        return Damage(f"{text!r} is what a program writes for an empty cell", "Write the text, or leave it empty")
    return _spreadsheet_damage(text) if _FORMULA_ERROR.fullmatch(text) or _CALCULATED.fullmatch(text) else None


def text_damage(text: str) -> Damage | None:
    """Find characters that no text has; line breaks and tabs are allowed."""
    if odd := _NOT_PRINTED.search(text):
        return Damage(
            f"{_short(text)} has the character U+{ord(odd[0]):04X}, which no text has: an earlier program changed it",
            "Write the text again, and save the file as UTF-8",
        )
    return None


def leading_zero_damage(barcode: str, kind: str) -> Damage | None:
    """Find a barcode that has lost its leading zeros: with them its length and its check digit are right."""
    body = barcode[:-1] if kind == "ISBN" and barcode[-1:] in {"X", "x"} else barcode
    lengths = _LENGTHS.get(kind, ()) if kind else _ANY_LENGTH
    if not _DIGITS.fullmatch(body) or len(barcode) in (lengths if kind else _WITH_A_TYPE):
        return None
    for length in lengths:
        padded = barcode.zfill(length)
        if length - 3 <= len(barcode) < length and _check_is_right(padded, kind):
            return Damage(
                f"{barcode!r} is too short, and is right with a leading zero: {padded}. "
                "Spreadsheets remove leading zeros",
                f"Write {padded}. If its check digit is missing instead, add that",
            )
    return None


def _amount_damage(text: str, example: str) -> Damage:
    fix = f"Write {example}"
    if found := _spreadsheet_damage(text):
        return found
    for pattern, cause in _AMOUNTS:
        if pattern.fullmatch(text):
            return Damage(f"{text!r} {cause}", fix)
    if _has_odd_digits(text):
        return Damage(f"{text!r} has digits of another alphabet", f"{fix}, with the digits 0 to 9")
    if "_" in text:
        return Damage(f"{text!r} has an underscore, which some programs skip and others do not", fix)
    if _CURRENCY.search(text):
        return Damage(f"{text!r} has a currency sign, a unit or letters", f"{fix}, without a sign or unit")
    return Damage(f"{_short(text)} is not a number", fix)


_BARCODES = (
    (_SCIENTIFIC, "is a rounded number: a spreadsheet replaced the digits of the barcode"),
    (_WHOLE_AS_DECIMAL, "has decimals: a program took the barcode for a number"),
    (_GROUPS, "has separators: a program took the barcode for a number"),
    (_DATE, "is a date: a spreadsheet replaced the barcode"),
    (_NO_VALUE, "is not a barcode: a program wrote it for an empty cell"),
)
_AMOUNTS = (
    (_NO_VALUE, "is not a number: a program wrote it for an empty cell"),
    (_SCIENTIFIC, "is a rounded number: a spreadsheet replaced the digits"),
    (_DATE, "is a date: a spreadsheet replaced the number"),
    (_DAY_AND_MONTH, "is a date, a time or a fraction: a spreadsheet replaced the number"),
    (_DECIMAL_COMMA, "has a decimal comma, as spreadsheets of some countries write it"),
    (_THOUSANDS, "has a separator of thousands, or three decimals"),
    (_NEGATIVE, "is negative"),
    (_DECIMALS, "has too many decimals: a program calculated it"),
    (_DIGITS, "has too many digits"),
)


def _spreadsheet_damage(text: str) -> Damage | None:
    """Find what a spreadsheet shows instead of a value: errors, formulas, columns that are too narrow."""
    if _FORMULA_ERROR.fullmatch(text):
        return Damage(
            f"{text!r} is a spreadsheet's error, not a value", "Correct the cell in the spreadsheet, and save"
        )
    if _FORMULA.fullmatch(text):
        return Damage(f"{_short(text)} is a formula, not a value", "Write the value without = and quotes")
    if text.startswith("'") and len(text) > 1:
        return Damage(f"{_short(text)} begins with an apostrophe, a spreadsheet's mark for a text", "Remove it")
    return None


def _odd_character(text: str, odd: str) -> Damage:
    what = "a space" if odd.isspace() else "a digit of another alphabet" if odd.isdigit() else "a character"
    return Damage(
        f"{_short(text)} has {what}, U+{ord(odd):04X}, that does not belong there", "Write it again without it"
    )


def _first_odd(text: str) -> str:
    """Return the first character that is not a visible one of ASCII; the first one that is not a letter or digit."""
    odd = [each for each in text if not "!" <= each <= "~"]
    return (odd or [each for each in text if not each.isalnum()] or [text[0]])[0]


def _has_odd_digits(text: str) -> bool:
    return any(each.isdigit() and not each.isascii() for each in text)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else f"{text[:40]}…")  # noqa: PLR2004 - enough to find it


def _check_is_right(barcode: str, kind: str) -> bool:
    if kind == "ISBN":
        values = [10 if sign in "Xx" else int(sign) for sign in barcode]
        return sum(weight * value for weight, value in zip(range(10, 0, -1), values, strict=True)) % 11 == 0
    if len(barcode) == 8 and kind == "UPC":  # noqa: PLR2004 - UPC-E
        barcode = _upc_a(barcode)
    return sum(int(sign) * (1 if place % 2 == 0 else 3) for place, sign in enumerate(reversed(barcode))) % 10 == 0


def _upc_a(barcode: str) -> str:
    """Expand an eight-digit UPC-E to its twelve-digit UPC-A."""
    number, last = barcode[1:6], barcode[6]
    if last in "012":
        middle = f"{number[:2]}{last}0000{number[2:]}"
    elif last in "34":
        kept = int(last)
        middle = f"{number[:kept]}00000{number[kept:]}"
    else:
        middle = f"{number}0000{last}"
    return f"{barcode[0]}{middle}{barcode[7]}"
