"""Reads the facts of a report: texts, counts, quantities, amounts and instants, as texts of one form each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from jwo_contract.errors import BadValue
from jwo_contract.values import parse_instant
from reference_connector.errors import MessageUnreadable
from reference_connector.store.books import OPERATIONS

_LONGEST_TEXT, _MOST_LINES, _SHOWN = 1024, 100_000, 40
_NUMBER = re.compile(r"[0-9]{1,20}(?:\.[0-9]{1,20})?")
_CURRENCY = re.compile("[A-Z]{3}")
_LARGEST = Decimal("1E13")
"""The store keeps amounts in cents, in 64 bits."""


def text_of(given: Mapping[str, Any], name: str) -> str:
    """Return a text. Raises MessageUnreadable if it is absent, empty or too long, or has a NUL.

    PostgreSQL stores no NUL.
    """
    value = given.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_TEXT or "\0" in value:
        raise MessageUnreadable(f"{name} must be a text of 1 to {_LONGEST_TEXT} characters, not {_shown(value)}")
    return value


def given_texts(given: Mapping[str, Any], *names: str) -> dict[str, str]:
    """Return those texts that are there and are not empty. Raises MessageUnreadable as `text_of`."""
    return {name: text_of(given, name) for name in names if given.get(name)}


def instant_of(given: Mapping[str, Any], name: str) -> datetime:
    """Return an instant. Raises MessageUnreadable if it is not one."""
    try:
        return parse_instant(text_of(given, name))
    except BadValue as error:
        raise MessageUnreadable(f"{name}: {error}") from error


def count_of(given: Mapping[str, Any], name: str) -> str:
    """Return a whole number as text. Raises MessageUnreadable if it is not one, or is too large."""
    value = text_of(given, name)
    if not value.isascii() or not value.isdecimal() or len(value) > len(str(_MOST_LINES)) or int(value) > _MOST_LINES:
        raise MessageUnreadable(f"{name} must be a whole number up to {_MOST_LINES}, not {_shown(value)}")
    return str(int(value))


def quantity_of(given: Mapping[str, Any], name: str) -> str:
    """Return a quantity as text, unchanged. Raises MessageUnreadable if it is not a decimal number."""
    value = text_of(given, name)
    if not _NUMBER.fullmatch(value):
        raise MessageUnreadable(f"{name} must be a decimal number, not {_shown(value)}")
    return value


def charge_of(operation: object, amount: object, currency: object) -> dict[str, str]:
    """Return the facts of money that moved; the amount has two decimals. A cancelled charge may have no amount.

    Raises MessageUnreadable if a part is not valid.
    """
    if operation not in OPERATIONS:
        raise MessageUnreadable(f"operation must be one of {', '.join(OPERATIONS)}, not {_shown(operation)}")
    facts = {"operation": str(operation)}
    if operation == "Cancel Charge":
        return facts
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise MessageUnreadable(f"currency must be a code of three letters, not {_shown(currency)}")
    return {**facts, "amount": _amount(amount), "currency": currency}


def _amount(value: object) -> str:
    if isinstance(value, str) and _NUMBER.fullmatch(value) and Decimal(value) <= _LARGEST:
        cents = Decimal(value) * 100
        if cents == cents.to_integral_value():
            return f"{Decimal(value):.2f}"
    raise MessageUnreadable(f"amount must be a text with at most 2 decimals, not {_shown(value)}")


def _shown(value: object) -> str:
    return "absent" if value is None else repr(value)[:_SHOWN]
