"""Requests of the suite: a builder makes valid ones from the profile, and drafts change a copy in exactly one place.

A path such as `shoppingTrip.authEvents[0].id` names a member of a message.
"""

from __future__ import annotations

import copy
import json
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

from conformance.errors import HarnessBroke, NotDeclared
from contract.house import House
from contract.messages import message
from contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS, Operation
from contract.profile import Profile
from contract.values import format_instant

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
SAMPLE_STORE = "STORE-001"
SAMPLE_SKUS = ("SKU-001", "SKU-002")
SAMPLE_UPC = "123456789012"


class Draft(NamedTuple):
    """A request before it is sent: its operation and its body as JSON."""

    operation: Operation
    body: dict[str, Any]

    def encoded(self) -> bytes:
        """Encode the body as JSON."""
        return json.dumps(self.body, ensure_ascii=False).encode()

    def again(self) -> Draft:
        """Copy it as a further attempt: with a new requestId if it has one, and otherwise the same."""
        if "requestId" not in self.body:
            return self
        return self.with_value("requestId", str(uuid.uuid4()))

    def without(self, path: str) -> Draft:
        """Copy it without one member."""
        body, steps = copy.deepcopy(self.body), _steps(path)
        del _parent(body, steps)[steps[-1]]
        return Draft(self.operation, body)

    def with_value(self, path: str, value: object) -> Draft:
        """Copy it with another value at a path; missing objects on the path are created."""
        body, steps = copy.deepcopy(self.body), _steps(path)
        _parent(body, steps)[steps[-1]] = value
        return Draft(self.operation, body)

    def value(self, path: str) -> Any:  # noqa: ANN401 - any JSON
        """Return the value at an existing path."""
        steps = _steps(path)
        return _parent(copy.deepcopy(self.body), steps)[steps[-1]]

    def checked(self, house: House) -> Draft:
        """Return it if it keeps its schema. Raises HarnessBroke if it does not: that is a bug in the suite."""
        violations = message(self.operation.request, house).violations(self.body)
        if violations:
            raise HarnessBroke(f"the suite's own request is wrong: {'; '.join(each.message for each in violations)}")
        return self


class Builder:
    """Makes valid requests for the profile's store, with new ids each time and the current time."""

    def __init__(self, profile: Profile, now: Callable[[], datetime]) -> None:
        self._profile = profile
        self._now = now
        self._store_id = profile.store.id or SAMPLE_STORE

    def scan(self, identity_key: str) -> Draft:
        """Return a Verify Identity Keys request for a key."""
        body = {
            "requestId": str(uuid.uuid4()),
            "identityKey": identity_key,
            "storeId": self._store_id,
            "authEvent": {"id": str(uuid.uuid4()), "timestamp": format_instant(self._now()), "location": "ENTRY"},
            "keyChannel": "OPTICAL",
        }
        return Draft(VERIFY_IDENTITY_KEYS, body).checked(self._profile.house)

    def cart(self, lines: list[dict[str, Any]] | None = None) -> Draft:
        """Return a Create Purchases request with the given lines, or with one line of a declared SKU."""
        end = self._now()
        start = end - timedelta(minutes=9, seconds=39)
        body = {
            "requestId": str(uuid.uuid4()),
            "idempotentShoppingTripId": str(uuid.uuid4()),
            "storeId": self._store_id,
            "shoppingTrip": {
                "startTime": format_instant(start),
                "endTime": format_instant(end),
                "authEvents": [self.auth_event(start)],
            },
            "cartItems": [self.line()] if lines is None else lines,
        }
        return Draft(CREATE_PURCHASES, body).checked(self._profile.house)

    def auth_event(self, at: datetime | None = None) -> dict[str, Any]:
        """Return the authEvent of one person who entered with the app."""
        return {
            "id": str(uuid.uuid4()),
            "timestamp": format_instant(at or self._now()),
            "location": "ENTRY",
            "payloadType": "SCAN_CODE",
        }

    def line(self, item: str = "", kind: str = "SKU", value: str = "1.0", unit: str = "unit") -> dict[str, Any]:
        """Return a cart line of the given item, or of the first declared SKU."""
        quantity = {"value": value, "unit": unit}
        return {"id": item or self.skus(1)[0], "type": kind, "quantity": quantity}

    def skus(self, count: int) -> tuple[str, ...]:
        """Return `count` declared SKUs; Amazon's samples if none is declared. Raises NotDeclared if fewer are."""
        skus = self._profile.catalog.skus or SAMPLE_SKUS
        if len(skus) < count:
            raise NotDeclared(f"[catalog] skus lists {len(skus)} item, and this case needs {count}")
        return skus[:count]

    def scancode(self) -> str:
        """Return a declared barcode. Raises NotDeclared if there is none."""
        return _first(self._profile.catalog.scancodes, "[catalog] scancodes")

    def weighted_sku(self) -> str:
        """Return a declared SKU that is sold by weight. Raises NotDeclared if there is none."""
        return _first(self._profile.catalog.weighted_skus, "[catalog] weighted_skus")


def with_unknown_members(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Copy a JSON value with an additional unknown member in every object."""
    if isinstance(value, dict):
        changed = {name: with_unknown_members(member) for name, member in value.items()}
        return {**changed, "xFutureAttribute": {"any": ["thing", 1, None]}}
    return [with_unknown_members(item) for item in value] if isinstance(value, list) else value


def _first(declared: tuple[str, ...], name: str) -> str:
    if not declared:
        raise NotDeclared(f"{name} is not declared in the profile")
    return declared[0]


def _steps(path: str) -> list[str | int]:
    return [int(index) if index else name for name, index in _STEP.findall(path)]


def _parent(body: Any, steps: list[str | int]) -> Any:  # noqa: ANN401 - any JSON
    for step, following in pairwise(steps):
        if isinstance(body, dict):
            body = body.setdefault(step, [] if isinstance(following, int) else {})
        else:
            if step == len(body):
                body.append({})
            body = body[step]
    return body
