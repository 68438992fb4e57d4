"""Builds the requests, with bodies as the platform sends them, just before they start.

Ids are new in every run, so that a connector that remembers an earlier run does not look faulty. All ids of one event
begin with its mark. So an answer with the id of another event shows that it belongs to that event.
"""

from __future__ import annotations

import base64
import secrets
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol
from urllib.parse import urlsplit

import orjson

from jwo_contract.messages import document, message
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation
from jwo_contract.profile import Profile
from jwo_contract.sigv4 import sign
from jwo_contract.values import format_instant
from load.errors import GeneratorBroke
from load.schedule import Kind, Share

_REMEMBERED = 64
RUN_DIGITS = 15
"""The number of characters at the start of a mark that all marks of a run share."""
_PIECES = "unit"
_AGAIN = {Kind.SCAN_AGAIN: VERIFY_IDENTITY_KEYS, Kind.CART_AGAIN: CREATE_PURCHASES}


@dataclass(slots=True)
class Event:
    """One scan or one cart, which may be sent several times. Each time it must get the answer of the first time."""

    operation: Operation
    mark: str
    body: dict[str, object]
    expected_status: int
    again_status: int
    """The status of a duplicate after the first answer; before that, either status is right."""
    visitor_type: str = ""
    answer: int | None = None
    """The digest of the visitor or purchase in the first answer."""
    answered_ns: int = 0
    """The time of the first answer."""
    times_sent: int = 0

    def statuses(self, sent_ns: int) -> tuple[int, ...]:
        """Return the right statuses of an answer to a request that was sent at `sent_ns`."""
        if self.answered_ns and sent_ns > self.answered_ns:
            return (self.again_status,)
        if self.times_sent > 1 and self.again_status != self.expected_status:
            return self.expected_status, self.again_status
        return (self.expected_status,)

    @property
    def id(self) -> str:
        """The id of the authEvent or of the trip."""
        return self.mark + "00000"


class Keys(Protocol):
    """The source of identity keys."""

    def has(self, kind: str) -> bool:
        """Return whether there are keys of this kind."""

    def take(self, kind: str) -> str | None:
        """Return a key without waiting; None if no key is ready."""


class Traffic:
    """Creates the events of a run, and the bytes of each request."""

    def __init__(self, profile: Profile, keys: Keys, share: Share) -> None:
        self._profile = profile
        self._keys = keys
        run = f"{share.run:012x}"
        self._head = f"{run[:8]}-{run[8:]}-4{share.place % 4096:03x}-a"
        self._count = 0
        example = document(VERIFY_IDENTITY_KEYS.request)["examples"][0]
        self._store = profile.store.id or example["storeId"]
        self._items = _items(profile)
        self._recent = {operation: deque[Event](maxlen=_REMEMBERED) for operation in _AGAIN.values()}
        self._heads = {operation: _head(profile, operation) for operation in _AGAIN.values()}
        self._second, self._stamp = -1, ""

    def event(self, kind: Kind, at: float, *, keep: bool = True) -> Event | None:
        """Return the event of a request that is due at this Unix time; None if no key is ready for it.

        With `keep`, a later duplicate may repeat the event.
        """
        if kind in _AGAIN:
            recent = self._recent[_AGAIN[kind]]
            if recent:
                return recent[0]
            kind = Kind.SCAN if kind == Kind.SCAN_AGAIN else Kind.CART
        event = self._cart(at) if kind in (Kind.CART, Kind.CART_TWICE) else self._scan(kind, at)
        if keep and event is not None and kind != Kind.BAD_KEY:
            self._recent[event.operation].append(event)
        return event

    def request(self, event: Event) -> bytes:
        """Return the bytes of a request for an event; each request has a new requestId."""
        body = orjson.dumps({"requestId": _request_id(event), **event.body})
        event.times_sent += 1
        return self._heads[event.operation] + self._extra(event.operation, body) + b"%d\r\n\r\n%s" % (len(body), body)

    def check_own_requests(self) -> None:
        """Check that this generator's own requests follow the contract. Raises GeneratorBroke if they do not."""
        for event in (self._scan(Kind.BAD_KEY, 0.0), self._cart(0.0)):
            assert event is not None
            wrong = message(event.operation.request, self._profile.house).violations(
                {"requestId": _request_id(event), **event.body}
            )
            if wrong:
                raise GeneratorBroke(f"the kit's own {event.operation.name} breaks the contract: {wrong[0].message}")

    def _scan(self, kind: Kind, at: float) -> Event | None:
        key_kind = "associate" if kind == Kind.ASSOCIATE and self._keys.has("associate") else "shopper"
        key = _unknown_key() if kind == Kind.BAD_KEY else self._keys.take(key_kind)
        if key is None:
            return None
        mark = self._mark()
        body: dict[str, object] = {
            "identityKey": key,
            "storeId": self._store,
            "authEvent": {"id": f"{mark}00000", "timestamp": self._time(at), "location": "ENTRY"},
            "keyChannel": "OPTICAL",
        }
        if kind == Kind.BAD_KEY:
            return Event(VERIFY_IDENTITY_KEYS, mark, body, 401, 401)
        success = VERIFY_IDENTITY_KEYS.success
        return Event(VERIFY_IDENTITY_KEYS, mark, body, success, success, key_kind.upper())

    def _cart(self, at: float) -> Event:
        mark = self._mark()
        entered = self._time(at - 300)
        entry = {"id": f"{mark}00001", "timestamp": entered, "location": "ENTRY", "payloadType": "FINANCIAL"}
        item_id, item_type, unit = self._items[self._count % len(self._items)]
        number = 1 + self._count % 3
        item = {
            "id": item_id,
            "type": item_type,
            "quantity": {"value": str(number) if unit == _PIECES else f"{number}.25", "unit": unit},
            "lineItemId": "line-1",
        }
        body: dict[str, object] = {
            "idempotentShoppingTripId": f"{mark}00000",
            "storeId": self._store,
            "shoppingTrip": {"startTime": entered, "endTime": self._time(at), "authEvents": [entry]},
            "cartItems": [item],
        }
        again = self._profile.house.ordering.duplicate_status
        return Event(CREATE_PURCHASES, mark, body, CREATE_PURCHASES.success, again)

    def _mark(self) -> str:
        """Return the mark of a new event, a UUID without its last five digits: run, place of the worker, number."""
        self._count += 1
        number = f"{self._count:010x}"
        return f"{self._head}{number[:3]}-{number[3:]}"

    def _time(self, at: float) -> str:
        second = max(int(at), 0)
        if second != self._second:
            self._second, self._stamp = second, format_instant(datetime.fromtimestamp(second, UTC))
        return self._stamp

    def _extra(self, operation: Operation, body: bytes) -> bytes:
        connector = self._profile.connector
        if connector.auth != "sigv4":
            return b"Content-Length: "
        url = connector.url + operation.path
        headers = {"Host": urlsplit(url).netloc, "Content-Type": "application/json"}
        signed = sign("POST", url, headers, body, connector.key, region=connector.region, now=datetime.now(UTC))
        added = (f"{name}: {value}\r\n" for name, value in signed.items() if name not in headers)
        return ("".join(added) + "Content-Length: ").encode()


def _request_id(event: Event) -> str:
    return f"{event.mark}{(2 + event.times_sent) % 0x100000:05x}"


def _head(profile: Profile, operation: Operation) -> bytes:
    connector = profile.connector
    parts = urlsplit(connector.url + operation.path)
    lines = [f"POST {parts.path} HTTP/1.1", f"Host: {parts.netloc}", "Content-Type: application/json"]
    if connector.auth == "headers":
        lines += [f"{name}: {value}" for name, value in connector.headers.items()]
    return "".join(f"{line}\r\n" for line in lines).encode()


def _items(profile: Profile) -> list[tuple[str, str, str]]:
    """Return the declared items with their types and units, or the published sample."""
    example, catalog = document(CREATE_PURCHASES.request)["examples"][0]["cartItems"][0], profile.catalog
    declared = [
        *((sku, "SKU", _PIECES) for sku in catalog.skus),
        *((code, "SCANCODE", _PIECES) for code in catalog.scancodes),
        *((sku, "SKU", profile.house.simulator.weight_unit) for sku in catalog.weighted_skus),
    ]
    return declared or [(example["id"], example["type"], _PIECES)]


def _unknown_key() -> str:
    return base64.b64encode(b"nobody" + secrets.token_hex(9).encode()).decode()
