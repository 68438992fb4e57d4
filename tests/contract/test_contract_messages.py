from __future__ import annotations

import copy
from importlib import resources
from typing import Any

import jsonschema_rs
import orjson
import pytest

from jwo_contract import messages
from jwo_contract.errors import BrokenContractFile, MalformedBody
from jwo_contract.house import DEFAULT, House, Identity, Ordering

IDENTITY = "verify_identity_keys.request"
CART = "create_purchases.request"


def example(name: str) -> dict[str, Any]:
    return messages.document(name)["examples"][0]


def changed(name: str, path: str, value: object) -> dict[str, Any]:
    """The example of a message with one member replaced; list entries by their number."""
    body = copy.deepcopy(example(name))
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    node: Any = body
    for step in parents:
        node = node[step]
    node[last] = value
    return body


def examples() -> list[tuple[str, dict[str, Any]]]:
    return [(name, body) for name in messages.names() for body in messages.document(name).get("examples", [])]


def test_every_call_of_the_contract_has_an_example() -> None:
    names = {name for name, _ in examples()}
    assert {name for name in messages.names() if name.endswith((".request", ".response"))} <= names


@pytest.mark.parametrize(("name", "body"), examples())
def test_example_is_valid(name: str, body: dict[str, Any]) -> None:
    assert messages.message(name).violations(body) == []
    assert messages.message(name).is_valid(body)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        (IDENTITY, "requestId", "not a uuid!"),
        (IDENTITY, "requestId", "a1b2c3d4-e5f6-7890-abcd-ef1234567890\n"),
        (IDENTITY, "requestId", " a1b2c3d4-e5f6-7890-abcd-ef1234567890"),
        (IDENTITY, "identityKey", "A" * 1004),
        (IDENTITY, "identityKey", "not*base64="),
        (IDENTITY, "identityKey", "YWJj\n"),
        (IDENTITY, "identityKey", "YWI"),
        (IDENTITY, "identityKey", ""),
        (IDENTITY, "storeId", "S" * 256),
        (IDENTITY, "authEvent.timestamp", "yesterday"),
        (IDENTITY, "authEvent.timestamp", "2024-02-09T17:53:57Z\n"),
        (IDENTITY, "authEvent.timestamp", "2016-12-31T23:59:60Z"),
        (IDENTITY, "authEvent.timestamp", "0000-01-01T00:00:00Z"),
        (IDENTITY, "authEvent.location", "ROOF"),
        (IDENTITY, "keyChannel", "SMELL"),
        (CART, "storeId", 7),
        (CART, "cartItems.0.quantity.value", "12345678901"),
        (CART, "cartItems.0.quantity.value", "-1"),
        (CART, "cartItems.0.quantity.value", "1\n"),
        (CART, "cartItems.0.type", "THING"),
        (CART, "shoppingTrip.authEvents.0.id", "has a blank"),
        (CART, "shoppingTrip.authEvents.0.id", "a" * 256),
        (CART, "cartItems", [None]),
    ],
)
def test_both_engines_find_an_error_at_its_path(name: str, path: str, value: object) -> None:
    body = changed(name, path, value)
    compiled = messages.message(name)
    assert not compiled.is_valid(body)
    dotted = "".join(f"[{step}]" if step.isdigit() else f".{step}" for step in path.split(".")).lstrip(".")
    assert {violation.path.removesuffix("[0]") for violation in compiled.violations(body)} == {dotted}


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        (IDENTITY, "identityKey", "A" * 1000),
        (IDENTITY, "storeId", "\N{SHOPPING TROLLEY}" * 255),
        (IDENTITY, "authEvent.timestamp", "2024-02-09T18:53:57.25+01:00"),
        (IDENTITY, "requestId", "A1B2C3D4-E5F6-7890-ABCD-EF1234567890"),
        (CART, "cartItems", []),
        (CART, "shoppingTrip.authEvents", []),
        (CART, "shoppingTrip.authEvents.0.scanResult", {"id": ""}),
        (CART, "cartItems.0.quantity.unit", "lb"),
        (CART, "somethingNew", {"deep": [1]}),
        (CART, "cartItems.0.quantity.somethingNew", True),
    ],
)
def test_what_the_contract_allows_is_valid(name: str, path: str, value: object) -> None:
    assert messages.message(name).violations(changed(name, path, value)) == []
    assert messages.message(name).is_valid(changed(name, path, value))


def test_each_missing_member_is_named() -> None:
    paths = [violation.path for violation in messages.message(IDENTITY).violations({"authEvent": {}})]
    assert paths == [
        "requestId",
        "identityKey",
        "storeId",
        "authEvent.id",
        "authEvent.timestamp",
        "authEvent.location",
    ]


def test_a_violation_never_repeats_the_value() -> None:
    (violation,) = messages.message(IDENTITY).violations(changed(IDENTITY, "identityKey", "secret*key"))
    assert "secret" not in repr(violation)


def house_keywords(node: Any) -> list[tuple[str, Any, str]]:
    if isinstance(node, list):
        return [found for item in node for found in house_keywords(item)]
    if not isinstance(node, dict):
        return []
    here = [(keyword, node.get(keyword), setting) for keyword, setting in node.get("x-house", {}).items()]
    return here + [found for value in node.values() for found in house_keywords(value)]


def raw_schemas() -> list[Any]:
    """The raw schema files, without the values of the house rules."""
    return [orjson.loads(entry.read_bytes()) for entry in (resources.files("jwo_contract") / "schemas").iterdir()]


def test_value_in_a_schema_is_the_default_of_its_setting() -> None:
    found = house_keywords(raw_schemas())
    assert len(found) >= 8
    for keyword, written, setting in found:
        value = DEFAULT.value(setting)
        assert (list(value) if isinstance(value, tuple) else value) == written, f"{keyword} of {setting}"


def test_a_changed_house_rule_changes_the_compiled_schema() -> None:
    open_house = House(identity=Identity(locations=("ENTRY", "EXIT")), ordering=Ordering(auth_event_id_pattern="^e$"))
    leaving = changed(IDENTITY, "authEvent.location", "EXIT")
    assert not messages.message(IDENTITY).is_valid(leaving)
    assert messages.message(IDENTITY, open_house).is_valid(leaving)
    assert messages.message(IDENTITY, open_house).violations(leaving) == []
    assert not messages.message(CART, open_house).is_valid(example(CART))
    assert messages.message(CART).is_valid(example(CART))


def test_changed_document_does_not_change_the_schema() -> None:
    messages.document(IDENTITY)["required"].clear()
    assert not messages.message(IDENTITY, House()).is_valid({})
    assert messages.document(IDENTITY)["required"]


@pytest.mark.parametrize("name", messages.names())
def test_self_contained_schema_has_no_references(name: str) -> None:
    text = repr(messages.self_contained(name))
    assert "$ref" not in text
    assert "$defs" not in text


def test_self_contained_schema_accepts_the_same_messages() -> None:
    compiled = jsonschema_rs.Draft202012Validator(messages.self_contained(IDENTITY))
    assert compiled.is_valid(example(IDENTITY))
    assert not compiled.is_valid(changed(IDENTITY, "identityKey", "A" * 1004))
    assert not compiled.is_valid(changed(IDENTITY, "identityKey", "not*base64="))


def test_an_unknown_message_is_named() -> None:
    with pytest.raises(BrokenContractFile, match="no schema named nothing"):
        messages.message("nothing")


def test_null_counts_as_absent_at_every_depth() -> None:
    body = messages.parse_object(b'{"a":null,"b":{"c":null,"d":[{"e":null,"f":1},null]}}')
    assert body == {"b": {"d": [{"f": 1}, None]}}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"nope",
        b"{",
        b"{} {}",
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}',
        b'{"a":"\xff"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b"[]",
        b"null",
        b'"text"',
        b"1",
        b"true",
        b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' + b"[" * 600 + b"]" * 600 + b"}",
        b'{"a":' * 101 + b"1" + b"}" * 101,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_body_that_is_not_a_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        messages.parse_object(body)


def test_deepest_allowed_body_is_checked() -> None:
    body = messages.parse_object(b'{"authEvent":' + b"[" * 99 + b"]" * 99 + b"}")
    assert not messages.message(IDENTITY).is_valid(body)
    assert messages.message(IDENTITY).violations(body)


def test_last_value_of_a_repeated_member_counts() -> None:
    assert messages.parse_object(b'{"a":1,"a":2}') == {"a": 2}
