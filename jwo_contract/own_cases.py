"""A case of the profile: a request that the profile's owner wrote, and the answer that it expects.

The body is JSON text. The suite replaces the placeholders in it: `{uuid}` by a new id at each place, `{now}` by the
time, `{store}` by the profile's store, and `{key.KIND}` by an identity key, such as `{key.shopper}`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from jwo_contract.key_kinds import KEY_KINDS
from jwo_contract.operations import OPERATIONS

ID = "own:"
"""The beginning of the id of such a case; its name follows."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,78}[A-Za-z0-9._-])?")
_CALLS = tuple(each.name for each in OPERATIONS if each.called_by == "platform")
_PLACEHOLDER = re.compile(r"\{([A-Za-z_]+(?:\.[A-Za-z_]*)?)\}")
PLACEHOLDERS = frozenset({"uuid", "now", "store", *(f"key.{kind}" for kind in KEY_KINDS)})


class OwnCase(BaseModel):
    """One table `[[case]]` of the profile: a whole `body`, or `members` that change the suite's valid request."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    """A unique name, which the report shows."""
    operation: str
    """The call, by its display name, such as `Verify Identity Keys`."""
    status: int = Field(ge=100, le=599)
    """The status that the answer must have."""
    body: str = Field(default="", max_length=1_000_000)
    """The whole body, with placeholders such as `{uuid}`."""
    members: dict[str, Any] = Field(default_factory=dict)
    """Instead of a body: members that change the valid request of the suite."""
    expected: dict[str, Any] = Field(default_factory=dict)
    """Members that the answer must have, with these values; the answer may have more."""

    @property
    def id(self) -> str:
        """Return the id in a report and for `jwo replay`."""
        return ID + self.name

    @field_validator("name")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"{name[:80]!r} is not a name of a case; use 1 to 80 letters, digits, blanks, dots, hyphens and "
                "underscores, with a letter or digit first"
            )
        return name

    @field_validator("operation")
    @classmethod
    def _is_a_call(cls, operation: str) -> str:
        if operation not in _CALLS:
            raise ValueError(f"{operation[:80]!r} is not a call to a connector; use one of {', '.join(_CALLS)}")
        return operation

    @field_validator("expected")
    @classmethod
    def _fits_the_profile(cls, expected: dict[str, Any]) -> dict[str, Any]:
        if _has_null(expected):
            raise ValueError("expected has a null, which a profile cannot hold; leave that member out")
        return expected

    @model_validator(mode="after")
    def _has_one_request(self) -> Self:
        if self.body and self.members:
            raise ValueError(f"the case {self.name} has body and members; remove one of the two")
        texts = (self.body, json.dumps(self.members))
        unknown = {found for text in texts for found in _PLACEHOLDER.findall(text)} - PLACEHOLDERS
        if unknown:
            raise ValueError(
                f"the case {self.name} has the placeholder {{{min(unknown)}}}, which does not exist; "
                f"use {', '.join(f'{{{each}}}' for each in sorted(PLACEHOLDERS))}"
            )
        return self


def _has_null(value: Any) -> bool:  # noqa: ANN401 - any JSON
    members = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return value is None or any(_has_null(each) for each in members)


def filled(text: str, value_of: Callable[[str], str]) -> str:
    """Return a JSON text with each placeholder replaced; `value_of` gets its name and returns its value."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        return json.dumps(value_of(name), ensure_ascii=False)[1:-1] if name in PLACEHOLDERS else match[0]

    return _PLACEHOLDER.sub(value, text)


def to_toml(case: OwnCase) -> str:
    """Return a case with a body as a table of the profile."""
    lines = [
        "[[case]]",
        f"name = {_text(case.name)}",
        f"operation = {_text(case.operation)}",
        f"status = {case.status}",
    ]
    lines += [f"body = {_multiline(case.body)}"] if case.body else []
    if case.expected:
        lines += ["", "[case.expected]", *(f"{_text(name)} = {_value(each)}" for name, each in case.expected.items())]
    return "\n".join(lines) + "\n"


def _text(text: str) -> str:
    """Return a basic string. It has the escapes of JSON, and one for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _multiline(text: str) -> str:
    return f"'''\n{text}\n'''" if _may_be_literal(text) else _text(text)


def _may_be_literal(text: str) -> bool:
    return "'''" not in text and all(letter == "\n" or (letter >= " " and letter != "\x7f") for letter in text)


def _value(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_text(name)} = {_value(each)}" for name, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_value(each) for each in value) + "]"
    return _text(value) if isinstance(value, str) else json.dumps(value)
