from __future__ import annotations

import copy
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jwo_contract import messages
from jwo_contract.errors import MalformedBody

NAMES = [name for name in messages.names() if "examples" in messages.document(name)]

TEXTS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        [
            "",
            "x" * 255,
            "x" * 256,
            "A" * 1000,
            "A" * 1004,
            "\N{SHOPPING TROLLEY}" * 255,
            "SKU",
            "ENTRY",
            "EXIT",
            "UPC",
            "DONE",
            "1.0",
            "1.",
            "01",
            "1\n",
            "\u0661",
            "YQ==",
            "YQ==\n",
            "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
            "a1b2c3d4-e5f6-7890-abcd-ef1234567890\n",
            "2024-02-09T17:53:57Z",
            "2024-02-09t17:53:57.5+23:59",
            "2024-02-09T17:53:57Z\n",
            "2024-02-09T17:53Z",
            "2024-02-30T17:53:57Z",
            "2016-12-31T23:59:60Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T23:59:59-23:00",
        ]
    ),
    st.datetimes().map(lambda instant: instant.isoformat() + "Z"),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False), TEXTS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(node: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [here, *(found for step, value in inner for found in places(value, (*here, step)))]


def put(body: Any, place: tuple[Any, ...], action: str, value: Any) -> Any:
    """Replace, remove or enlarge the value at a place."""
    if not place:
        return value if action == "replace" else body
    node = body
    for step in place[:-1]:
        node = node[step]
    if action == "remove":
        del node[place[-1]]
    elif action == "repeat" and isinstance(node, list):
        node.append(copy.deepcopy(node[place[-1]]))
    else:
        node[place[-1]] = value
    return body


@st.composite
def mutated(draw: st.DrawFn, name: str) -> Any:
    body = copy.deepcopy(draw(st.sampled_from(messages.document(name)["examples"])))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.sampled_from(places(body)))
        body = put(body, place, draw(st.sampled_from(["replace", "remove", "repeat"])), draw(VALUES))
    return body


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_both_schema_engines_agree(name: str, data: st.DataObject) -> None:
    compiled = messages.message(name)
    try:
        body = messages.parse_object(orjson.dumps(data.draw(mutated(name))))
    except MalformedBody:
        return
    assert compiled.is_valid(body) == (compiled.violations(body) == [])
