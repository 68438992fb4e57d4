"""A valid Create Purchases request: its schema, the rules that no schema can say, and what makes two carts equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from contract.house import House
from contract.messages import Json, self_contained
from contract.operations import CREATE_PURCHASES
from contract.values import is_before
from reference_connector.dispatch import MessageReader
from reference_connector.errors import InvalidRequest
from reference_connector.idempotency import fingerprint
from reference_connector.payments import Payer, payer_of


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
        self._messages = MessageReader(CREATE_PURCHASES, house)
        self._known = known_members(self_contained(CREATE_PURCHASES.request, house))

    def read(self, body: bytes) -> Cart:
        """Return the cart; InvalidRequest names the first rule that it breaks."""
        exact = self._messages.read_exact(body)
        request = exact or self._messages.read(body)
        trip = request["shoppingTrip"]
        _check_times(trip)
        _check_line_items(request["cartItems"])
        known = exact or self._known(request)
        request_id = known.pop("requestId")
        return Cart(
            request_id,
            request["idempotentShoppingTripId"],
            request["storeId"],
            *_who(trip, request),
            request["cartItems"],
            fingerprint(known),
        )


def known_members(schema: Json) -> Callable[[Json], Json]:
    """Make what copies a valid JSON value without the members that its schema does not name, at every depth.

    The members of a copy stand in the schema's order. It is made once, as walking the schema costs more than copying.
    """
    if "items" in schema:
        copy_item = known_members(schema["items"])
        return lambda items: [copy_item(item) for item in items]
    if "properties" not in schema:
        return lambda value: value
    plain = [name for name, member in schema["properties"].items() if not {"properties", "items"} & member.keys()]
    nested = [(name, known_members(schema["properties"][name])) for name in schema["properties"] if name not in plain]

    def copy_object(value: Json) -> Json:
        copied = {name: value[name] for name in plain if name in value}
        for name, copy in nested:
            if name in value:
                copied[name] = copy(value[name])
        return copied

    return copy_object


def _check_times(trip: Json) -> None:
    """A schema cannot compare."""
    if is_before(trip["endTime"], trip["startTime"]):
        raise InvalidRequest("shoppingTrip.endTime is before its startTime")


def _check_line_items(items: list[Json]) -> None:
    ids = [line_id for item in items if (line_id := item.get("lineItemId"))]
    if len(ids) != len(set(ids)):
        raise InvalidRequest("lineItemId is not unique in the cart")


def _who(trip: Json, request: Json) -> tuple[str, Payer]:
    """Return who entered first, and who pays."""
    events = trip["authEvents"]
    scans = [scan for event in events if (scan := event.get("scanResult"))]
    shopper_id = next((scan["id"] for scan in scans if scan.get("id")), "") if scans else ""
    shopper_id = shopper_id or request.get("shopperIdentity", {}).get("id", "")
    scan_types = [scan["type"] for scan in scans if scan.get("type")]
    return shopper_id, payer_of(scan_types, [event["payloadType"] for event in events], shopper_id)
