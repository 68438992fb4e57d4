"""Reads a request without unknown members, as almost all are, in one step.

A closed form of the schema checks it: a body without unknown members and nulls needs no copy. The plain reader reads
all other bodies, and reports their errors.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, cast

import jsonschema_rs
import orjson

from jwo_contract.house import House
from jwo_contract.messages import is_instant, self_contained
from jwo_contract.operations import Operation
from jwo_toolkit.json_types import Json
from reference_connector.messages import RequestReader

_PLAIN_INSTANT = r"^[1-9]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?Z$"
"""Matches most instants, and nothing else. For other texts the schema calls `parse_instant`, which takes longer."""
_CONDITIONS = ("if", "then", "else", "not", "allOf", "anyOf", "oneOf")


class ExactReader(RequestReader):
    """Reads requests to one operation: with the closed schema first, and with the plain reader if that fails."""

    def __init__(self, operation: Operation, house: House) -> None:
        super().__init__(operation, house)
        self._exact = exact_validator(operation.request, house)

    def read(self, body: bytes) -> dict[str, Json]:
        """Read a request. Raises InvalidRequest if it breaks its schema."""
        return self.read_exact(body) or super().read(body)

    def read_known(self, body: bytes) -> tuple[dict[str, Json], dict[str, Json]]:
        """Read a request; also return it without unknown members, as the same object if it has none."""
        exact = self.read_exact(body)
        return (exact, exact) if exact is not None else super().read_known(body)

    def read_exact(self, body: bytes) -> dict[str, Json] | None:
        """Return a request that is valid and has no unknown member and no null, or None."""
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError:
            return None
        return cast("dict[str, Json]", value) if self._exact.is_valid(value) else None


@lru_cache(maxsize=256)
def exact_validator(name: str, house: House) -> jsonschema_rs.Draft202012Validator:
    """Compile the closed form of a message's schema, once for each set of house rules."""
    closed: dict[str, Any] = _closed(self_contained(name, house))
    return jsonschema_rs.Draft202012Validator(closed, validate_formats=True, formats={"date-time": is_instant})


def _closed(node: Json) -> Json:
    """Copy a schema so that it refuses unknown members.

    Conditions stay unchanged: a closed `if` would not match a message that has other members too.
    """
    if isinstance(node, list):
        return [_closed(item) for item in node]
    if not isinstance(node, dict):
        return node
    copied = {key: value if key in _CONDITIONS else _closed(value) for key, value in node.items()}
    if copied.get("format") == "date-time":
        copied["anyOf"] = [{"pattern": _PLAIN_INSTANT}, {"format": copied.pop("format")}]
    return {**copied, "additionalProperties": False} if isinstance(node.get("properties"), dict) else copied
