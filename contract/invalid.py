"""Sentences about values that pydantic did not accept: what is wrong with each, and what to do."""

from __future__ import annotations

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
    text = error["msg"]
    for words, plain in _WORDS.items():
        text = text.replace(words, plain)
    return text


def _unknown_name(model: type[BaseModel], place: tuple[int | str, ...]) -> str:
    known = sorted(_table_at(model, place[:-1]).model_fields)
    near = get_close_matches(str(place[-1]), known, n=1)
    return "unknown name; " + (f"did you mean {near[0]}?" if near else f"the names here are {', '.join(known)}")


def _table_at(model: type[BaseModel], place: tuple[int | str, ...]) -> type[BaseModel]:
    """Return the model of a table inside a model; a number in the place is an index of a list of tables."""
    for name in (each for each in place if isinstance(each, str)):
        annotation = model.model_fields[name].annotation
        kind = next((each for each in get_args(annotation) if isinstance(each, type)), annotation)
        assert isinstance(kind, type)
        assert issubclass(kind, BaseModel)
        model = kind
    return model
