"""Requests of the core: a scan and a cart, valid and with new ids, in the form that the connector accepts."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from conformance.drafts import SAMPLE_STORE, Draft
from conformance.errors import NotDeclared
from conformance.forms import SAMPLE_UPC, Accepted
from jwo_contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from jwo_contract.profile import Profile
from jwo_contract.values import format_instant
from jwo_toolkit.patterns import matches

SAMPLE_SKUS = ("SKU-001", "SKU-002")
_UPC_LENGTH = len(SAMPLE_UPC)


class Builder:
    """Makes valid requests for the profile's store, with new ids each time and the current time."""

    def __init__(self, profile: Profile, now: Callable[[], datetime], accepted: Accepted | None = None) -> None:
        self._profile = profile
        self._now = now
        self._accepted = accepted or Accepted()
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
        return self._in_accepted_form(Draft(VERIFY_IDENTITY_KEYS, body))

    def cart(self, lines: Sequence[dict[str, Any]] | None = None) -> Draft:
        """Return a Create Purchases request with the given lines, or with one line of a declared SKU.

        A line without a `lineItemId` gets one.
        """
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
            "cartItems": _numbered([self.line()] if lines is None else lines),
        }
        return self._in_accepted_form(Draft(CREATE_PURCHASES, body))

    def auth_event(self, at: datetime | None = None) -> dict[str, Any]:
        """Return the authEvent of one person who entered with the app, with the scan result if it is known."""
        event: dict[str, Any] = {
            "id": _event_id(self._profile.house.ordering.auth_event_id_pattern),
            "timestamp": format_instant(at or self._now()),
            "location": "ENTRY",
            "payloadType": "SCAN_CODE",
        }
        if self._accepted.shopper_id:
            event["scanResult"] = {"id": self._accepted.shopper_id, "type": "SHOPPER"}
        return event

    def line(self, item: str = "", kind: str = "SKU", value: str = "1.0", unit: str = "unit") -> dict[str, Any]:
        """Return a cart line of the given item, or of the first declared SKU."""
        quantity = {"value": value, "unit": unit}
        return {"id": item or self.skus(1)[0], "type": kind, "quantity": quantity}

    def weighed_line(self, value: str) -> dict[str, Any]:
        """Return a cart line of a declared SKU that is sold by weight. Raises NotDeclared if there is none."""
        return self.line(self.weighted_sku(), value=value, unit=self.weight_unit)

    @property
    def weight_unit(self) -> str:
        """The unit in which the store weighs."""
        return self._profile.house.simulator.weight_unit

    def upc(self) -> str:
        """Return a declared barcode of 12 digits, or else that of Amazon's sample."""
        codes = self._profile.catalog.scancodes
        upcs = [code for code in codes if len(code) == _UPC_LENGTH and code.isdecimal()]
        return [*upcs, SAMPLE_UPC][0]

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

    def _in_accepted_form(self, complete: Draft) -> Draft:
        return self._accepted.form(complete.operation).of(complete.checked(self._profile.house))


def _event_id(pattern: str) -> str:
    """Return a new id of an authEvent that fits a pattern. Raises NotDeclared if none of the suite's forms fits."""
    new = uuid.uuid4()
    forms = (str(new), new.hex, str(new.int))
    fitting = [form for form in forms if matches(pattern, form)]
    if not fitting:
        raise NotDeclared(
            f"[house.ordering] auth_event_id_pattern {pattern!r} fits neither a UUID nor digits; correct the pattern"
        )
    return fitting[0]


def _numbered(lines: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"lineItemId": f"line-{number}", **line} for number, line in enumerate(lines, 1)]


def _first(declared: tuple[str, ...], name: str) -> str:
    if not declared:
        raise NotDeclared(f"{name} is not declared in the profile")
    return declared[0]
