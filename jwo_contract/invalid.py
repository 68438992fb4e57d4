"""Sentences about values that pydantic did not accept: what is wrong with each, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails

_WORDS = {
    "Value error, ": "",
    "Input should be a valid tuple": "must be a list",
    "Input should be": "must be",
    "String should have": "must have",
    ", unable to parse string as an integer": "",
    ", unable to parse string as a number": "",
    "a valid string": "a text",
}


def describe(model: type[BaseModel], error: ErrorDetails) -> str:
    """Return what is wrong with a value of a model, and what to do. The sentence does not name the value's place."""
    if error["type"] == "missing":
        return "missing; add it"
    if error["type"] == "extra_forbidden":
        return _unknown_name(model, error["loc"])
    if error["type"] == "literal_error" and (near := _nearest(error["input"], str(error["ctx"]["expected"]))):
        return f"{error['input']!r} is no value of it; did you mean {near}?"
    text = error["msg"]
    for words, plain in _WORDS.items():
        text = text.replace(words, plain)
    return text


def _nearest(value: object, expected: str) -> str:
    """Return the expected value that is nearest to a text; empty where none is near."""
    known = re.findall(r"'([^']*)'", expected)
    return next(iter(get_close_matches(str(value), known, n=1)), "")


def _unknown_name(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    name, table = str(place[-1]), _table_at(model, place[:-1])
    known = sorted(table.model_fields) if table else []
    if near := get_close_matches(name, known, n=1):
        return f"unknown name; did you mean {near[0]}?"
    everywhere = {f"{path}.{key}" if path else key: key for path, keys in _tables(model) for key in keys}
    if elsewhere := [path for path, key in everywhere.items() if key == name]:
        return f"unknown name here; did you mean {elsewhere[0]}?"
    names = f"the names here are {', '.join(known)}"
    if far := get_close_matches(name, list(everywhere.values()), n=1, cutoff=0.8):
        path = next(path for path, key in everywhere.items() if key == far[0])
        return f"unknown name here; did you mean {path}? Otherwise {names}"
    return f"unknown name; {names}"


def _tables(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield every table of a model, by its path, with its names."""
    yield path, list(model.model_fields)
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _tables(kind, f"{path}.{name}" if path else name)


def _table_at(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel] | None:
    """Return the model of a table inside a model; None if the place is no table.

    A number in the place is an index of a list of tables.
    """
    for name in (each for each in place if isinstance(each, str)):
        field = model.model_fields.get(name)
        annotation = field.annotation if field else None
        kind = next((each for each in get_args(annotation) if isinstance(each, type)), annotation)
        if not isinstance(kind, type) or not issubclass(kind, BaseModel):
            return None
        model = kind
    return model
