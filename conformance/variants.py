"""Sets of requests that differ from a valid one in one respect: unusual values to accept, and wrong values to refuse.

Features name the sets, and findings show the labels of their variants.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

from conformance.drafts import Draft
from conformance.forms import IGNORED, OPTIONAL, SAMPLE_UPC, SAMPLES, places, with_sample, without_each
from jwo_contract.house import House
from jwo_contract.messages import self_contained
from jwo_toolkit.json_types import Json
from jwo_toolkit.patterns import matches

_EVENTS = "shoppingTrip.authEvents"
_SCAN_RESULT = "shoppingTrip.authEvents[0].scanResult"
_IDENTIFIERS = "cartItems[0].externalIdentifiers"
_UNICODE = "Ångström 牛乳 🛒 עגלה"


class Variant(NamedTuple):
    """One request of a set, with a label for its difference. `raw` is its body if the difference is in the encoding."""

    label: str
    draft: Draft
    raw: bytes | None = None

    @property
    def encoded(self) -> bytes:
        """Return the body to send."""
        return self.draft.encoded() if self.raw is None else self.raw


New = Callable[[], Draft]
"""Makes a valid request with new ids each time, so that no variant is a duplicate of another."""
Variants = Callable[[New, House], Iterator[Variant]]


def with_own_ids(draft: Draft) -> Draft:
    """Copy it with new ids, and with the same key or cart."""
    own = draft.again()
    if "idempotentShoppingTripId" in own.body:
        return own.with_value("idempotentShoppingTripId", str(uuid.uuid4()))
    return own.with_value("authEvent.id", str(uuid.uuid4()))


def _vary(new: New, values: dict[str, list[Json]]) -> Iterator[Variant]:
    for path, choices in values.items():
        for value in choices:
            yield Variant(f"{path} {_show(value)}", new().with_value(path, value))


def _show(value: Json) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"of {len(value)} characters"  # noqa: PLR2004 - fits a line


def _times(new: New, _house: House) -> Iterator[Variant]:
    """Write the times with fractions and offsets, for the same instants."""
    forms: dict[str, Callable[[datetime], str]] = {
        "with a fraction": lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.123Z"),
        "with microseconds": lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.123456Z"),
        "with offset zero": lambda at: at.isoformat(),
        "with an offset to the east": lambda at: at.astimezone(timezone(timedelta(hours=2))).isoformat(),
        "with an offset to the west": lambda at: at.astimezone(timezone(-timedelta(hours=5, minutes=30))).isoformat(),
    }
    for label, write in forms.items():
        changed = new()
        for path in _time_paths(changed):
            changed = changed.with_value(path, write(datetime.fromisoformat(changed.value(path))))
        yield Variant(f"times {label}", changed)


def _time_paths(draft: Draft) -> tuple[str, ...]:
    if "authEvent" in draft.body:
        return ("authEvent.timestamp",)
    return ("shoppingTrip.startTime", "shoppingTrip.endTime", "shoppingTrip.authEvents[0].timestamp")


def _uuids(new: New, _house: House) -> Iterator[Variant]:
    paths = ("requestId", "authEvent.id") if "authEvent" in new().body else ("requestId",)
    for path in paths:
        fresh = uuid.uuid4()
        yield Variant(f"{path} in upper case", new().with_value(path, str(fresh).upper()))
        for version in (1, 7):
            other = str(uuid.UUID(int=fresh.int & ~(0xF << 76) | version << 76))
            yield Variant(f"{path} of version {version}", new().with_value(path, other))


def _json_styles(new: New, _house: House) -> Iterator[Variant]:
    """Write the same JSON with spaces, with escapes and in another order."""
    own = new()
    yield Variant("written over many lines", own, json.dumps(own.body, indent=4).encode())
    own = new()
    yield Variant("its members in reverse order", own, json.dumps(reordered(own.body)).encode())
    own = new()
    yield Variant("a character as an escape", own, own.encoded().replace(b"ENTRY", b"\\u0045NTRY"))


def reordered(value: Json) -> Json:
    """Copy a JSON value with the members of every object in reverse order."""
    if isinstance(value, dict):
        return {name: reordered(member) for name, member in reversed(value.items())}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def _nulls(new: New, _house: House) -> Iterator[Variant]:
    if "authEvent" in new().body:
        return _vary(new, {"keyChannel": [None]})
    paths = ("shopperIdentity", "shopperDeviceId", "paymentSource", "cartItems[0].lineItemId",
             "cartItems[0].externalIdentifiers", "shoppingTrip.authEvents[0].scanResult",
             "shoppingTrip.authEvents[0].location", "shoppingTrip.authEvents[0].timestamp")  # fmt: skip
    return _vary(new, {path: [None] for path in paths})


def _channels(new: New, house: House) -> Iterator[Variant]:
    return _vary(new, {"keyChannel": list(house.identity.key_channels)})


def _longest_key(new: New, _house: House) -> Iterator[Variant]:
    return _vary(new, {"identityKey": [base64.b64encode(b"k" * 750).decode()]})


def _longest_texts(new: New, house: House) -> Iterator[Variant]:
    longest, event_id = "a" * 255, "shoppingTrip.authEvents[0].id"
    fitting = [sign * 255 for sign in "aA0" if matches(house.ordering.auth_event_id_pattern, sign * 255)]
    yield from _vary(new, {event_id: list[Json](fitting[:1])})
    paths = ("shopperIdentity.id", "shopperDeviceId", "cartItems[0].lineItemId")
    yield from _vary(new, {path: [longest] for path in paths} | {"cartItems[0].quantity.value": ["1.00000000"]})
    identifiers = [{"id": longest, "type": "UPC"}]
    yield Variant("an external identifier of 255 characters", new().with_value(_IDENTIFIERS, identifiers))
    yield Variant("scanResult.id of 255 characters", _with_scan_result(new(), id=longest))


def _trip_ids(new: New, _house: House) -> Iterator[Variant]:
    unique = uuid.uuid4().hex
    ids = [f"{unique}{'t' * (255 - len(unique))}", f"trip {unique}", f"{unique} {_UNICODE}", f"{unique}/'\";--"]
    return _vary(new, {"idempotentShoppingTripId": list[Json](ids)})


def _similar_trip_ids(new: New, _house: House) -> Iterator[Variant]:
    """Write different ids that are equal if a program cuts them, compares a prefix or converts them to numbers."""
    unique, number = uuid.uuid4().hex, str(uuid.uuid4().int)[:12]
    longest = f"{unique}{'t' * (254 - len(unique))}"
    ids = {
        "some text": unique,
        "that text and more": f"{unique}-2",
        "another last character": f"{unique[:-1]}_",
        "255 characters": f"{longest}1",
        "255 characters, another last one": f"{longest}2",
        "a number": f"9{number}",
        "the number with a leading zero": f"09{number}",
        "the number with a fraction": f"9{number}.0",
    }
    for label, trip_id in ids.items():
        yield Variant(f"idempotentShoppingTripId: {label}", new().with_value("idempotentShoppingTripId", trip_id))


def _free_texts(new: New, _house: House) -> Iterator[Variant]:
    paths = ("cartItems[0].quantity.unit", "cartItems[0].lineItemId", "shopperDeviceId", "shopperIdentity.id")
    return _vary(new, {path: [_UNICODE] for path in paths})


def _published_values(new: New, _house: House) -> Iterator[Variant]:
    for kind in ("SHOPPER", "ASSOCIATE", "CASH", "LOYALTY"):
        yield Variant(f"scanResult.type {kind}", _with_scan_result(new(), type=kind))
    event = "shoppingTrip.authEvents[0]"
    values: dict[str, list[Json]] = {
        f"{event}.payloadType": ["FINANCIAL", "SCAN_CODE"],
        f"{event}.location": ["ENTRY", "MANUAL_IN_STORE"],
        _IDENTIFIERS: [[{"id": SAMPLE_UPC, "type": "UPC"}]],
    }
    yield from _vary(new, values)


def _house_values(new: New, house: House) -> Iterator[Variant]:
    rules, event = house.ordering, "shoppingTrip.authEvents[0]"
    for kind in rules.scan_types:
        yield Variant(f"scanResult.type {kind}", _with_scan_result(new(), type=kind))
    values: dict[str, list[Json]] = {
        f"{event}.location": list(rules.locations),
        _IDENTIFIERS: [[{"id": "12345678", "type": each}] for each in rules.identifier_types],
    }
    yield from _vary(new, values)


def _left_out(new: New, _house: House) -> Iterator[Variant]:
    """Leave out one optional member of a request that has them all."""
    for path in OPTIONAL[new().operation]:
        whole = new()
        for each in OPTIONAL[whole.operation]:
            whole = whole if places(whole, each) or each not in SAMPLES else with_sample(whole, each)
        yield Variant(f"without {path}", without_each(whole, path))


def _in_part(new: New, _house: House) -> Iterator[Variant]:
    """Send optional objects with only one of their members, or with none."""
    yield Variant("scanResult without members", new().with_value(_SCAN_RESULT, {}))
    yield Variant("scanResult with id alone", new().with_value(_SCAN_RESULT, {"id": "shopper-001"}))
    yield Variant("scanResult with type alone", new().with_value(_SCAN_RESULT, {"type": "SHOPPER"}))
    yield Variant("an external identifier with id alone", new().with_value(_IDENTIFIERS, [{"id": SAMPLE_UPC}]))
    yield Variant("an external identifier with type alone", new().with_value(_IDENTIFIERS, [{"type": "UPC"}]))


def _with_scan_result(draft: Draft, **members: str) -> Draft:
    """Return a cart with a complete scan result, in which some members have other values."""
    known = draft.value(_SCAN_RESULT) if places(draft, _SCAN_RESULT) else {}
    return draft.with_value(_SCAN_RESULT, {"id": "shopper-001", "type": "SHOPPER", **known, **members})


def _groups(new: New, _house: House) -> Iterator[Variant]:
    """Write a group in both ways: an event for each person, or one event, since one code opens the gate for all."""
    people = [new().value(_EVENTS)[0] for _ in range(2)]
    yield Variant("an authEvent for each person of a group", new().with_value(_EVENTS, people))
    whole = new()
    lines = [{**whole.value("cartItems[0]"), "lineItemId": f"person-{number}"} for number in (1, 2)]
    yield Variant("one authEvent for a group", whole.with_value("cartItems", lines))


def _blank_ids(new: New, _house: House) -> Iterator[Variant]:
    yield from _vary(new, {"shopperIdentity.id": [""]})
    yield Variant("scanResult.id left blank", _with_scan_result(new(), id=""))


def _optional_members(new: New, _house: House) -> Iterator[Variant]:
    values: dict[str, list[Json]] = {
        "paymentSource": [{"id": "card-1"}],
        "shopperIdentity": [{}, {"id": "shopper-1"}],
        "shopperDeviceId": ["device-1"],
        "cartItems[0].externalIdentifiers": [[]],
    }
    return _vary(new, values)


def _quantities(new: New, _house: House) -> Iterator[Variant]:
    return _vary(new, {"cartItems[0].quantity.value": ["1", "2.00", "0.125", "1000", "007"]})


def _bad_quantities(new: New, _house: House) -> Iterator[Variant]:
    return _vary(new, {"cartItems[0].quantity.value": ["-1", "one", "1,5", "1e3", "NaN", ".5"]})


def _wrong_types(new: New, house: House) -> Iterator[Variant]:
    """Put values of other JSON types in every member of the schema that a connector must look at."""
    schema = self_contained(new().operation.request, house)
    for path, kind in sorted(each for each in typed_paths(schema) if not each[0].startswith(IGNORED)):
        for value in _OTHER_TYPES[kind]:
            yield Variant(f"{path} {json.dumps(value)}", new().with_value(path, value))
    for path in sorted(_lists_of_objects(schema)):
        for value in (17, "text"):
            yield Variant(f"{path} [{json.dumps(value)}]", new().with_value(path, [value]))


_OTHER_TYPES: dict[str, list[Json]] = {
    "string": [17, True, ["text"], {"text": 1}],
    "object": ["text", ["text"]],
    "array": ["text", {"0": "text"}],
    "number": ["text", [1]],
    "boolean": ["text", {"is": True}],
}


def typed_paths(schema: dict[str, Json], path: str = "") -> Iterator[tuple[str, str]]:
    """Yield each member's path, `[0]` for the entries of a list, and its JSON type."""
    for name, member in schema.get("properties", {}).items():
        here = f"{path}.{name}".lstrip(".")
        if isinstance(member.get("type"), str):
            yield here, member["type"]
        yield from typed_paths(member, here)
        if "items" in member:
            yield from typed_paths(member["items"], f"{here}[0]")


def _lists_of_objects(schema: dict[str, Json], path: str = "") -> Iterator[str]:
    """Yield the path of each list of objects."""
    for name, member in schema.get("properties", {}).items():
        here = f"{path}.{name}".lstrip(".")
        yield from _lists_of_objects(member, here)
        if member.get("items", {}).get("type") == "object":
            yield here
            yield from _lists_of_objects(member["items"], f"{here}[0]")


def _empty_texts(new: New, house: House) -> Iterator[Variant]:
    """Set every required text to an empty one, which counts as missing."""
    for path in sorted(_required_texts(self_contained(new().operation.request, house))):
        yield Variant(f'{path} ""', new().with_value(path, ""))


def _required_texts(schema: dict[str, Json], path: str = "") -> Iterator[str]:
    for name in schema.get("required", []):
        member, here = schema["properties"][name], f"{path}.{name}".lstrip(".")
        if member.get("type") == "string":
            yield here
        yield from _required_texts(member, here)
        yield from _required_texts(member.get("items", {}), f"{here}[0]")


SETS: dict[str, Variants] = {
    "form of time": _times,
    "form of UUID": _uuids,
    "way to write its JSON": _json_styles,
    "optional member as null": _nulls,
    "key channel": _channels,
    "key of the longest kind": _longest_key,
    "text of the longest kind": _longest_texts,
    "form of trip id": _trip_ids,
    "of several trip ids that look alike": _similar_trip_ids,
    "text in other scripts": _free_texts,
    "published value": _published_values,
    "value that the house adds": _house_values,
    "optional member left out": _left_out,
    "optional object in part": _in_part,
    "form of a group": _groups,
    "id left blank": _blank_ids,
    "optional member present": _optional_members,
    "form of quantity": _quantities,
    "text that is no quantity": _bad_quantities,
    "member of a wrong type": _wrong_types,
    "required text empty": _empty_texts,
}
REFUSED = ("text that is no quantity", "member of a wrong type", "required text empty")
"""The sets of invalid requests. They use up no key, since the connector refuses them before it reads the key."""
