"""JSON with exact numbers: every number is a Decimal, so that no amount of money is ever a binary fraction."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, cast

import orjson

from contract.messages import without_nulls
from jwo_toolkit.json_types import JsonObject


def parse_exact(body: bytes) -> JsonObject:
    """Read a body that `parse_object` accepts, with a Decimal for each number and without null members."""
    value = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    return cast("JsonObject", without_nulls(value))


def dump_exact(value: Any) -> bytes:  # noqa: ANN401 - any JSON with decimals
    """Write JSON with each Decimal as a number that has exactly its digits."""
    return orjson.dumps(value, default=_number)


def _number(value: object) -> orjson.Fragment:
    if isinstance(value, Decimal):
        return orjson.Fragment(f"{value:f}")
    raise TypeError(f"{type(value).__name__} is not JSON")
