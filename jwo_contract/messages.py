"""The messages: their JSON Schemas, and validators, which are compiled once.

Two engines read the same files: jsonschema-rs checks a message in microseconds, and jsonschema explains each error.
A house rule decides a schema keyword with `x-house`; its value is set when the schema is compiled.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import lru_cache, partial
from importlib import resources
from typing import Any, NamedTuple, cast

import jsonschema_rs
import orjson
from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from jwo_contract.errors import BadValue, BrokenContractFile, MalformedBody
from jwo_contract.house import DEFAULT, House
from jwo_contract.references import inline
from jwo_contract.values import parse_instant
from jwo_toolkit.json_types import Json
from jwo_toolkit.patterns import PATTERN_LIMITS, matches

_SCHEMAS = resources.files("jwo_contract") / "schemas"
_DEEPEST = 100  # no message has more than 5 levels; some hundreds would exhaust Python's stack


class Violation(NamedTuple):
    """One error in a message: its place (`authEvent.id`), the broken keyword, and a sentence for people."""

    path: str
    keyword: str
    message: str
    by_house: bool = False
    """Whether the broken rule is a house rule, and not Amazon's."""


def parse_object(body: bytes) -> dict[str, Json]:
    """Read a JSON object without its null members, as null counts as absent.

    Raises MalformedBody if the body is not a JSON object, or is nested too deeply.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise MalformedBody(f"the body is JSON but not an object: it is {_kind(value)}")
    if b"null" not in body and body.count(b"{") + body.count(b"[") <= _DEEPEST:
        return value  # it has no null and is not deep, so a copy would be equal
    return cast("dict[str, Json]", without_nulls(value))


def without_nulls(value: Json, deepest: int = _DEEPEST) -> Json:
    """Copy a JSON value without null members of objects. A null in a list stays, and breaks its schema.

    Raises MalformedBody if lists and objects are nested deeper than `deepest` levels.
    """
    if isinstance(value, (dict, list)) and not deepest:
        raise MalformedBody(f"the body is nested deeper than {_DEEPEST} levels")
    if isinstance(value, dict):
        return {name: without_nulls(member, deepest - 1) for name, member in value.items() if member is not None}
    if isinstance(value, list):
        return [without_nulls(item, deepest - 1) for item in value]
    return value


def names() -> list[str]:
    """Return the name of every message, such as `create_purchases.request`."""
    files = (entry.name for entry in _SCHEMAS.iterdir())
    return sorted(name.removesuffix(".json") for name in files if name.endswith(".json") and name != "defs.json")


def document(name: str, house: House = DEFAULT) -> dict[str, Json]:
    """Return a copy of the schema of a message, with the values of the house rules. The caller may change it."""
    return copy.deepcopy(_documents(house)[f"{name}.json"])


def self_contained(name: str, house: House = DEFAULT) -> dict[str, Json]:
    """Return the schema with every reference replaced by its target, for users that cannot follow files."""
    documents, file = _documents(house), f"{name}.json"
    inlined = inline(documents[file], partial(_target, here=file, documents=documents))
    for keyword in ("$schema", "$id", "$defs"):
        inlined.pop(keyword, None)
    return cast("dict[str, Json]", inlined)


class MessageSchema:
    """The compiled schema of a message. It checks bodies that `parse_object` returned."""

    def __init__(self, name: str, house: House = DEFAULT) -> None:
        documents = _documents(house)
        if f"{name}.json" not in documents:
            raise BrokenContractFile(f"there is no schema named {name}; there are {', '.join(names())}")
        self.name = name
        self._fast = _compiled(name, documents)
        registry: Registry[Json] = Registry().with_resources(
            (file, Resource.from_contents(text, default_specification=DRAFT202012)) for file, text in documents.items()
        )
        self._wordy = _WordyValidator(documents[f"{name}.json"], registry=registry, format_checker=_formats())

    def is_valid(self, body: Json) -> bool:
        """Return whether the body is valid."""
        return self._fast.is_valid(body)

    def violations(self, body: Json) -> list[Violation]:
        """List every error, the nearest to the root first; empty if the body is valid."""
        errors = sorted(self._wordy.iter_errors(body), key=lambda error: (len(error.absolute_path), error.json_path))
        return [_violation(error) for error in errors]


@lru_cache(maxsize=256)
def message(name: str, house: House = DEFAULT) -> MessageSchema:
    """Return the validator of a message, which is compiled once."""
    return MessageSchema(name, house)


def _compiled(name: str, documents: dict[str, dict[str, Json]]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(
        documents[f"{name}.json"],
        retriever=lambda uri: documents[uri.rsplit("/", 1)[-1]],
        base_uri=f"schema:///{name}.json",
        validate_formats=True,
        formats={"date-time": is_instant},
        pattern_options=PATTERN_LIMITS,
    )


def _violation(error: ValidationError) -> Violation:
    path = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path).lstrip(".")
    keyword = str(error.validator)
    if keyword == "required":
        path = f"{path}.{error.message}".lstrip(".")
        return Violation(path, keyword, f"{path} is missing")
    by_house = isinstance(error.schema, dict) and keyword in error.schema.get("x-house", {})
    return Violation(path, keyword, f"{path or 'the body'} {_in_words(keyword, error)}", by_house)


def _in_words(keyword: str, error: ValidationError) -> str:
    limit = error.validator_value
    words = {
        "type": f"must be of type {limit}",
        "enum": f"must be one of {', '.join(map(str, limit)) if isinstance(limit, list) else limit}",
        "maxLength": f"is longer than {limit} characters",
        "minLength": "is empty",
        "maxItems": f"has more than {limit} entries",
        "minItems": f"has fewer than {limit} entries",
        "format": f"is not a {limit}",
        "pattern": "is not of the required form",
    }
    return words.get(keyword, f"breaks {keyword}")


@lru_cache(maxsize=64)
def _documents(house: House) -> dict[str, dict[str, Json]]:
    files = [entry for entry in _SCHEMAS.iterdir() if entry.name.endswith(".json")]
    return {entry.name: _with_house(orjson.loads(entry.read_bytes()), house) for entry in files}


def _with_house(node: Json, house: House) -> Json:
    if isinstance(node, list):
        return [_with_house(item, house) for item in node]
    if not isinstance(node, dict):
        return node
    changed = {key: _with_house(value, house) for key, value in node.items()}
    for keyword, setting in node.get("x-house", {}).items():
        value = house.value(setting)
        changed[keyword] = list(value) if isinstance(value, tuple) else value
    return changed


def _target(reference: str, here: str, documents: dict[str, dict[str, Json]]) -> Json:
    """Return the target of a reference in the file `here`, with its own references replaced."""
    file, _, pointer = reference.partition("#")
    target: Json = documents[file or here]
    for step in pointer.strip("/").split("/"):
        target = target[step]
    return inline(target, partial(_target, here=file or here, documents=documents))


def _kind(value: Json) -> str:
    return {list: "a list", str: "a text", bool: "a truth value", type(None): "null"}.get(type(value), "a number")


def is_instant(value: Json) -> bool:
    """Return whether a text is an instant. Both engines use this, as their own checks of date-time differ."""
    try:
        parse_instant(value)
    except BadValue:
        return False
    return True


def _formats() -> FormatChecker:
    checker = FormatChecker(formats=())
    checker.checks("date-time")(lambda value: not isinstance(value, str) or is_instant(value))
    return checker


def _pattern(_validator: Any, pattern: str, instance: Json, _schema: Json) -> Iterator[ValidationError]:  # noqa: ANN401 - jsonschema's signature
    """Match as the fast engine does. Python's own `$` would accept a line feed at the end, and may take without end."""
    if isinstance(instance, str) and not matches(pattern, instance):
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


def _required(_validator: Any, names: list[str], instance: Json, _schema: Json) -> Iterator[ValidationError]:  # noqa: ANN401 - as above
    """Yield the name of each missing member; jsonschema's own message has a sentence around it."""
    if isinstance(instance, dict):
        yield from (ValidationError(name) for name in names if name not in instance)


_WordyValidator = extend(Draft202012Validator, {"pattern": _pattern, "required": _required})  # type: ignore[no-untyped-call]
