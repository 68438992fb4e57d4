"""The exact reader: it accepts no body that the plain reader would refuse or change."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jwo_contract import messages
from jwo_contract.house import DEFAULT
from jwo_contract.operations import CREATE_PURCHASES
from reference_connector.accelerated.exact_reader import ExactReader, exact_validator
from reference_connector.errors import InvalidRequest
from reference_connector.messages import RequestReader

NAMES = [name for name in messages.names() if messages.document(name).get("examples")]
CART = "create_purchases.request"


def _read(name: str, body: bytes) -> Any:
    """Read a body with the exact reader; None if it leaves the body to the plain reader."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return value if exact_validator(name, DEFAULT).is_valid(value) else None


def _example(name: str) -> Any:
    return messages.document(name)["examples"][0]


def _objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for item in node for found in _objects(item)]
    return [node, *_objects(list(node.values()))] if isinstance(node, dict) else []


def _named_objects(name: str) -> list[int]:
    """Yield the objects of the example that have members named by the schema; others are free maps."""
    schema = messages.message(name)
    numbers = []
    for number in range(len(_objects(_example(name)))):
        body = _example(name)
        _objects(body)[number]["xNovelty"] = 1
        if schema.is_valid(body) and _read(name, orjson.dumps(body)) is None:
            numbers.append(number)
    return numbers


@pytest.mark.parametrize("name", NAMES)
def test_example_is_read_unchanged(name: str) -> None:
    assert _read(name, orjson.dumps(_example(name))) == _example(name)


def test_unknown_member_is_found_at_every_depth() -> None:
    assert _named_objects(CART) == list(range(len(_objects(_example(CART)))))


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b"{}", b"null", b'"text"', b"[" * 2000, b'{"a":' * 2000])
def test_plain_reader_gets_bodies_that_are_not_messages(body: bytes) -> None:
    assert _read(CART, body) is None


def test_plain_reader_gets_bodies_with_null() -> None:
    body = _example(CART) | {"shopperDeviceId": None}
    assert _read(CART, orjson.dumps(body)) is None


def test_conditions_of_the_schema_hold_in_the_exact_reader() -> None:
    name = "resolve_scan.request"
    event = {"id": "1", "channel": "OPTICAL", "value": "not*base64"}
    assert _read(name, orjson.dumps(_example(name) | {"scanEvent": event})) is None


EXACT, PLAIN = (kind(CREATE_PURCHASES, DEFAULT) for kind in (ExactReader, RequestReader))


def _outcome(reader: RequestReader, body: bytes) -> Any:
    try:
        return reader.read_known(body)
    except InvalidRequest as refusal:
        return str(refusal), refusal.code, refusal.status


@given(st.data())
def test_both_readers_accept_and_refuse_the_same_bodies(data: st.DataObject) -> None:
    body = _example(CART)
    for target in _objects(body):
        if target and data.draw(st.booleans()):
            name = data.draw(st.sampled_from([*target, "xNovelty"]))
            target[name] = data.draw(st.sampled_from([None, "", "1.0", "x", 1, [], {}, "2026-02-09T12:00:00Z"]))
    sent = orjson.dumps(body)
    assert _outcome(EXACT, sent) == _outcome(PLAIN, sent)


@pytest.mark.parametrize("body", [b"", b"no", b"[]", b"{}", b"[" * 2000, b'{"a":' * 2000])
def test_both_readers_refuse_bodies_that_are_not_messages(body: bytes) -> None:
    assert EXACT.read_exact(body) is None
    assert _outcome(EXACT, body) == _outcome(PLAIN, body)
