"""Sets of scans with keys and stores that the connector does not know, or like the declared ones."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping

from conformance.drafts import Draft
from conformance.errors import NotDeclared
from conformance.requests import Requests
from conformance.scan_parts import FULL_WIDTH, SHORTEST_DIVISIBLE, ScanSet, with_values
from conformance.variants import Variant, with_own_ids
from jwo_contract.key_kinds import KeyKind
from jwo_toolkit.json_types import Json

_LONGEST_STORE = 255

# keys


def _with_keys(base: Draft, keys: Mapping[str, bytes]) -> Iterator[Variant]:
    """Send decoded keys."""
    for label, key in keys.items():
        own = with_own_ids(base)
        yield Variant(f"a key {label}", own.with_value("identityKey", base64.b64encode(key).decode()))


def _useless_keys(base: Draft, _requests: Requests) -> Iterator[Variant]:
    """Send keys that no shopper has, of content that breaks careless programs."""
    length = len(base64.b64decode(base.value("identityKey")))
    return _with_keys(base, {
        "with quotes": b"nobody' or '1'='1",
        "with double quotes": b'nobody" or "1"="1',
        "with a backslash": b"nobody\\",
        "of wildcards": b"%",
        "of wildcards for one character": b"_" * length,
        "of a star": b"*",
        "with a percent sign": b"nobody 100% %s %n",
        "of braces": b"{0} ${nobody} {}",
        "of markup": b"<nobody>&amp;</nobody>",
        "of JSON": b'{"id": "nobody", "type": "SHOPPER"}',
        "of a path": b"../../nobody",
        "with a NUL byte": b"nobody\x00nobody",
        "with line ends": b"nobody\r\nnobody\n",
        "in other scripts": "никто 誰も אף אחד".encode(),
        "of emoji": "🛒👤".encode(),
        "that is no text": b"\xff\xfe\xfd\x80nobody",
        "with half a character": b"nobody\xed\xa0\x80",
        "of digits": "".join(secrets.choice("123456789") for _ in range(20)).encode(),
        "of one byte": b"~",
        "of two bytes": b"~0",
        "of 600 bytes": b"nobody" * 100,
        "that reads null": b"null",
    })  # fmt: skip


def _parts_of(key: bytes) -> dict[str, bytes]:
    half = len(key) // 2
    return {
        "cut in half": key[:half],
        "without its first half": key[half:],
        "with a wildcard for its end": key[:half] + b"%",
        "with a NUL byte and more": key + b"\x00nobody",
        "with a byte inside that is no text": key[:half] + b"\xff" + key[half:],
    }


def _writings_of(key: bytes) -> dict[str, bytes]:
    text = key.decode(errors="replace")
    return {
        "in the other case": text.swapcase().encode(),
        "with a blank before it": b" " + key,
        "with a blank after it": key + b" ",
        "with a line end": key + b"\n",
        "with a byte order mark": b"\xef\xbb\xbf" + key,
        "in full-width characters": text.translate(FULL_WIDTH).encode(),
        "with one more character": key + b"x",
        "without its last character": key[:-1],
    }


def _parts_of_a_key(base: Draft, requests: Requests) -> Iterator[Variant]:
    return _with_keys(base, _parts_of(_declared(requests, "shopper")))


def _writings_of_a_key(base: Draft, requests: Requests) -> Iterator[Variant]:
    key = _divisible(base64.b64decode(base.body["identityKey"]), "shopper")
    if key.startswith(requests.profile.house.scan_key.prefix.encode()):
        raise NotDeclared("the shopper's key is a code, which may be written in several ways; declare a fixed key")
    return _with_keys(base, {label: other for label, other in _writings_of(key).items() if other != key})


def _refused_key(base: Draft, requests: Requests) -> Iterator[Variant]:
    key = _declared(requests, "refused")
    return _with_keys(base, {"that is refused": key} | {
        f"that is refused, {label}": other for label, other in (_parts_of(key) | _writings_of(key)).items()
    })  # fmt: skip


def _declared(requests: Requests, kind: KeyKind) -> bytes:
    return _divisible(base64.b64decode(requests.keys.take(kind)), kind)


def _divisible(key: bytes, kind: KeyKind) -> bytes:
    if len(key) < SHORTEST_DIVISIBLE:
        raise NotDeclared(f"[keys] {kind} is shorter than {SHORTEST_DIVISIBLE} bytes, so that a part may be a key too")
    return key


# stores


def _unknown_stores(base: Draft, requests: Requests) -> Iterator[Variant]:
    """Send ids that no store has, some of them like the declared one, and other visitors at an unknown store."""
    store = _store(requests)
    yield from _stores(base, requests, {
        "of a wildcard": "%",
        "of wildcards for each character": "_" * len(store),
        "of a star": "*",
        "with more text": f"{store}-no-such-store",
        "with a NUL and more": f"{store}\0nowhere",
        "in full-width characters": store.translate(FULL_WIDTH),
        "with quotes": f"{store}' or '1'='1",
        "of emoji": "🛒🏬",
        "of 255 letters of two bytes": "Ж" * _LONGEST_STORE,
        "with dashes and underscores exchanged": store.translate({ord("-"): "_", ord("_"): "-"}),
        **({"cut in half": store[: len(store) // 2]} if _is_telling(store) else {}),
    })  # fmt: skip
    for kind in ("associate", "cash_shopper"):
        if requests.keys.has(kind):
            scan = requests.build.scan(requests.keys.take(kind))
            label = kind.replace("_", " ")
            yield Variant(f"storeId unknown, for the {label}", scan.with_value("storeId", "no-such-store"))


def _is_telling(store: str) -> bool:
    """Say whether half of a store's id is hardly the id of another store, as it could be with numbers."""
    return len(store) >= SHORTEST_DIVISIBLE and any(character.isalpha() for character in store)


def _writings_of_a_store(base: Draft, requests: Requests) -> Iterator[Variant]:
    store = _store(requests)
    return _stores(base, requests, {
        "in the other case": store.swapcase(),
        "with a blank before it": f" {store}",
        "with a blank after it": f"{store} ",
        "with a line end": f"{store}\n",
    })  # fmt: skip


def _stores(base: Draft, requests: Requests, ids: Mapping[str, str]) -> Iterator[Variant]:
    declared = {requests.profile.store.id, requests.profile.store.other_id}
    others: dict[str, Json] = {label: each for label, each in ids.items() if each not in declared}
    return with_values(base, "storeId", others)


def _store(requests: Requests) -> str:
    if not requests.profile.store.id:
        raise NotDeclared("[store] id is not declared in the profile")
    return requests.profile.store.id


KEY_SETS: dict[str, ScanSet] = {
    "useless key": _useless_keys,
    "part of the shopper's key": _parts_of_a_key,
    "other writing of the shopper's key": _writings_of_a_key,
    "writing of the refused key": _refused_key,
    "unknown store": _unknown_stores,
    "other writing of the store": _writings_of_a_store,
}
