"""Strategies from the schemas: members of valid requests, and single changes that make a request invalid.

The members that refer to the connector's data (store, key, items) and those that identify the request (event, trip)
keep the values of the suite's builder. All other members are drawn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from hypothesis import strategies as st

from conformance.drafts import Draft
from conformance.forms import IGNORED
from jwo_contract.house import House
from jwo_contract.messages import self_contained
from jwo_toolkit.json_types import Json

Schema = dict[str, Any]
_NOT_DRAWN = re.compile(
    r"storeId|identityKey|authEvent\.(id|timestamp|location)|idempotentShoppingTripId|shoppingTrip\.(start|end)Time"
    r"|shoppingTrip\.authEvents\[0\]\.(id|timestamp)|cartItems\[0\]\.(id|type|lineItemId)"
)
_TEXT = st.characters(exclude_categories=("Cs", "Cc"))
_ASCII = st.characters(codec="ascii")
"""The characters of the patterns. Without it, Hypothesis first builds a map of all of Unicode, which takes seconds."""
_UUID_LENGTH = 36
_CASES = (str.lower, str.upper, str.title)


class Change(NamedTuple):
    """One change of a valid request: a path and the new value, or the removal of the member."""

    path: str
    value: Json = None
    is_removal: bool = False

    def apply_to(self, draft: Draft) -> Draft:
        """Return the draft with this change."""
        return draft.without(self.path) if self.is_removal else draft.with_value(self.path, self.value)


def valid_members(draft: Draft, house: House) -> st.SearchStrategy[list[Change]]:
    """Draw new values for members of a valid request, which stays valid."""
    leaves = [(path, schema) for path, schema in _leaves(_schema(draft, house)) if not _NOT_DRAWN.fullmatch(path)]
    choices = [st.builds(Change, st.just(path), _values(schema), st.just(value=False)) for path, schema in leaves]
    return st.lists(st.one_of(choices), min_size=1, max_size=6, unique_by=lambda change: change.path)


def broken_steps(draft: Draft, house: House) -> st.SearchStrategy[Change]:
    """Draw one change that makes a valid request invalid: a missing member, a wrong type or value, a long text."""
    return st.one_of([st.sampled_from(changes) for changes in _breaches(_schema(draft, house), draft)])


def _schema(draft: Draft, house: House) -> Schema:
    return self_contained(draft.operation.request, house)


def _leaves(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    for name, member in schema.get("properties", {}).items():
        here = f"{path}.{name}".lstrip(".")
        if member.get("type") == "object":
            yield from _leaves(member, here)
        elif member.get("items", {}).get("type") == "object":
            yield from _leaves(member["items"], f"{here}[0]")
        else:
            yield here, member


def _values(schema: Schema) -> st.SearchStrategy[Json]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    longest = min(schema.get("maxLength", 255), 255)
    if longest == _UUID_LENGTH:  # quicker than the pattern, and always a new value
        return st.builds(lambda text, write: write(str(text)), st.uuids(), st.sampled_from(_CASES))
    if "pattern" in schema:
        pattern = re.compile(schema["pattern"].removeprefix("^").removesuffix("$"), re.ASCII)
        return st.from_regex(pattern, fullmatch=True, alphabet=_ASCII).filter(lambda text: len(text) <= longest)
    return st.text(_TEXT, min_size=1, max_size=longest)


def _breaches(schema: Schema, draft: Draft) -> Iterator[list[Change]]:
    for path, member in _leaves(schema):
        if not _is_there(draft, path) or path.startswith(IGNORED):
            continue
        changes = [Change(path, value) for value in (17, ["text"], {"a": 1})]
        if path.rpartition(".")[2] in _required_at(schema, path):
            changes.append(Change(path, is_removal=True))
        if "enum" in member:
            changes.append(Change(path, "NO-SUCH-VALUE"))
        if "maxLength" in member and "enum" not in member:
            changes.append(Change(path, "a" * (member["maxLength"] + 1)))
        yield changes


def _required_at(schema: Schema, path: str) -> list[str]:
    for step in path.split(".")[:-1]:
        schema = schema["properties"][step.removesuffix("[0]")]
        schema = schema["items"] if step.endswith("[0]") else schema
    required: list[str] = schema.get("required", [])
    return required


def _is_there(draft: Draft, path: str) -> bool:
    try:
        draft.value(path)
    except (KeyError, IndexError, TypeError):
        return False
    return True
