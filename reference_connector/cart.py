"""Reads Create Purchases requests: checks the schema and the rules that no schema can express, and hashes the cart."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jwo_contract.values import parse_instant
from jwo_toolkit.json_types import Json
from reference_connector.errors import InvalidRequest
from reference_connector.messages import RequestReader, request_hash
from reference_connector.payments.payer import Payer, payer_of


class Cart(NamedTuple):
    """The final cart of a trip.

    `shopper_id` is the id of the person that pays: the retailer's id, or the platform's id of a card, or empty if the
    cart has neither. `auth_events` are the events of the trip, as sent.
    """

    request_id: str
    trip_id: str
    store_id: str
    shopper_id: str
    payer: Payer
    items: list[Json]
    request_hash: bytes
    auth_events: list[Json]


def is_before(text: str, other: str) -> bool:
    """Return whether one instant is before another. Both are in the format of `parse_instant`."""
    return parse_instant(text) < parse_instant(other)


class CartReader:
    """Reads request bodies; `instant_is_before` compares two instants in the format of the wire."""

    def __init__(self, requests: RequestReader, instant_is_before: Callable[[str, str], bool] = is_before) -> None:
        self._requests = requests
        self._is_before = instant_is_before

    def read(self, body: bytes) -> Cart:
        """Return the cart. Raises InvalidRequest, which names the first broken rule."""
        request, known = self._requests.read_known(body)
        trip, items = request["shoppingTrip"], request["cartItems"]
        if self._is_before(trip["endTime"], trip["startTime"]):
            raise InvalidRequest("shoppingTrip.endTime is before its startTime")
        _check_line_items(items)
        shopper_id, payer = _shopper_and_payer(trip, request)
        request_id = known.pop("requestId")  # a repetition may have another one
        hashed = request_hash(known)
        trip_id, store_id = request["idempotentShoppingTripId"], request["storeId"]
        return Cart(request_id, trip_id, store_id, shopper_id, payer, items, hashed, trip["authEvents"])


def _check_line_items(items: list[Json]) -> None:
    ids = [line_id for item in items if (line_id := item.get("lineItemId"))]
    if len(ids) != len(set(ids)):
        raise InvalidRequest("lineItemId is not unique in the cart")


def _shopper_and_payer(trip: Json, request: Json) -> tuple[str, Payer]:
    """Return the id of the person that decides who pays, and the payer.

    If the first entry is by card, that card pays, and the scans of others do not count. Else the first scan decides.
    """
    events = trip["authEvents"]
    is_by_card = bool(events) and events[0]["payloadType"] == "FINANCIAL"
    scans = [scan for event in (events[:1] if is_by_card else events) if (scan := event.get("scanResult"))]
    shopper_id = next((scan["id"] for scan in scans if scan.get("id")), "")
    shopper_id = shopper_id or request.get("shopperIdentity", {}).get("id", "")
    scan_types = [scan["type"] for scan in scans if scan.get("type")]
    return shopper_id, payer_of(scan_types, [event["payloadType"] for event in events], shopper_id)
