"""A valid Create Purchases request: its schema, the rules that no schema can say, and what makes two carts equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from contract.values import parse_instant
from jwo_toolkit.json_types import Json
from reference_connector.errors import InvalidRequest
from reference_connector.messages import RequestReader, request_hash
from reference_connector.payments import Payer, payer_of


class Cart(NamedTuple):
    """The final cart of a trip; `shopper_id` is the retailer's id of who entered first, empty for a card shopper."""

    request_id: str
    trip_id: str
    store_id: str
    shopper_id: str
    payer: Payer
    items: list[Json]
    request_hash: bytes


def is_before(text: str, other: str) -> bool:
    """Say whether one instant is before another; both are what `parse_instant` reads."""
    return parse_instant(text) < parse_instant(other)


class CartReader:
    """Reads request bodies; `instant_is_before` compares two instants as they are written."""

    def __init__(self, requests: RequestReader, instant_is_before: Callable[[str, str], bool] = is_before) -> None:
        self._requests = requests
        self._is_before = instant_is_before

    def read(self, body: bytes) -> Cart:
        """Return the cart; raises InvalidRequest, which names the first rule that it breaks."""
        request, known = self._requests.read_known(body)
        trip, items = request["shoppingTrip"], request["cartItems"]
        if self._is_before(trip["endTime"], trip["startTime"]):
            raise InvalidRequest("shoppingTrip.endTime is before its startTime")
        _check_line_items(items)
        shopper_id, payer = _who(trip, request)
        request_id = known.pop("requestId")  # a repetition may have another one
        hashed = request_hash(known)
        return Cart(
            request_id, request["idempotentShoppingTripId"], request["storeId"], shopper_id, payer, items, hashed
        )


def _check_line_items(items: list[Json]) -> None:
    ids = [line_id for item in items if (line_id := item.get("lineItemId"))]
    if len(ids) != len(set(ids)):
        raise InvalidRequest("lineItemId is not unique in the cart")


def _who(trip: Json, request: Json) -> tuple[str, Payer]:
    """Return who entered first, and who pays."""
    events = trip["authEvents"]
    scans = [scan for event in events if (scan := event.get("scanResult"))]
    shopper_id = next((scan["id"] for scan in scans if scan.get("id")), "")
    shopper_id = shopper_id or request.get("shopperIdentity", {}).get("id", "")
    scan_types = [scan["type"] for scan in scans if scan.get("type")]
    return shopper_id, payer_of(scan_types, [event["payloadType"] for event in events], shopper_id)
