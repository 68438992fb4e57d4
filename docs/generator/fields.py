"""Describes the fields of pydantic models: type, limits, default and meaning, as the reference prints them."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docs.generator.markdown import code

_NAMES = {
    str: "text",
    int: "integer",
    float: "number",
    Decimal: "number",
    bool: "true or false",
    Path: "path",
    SecretStr: "secret text",
}
_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
_LENGTHS = {"min_length": "at least {} characters", "max_length": "at most {} characters"}


class Described(NamedTuple):
    """A field as a row of a table: its key, type with limits, default, and meaning."""

    name: str
    kind: str
    default: str
    meaning: str


def described(model: type[BaseModel], name: str) -> Described:
    """Return one field of a model as a row."""
    field = model.model_fields[name]
    limits = [text for text in map(_limit, field.metadata) if text]
    kind = ", ".join([type_name(field.annotation), *limits])
    meaning = field.description or attribute_docs(model).get(name, "")
    return Described(name, kind, default_of(field), inline(meaning))


def type_name(kind: Any) -> str:  # noqa: ANN401 - any annotation
    """Return a type in words, such as `list of text`; a Literal becomes its values."""
    origin, members = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return type_name(members[0])
    if origin is Literal:
        return ", ".join(code(json.dumps(each)) for each in members)
    if origin in {Union, UnionType}:
        return " or ".join(dict.fromkeys(type_name(each) for each in members if each is not NoneType))
    if origin in {tuple, list}:
        return f"list of {type_name(members[0])}"
    if origin is dict:
        return "table of text"
    return _NAMES.get(kind, getattr(kind, "__name__", str(kind)))


def default_of(field: FieldInfo) -> str:
    """Return a default as inline code; `required` if there is none, and an empty text for None."""
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if isinstance(value, SecretStr):
        return "" if not value.get_secret_value() else "a sample value"
    if value is None:
        return ""
    plain = [_portable(each) for each in value] if isinstance(value, (tuple, list)) else _portable(value)
    return code(json.dumps(plain, ensure_ascii=False))


def is_group(field: FieldInfo) -> bool:
    """Return whether a field holds a model of its own."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def inline(text: str) -> str:
    """Return a docstring as one line."""
    return " ".join(text.split())


@cache
def attribute_docs(model: type) -> dict[str, str]:
    """Return the docstrings of a class's attributes, those of its base classes included."""
    found: dict[str, str] = {}
    for base in reversed(model.__mro__):
        if base.__module__.split(".")[0] not in {"builtins", "pydantic", "pydantic_settings", "typing", "abc"}:
            found |= _own_docs(base)
    return found


def _own_docs(model: type) -> dict[str, str]:
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    assert isinstance(tree, ast.ClassDef)
    pairs = zip(tree.body, tree.body[1:], strict=False)
    return {
        before.target.id: after.value.value
        for before, after in pairs
        if isinstance(before, ast.AnnAssign)
        and isinstance(before.target, ast.Name)
        and isinstance(after, ast.Expr)
        and isinstance(after.value, ast.Constant)
        and isinstance(after.value.value, str)
    }


def _limit(limit: object) -> str:
    """Return a limit of a field in words; an empty text for metadata that limits nothing."""
    for name, sign in _SIGNS.items():
        if (bound := getattr(limit, name, None)) is not None:
            return f"{sign} {bound:,}"
    for name, words in _LENGTHS.items():
        if (bound := getattr(limit, name, None)) is not None:
            return words.format(bound)
    return ""


def _portable(value: object) -> object:
    """Return a value that JSON can hold; a path inside this installation becomes its name."""
    if isinstance(value, Path):
        return value.name if value.is_absolute() else str(value)
    if isinstance(value, Decimal):
        return float(value)
    return value
