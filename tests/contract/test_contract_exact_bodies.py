"""The short way to read a body: it takes nothing that the long way would refuse or change."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract import messages

NAMES = [name for name in messages.names() if messages.document(name).get("examples")]
CART = "create_purchases.request"


def _example(name: str) -> Any:
    return messages.document(name)["examples"][0]


def _objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for item in node for found in _objects(item)]
    return [node, *_objects(list(node.values()))] if isinstance(node, dict) else []


def _named_objects(name: str) -> list[int]:
    """Say which objects of the example have their members named by the schema: others are maps of anything."""
    schema = messages.message(name)
    numbers = []
    for number in range(len(_objects(_example(name)))):
        body = _example(name)
        _objects(body)[number]["xNovelty"] = 1
        if schema.is_valid(body) and schema.read_exact(orjson.dumps(body)) is None:
            numbers.append(number)
    return numbers


@pytest.mark.parametrize("name", NAMES)
def test_an_example_is_read_as_it_is(name: str) -> None:
    assert messages.message(name).read_exact(orjson.dumps(_example(name))) == _example(name)


def test_a_member_that_the_schema_does_not_name_is_seen_at_every_depth() -> None:
    assert _named_objects(CART) == list(range(len(_objects(_example(CART)))))


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b"{}", b"null", b'"text"', b"[" * 2000, b'{"a":' * 2000])
def test_an_invalid_body_is_left_to_the_general_reader(body: bytes) -> None:
    assert messages.message(CART).read_exact(body) is None


def test_a_null_is_left_to_the_general_reader() -> None:
    body = _example(CART) | {"shopperDeviceId": None}
    assert messages.message(CART).read_exact(orjson.dumps(body)) is None


def test_a_condition_holds_for_a_body_that_is_read_exactly() -> None:
    name = "resolve_scan.request"
    event = {"id": "1", "channel": "OPTICAL", "value": "not*base64"}
    assert messages.message(name).read_exact(orjson.dumps(_example(name) | {"scanEvent": event})) is None


@given(st.data())
def test_the_exact_and_the_general_reader_agree(data: st.DataObject) -> None:
    body = _example(CART)
    for target in _objects(body):
        if target and data.draw(st.booleans()):
            name = data.draw(st.sampled_from([*target, "xNovelty"]))
            target[name] = data.draw(st.sampled_from([None, "", "1.0", "x", 1, [], {}, "2026-02-09T12:00:00Z"]))
    sent, schema = orjson.dumps(body), messages.message(CART)
    exact = schema.read_exact(sent)
    if exact is not None:
        assert exact == messages.parse_object(sent)
        assert schema.is_valid(exact)
