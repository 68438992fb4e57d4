"""A valid Create Purchases request: its schema, the rules that no schema can say, and what makes two carts equal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from contract.errors import BadValue
from contract.house import House
from contract.messages import Json, self_contained
from contract.operations import CREATE_PURCHASES
from contract.values import parse_instant
from reference_connector.errors import InvalidRequest
from reference_connector.idempotency import fingerprint
from reference_connector.payments import Payer, payer_of
from reference_connector.wire import read_message


class Cart(NamedTuple):
    """The final cart of a trip; `shopper_id` is the retailer's id of who entered first, empty for a card shopper."""

    request_id: str
    trip_id: str
    store_id: str
    shopper_id: str
    payer: Payer
    items: list[Json]
    fingerprint: bytes


class CartReader:
    """Reads request bodies under the house's rules."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._schema = self_contained(CREATE_PURCHASES.request, house)

    def read(self, body: bytes) -> Cart:
        """Return the cart; InvalidRequest names the first rule that it breaks."""
        request = read_message(body, CREATE_PURCHASES, self._house)
        trip = request["shoppingTrip"]
        _check_times(trip)
        _check_line_items(request["cartItems"])
        known = known_members(request, self._schema)
        del known["requestId"]
        return Cart(
            request["requestId"],
            request["idempotentShoppingTripId"],
            request["storeId"],
            *_who(trip, request),
            request["cartItems"],
            fingerprint(known),
        )


def known_members(value: Json, schema: Json) -> Json:
    """Copy a JSON value without the members that its schema does not name, at every depth."""
    if isinstance(value, dict):
        members = schema.get("properties", {})
        return {name: known_members(member, members[name]) for name, member in value.items() if name in members}
    if isinstance(value, list):
        return [known_members(item, schema.get("items", {})) for item in value]
    return value


def _check_times(trip: Json) -> None:
    """The schema lets a second of :60 through, and cannot compare."""
    try:
        for event in trip["authEvents"]:
            if "timestamp" in event:
                parse_instant(event["timestamp"])
        start, end = parse_instant(trip["startTime"]), parse_instant(trip["endTime"])
    except BadValue as error:
        raise InvalidRequest("a time of the shoppingTrip is not a date and time") from error
    if end < start:
        raise InvalidRequest("shoppingTrip.endTime is before its startTime")


def _check_line_items(items: list[Json]) -> None:
    ids = [item["lineItemId"] for item in items if item.get("lineItemId")]
    if len(ids) != len(set(ids)):
        raise InvalidRequest("lineItemId is not unique in the cart")


def _who(trip: Json, request: Json) -> tuple[str, Payer]:
    """Return who entered first, and who pays."""
    shopper_id = next(_shopper_ids(trip, request), "")
    events = trip["authEvents"]
    scan_types = [event["scanResult"]["type"] for event in events if event.get("scanResult", {}).get("type")]
    return shopper_id, payer_of(scan_types, [event["payloadType"] for event in events], shopper_id)


def _shopper_ids(trip: Json, request: Json) -> Iterator[str]:
    for event in trip["authEvents"]:
        if event.get("scanResult", {}).get("id"):
            yield event["scanResult"]["id"]
    if request.get("shopperIdentity", {}).get("id"):
        yield request["shopperIdentity"]["id"]
