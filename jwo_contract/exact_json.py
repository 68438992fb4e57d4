"""JSON with exact numbers: every number is a Decimal, so that no amount of money is ever a binary fraction."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, cast

import orjson

from jwo_contract.errors import MalformedBody
from jwo_contract.messages import without_nulls
from jwo_toolkit.json_types import JsonObject

_LARGEST_EXPONENT = 400
"""Beyond it, a number of a few characters would be written with millions of digits."""


def parse_exact(body: bytes) -> JsonObject:
    """Read a body that `parse_object` accepts, with a Decimal for each number and without null members.

    Raises MalformedBody if a number is too small or too large for a binary fraction.
    """
    value = json.loads(body, parse_float=_exact, parse_int=_exact)
    return cast("JsonObject", without_nulls(value))


def dump_exact(value: Any) -> bytes:  # noqa: ANN401 - any JSON with decimals
    """Write JSON with each Decimal as a number that has exactly its digits."""
    return orjson.dumps(value, default=_number)


def _exact(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:  # its exponent has too many digits
        raise MalformedBody("a number is out of range") from error
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise MalformedBody("a number is out of range")
    return number


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(f"{value:f}")
    raise TypeError(f"{type(value).__name__} is not JSON")
