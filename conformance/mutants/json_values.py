"""Reads members of JSON values by path, for the small connector and its faults."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

Body = dict[str, Any]


def at(body: object, path: str) -> list[Any]:
    """Return the values at a path, in which `[]` means each entry of a list, with None for a missing value."""
    values: list[object] = [body]
    for step in path.split("."):
        name, each = step.removesuffix("[]"), step.endswith("[]")
        values = [value.get(name) if isinstance(value, dict) else None for value in values]
        if each:
            values = [entry for value in values if isinstance(value, list) for entry in value]
    return values


def text_at(body: object, path: str) -> str:
    """Return the text at a path; empty if there is no text."""
    value = at(body, path)[0]
    return value if isinstance(value, str) else ""


def without_nulls(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Copy a JSON value without members that are null."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def cut(pattern: str) -> Callable[[str], str]:
    """Return a function that removes what matches a pattern from a text."""
    return lambda text: re.sub(pattern, "", text)


def any_value(path: str, test: Callable[[str], object]) -> Callable[[Body], bool]:
    """Return a test for a body: whether a value at a path passes a test."""
    return lambda body: any(isinstance(value, str) and bool(test(value)) for value in at(body, path))


def entries_of(body: Body) -> list[Any]:
    """Return the authEvents of a cart."""
    return at(body, "shoppingTrip.authEvents[]")


def key_bytes_of(body: object) -> bytes:
    """Return the decoded `identityKey` of a scan; empty if it is not valid Base64."""
    with suppress(ValueError):
        return base64.b64decode(text_at(body, "identityKey"), validate=True)
    return b""
