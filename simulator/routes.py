"""The routes of a store: gates with their readers, trips, and deliveries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from jwo_contract.house import House
from jwo_toolkit.json_types import JsonObject
from simulator.carts import PIECES, Line, checked_quantity
from simulator.delivery import Deliveries
from simulator.entry.app_code import Scan, scan_of_identity_key
from simulator.entry.cards import Instrument
from simulator.entry.identity import BadgeChannel
from simulator.entry.pictures import FORMATS as PICTURE_FORMATS
from simulator.entry.risk import RiskModel
from simulator.errors import BadCall
from simulator.faults import KINDS, Faults, Where, split_faults
from simulator.gates import Gates
from simulator.trips import Trips

_IMAGE_MAX = 5_000_000
Limit = Annotated[int, Query(ge=0, le=1_000_000_000)]
FrameOption = Annotated[
    bool, Query(description="Whether a picture is a frame of a running camera: without a code, no decision follows.")
]
State = Literal["", "pending", "delivered", "dead_letter"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Code(_Body):
    """A code without its image: exactly one of its text and the Base64 of its text."""

    text: str | None = Field(default=None, min_length=1)
    identityKey: str | None = Field(default=None, min_length=1)  # noqa: N815 - the wire's spelling
    joins: str = Field(
        default="", description="The trip of the shopper who came in first on the same means of payment."
    )
    people: int = Field(default=1, description="How many come in on this code, one event each.")

    @property
    def scan(self) -> Scan:
        """Return the code as a scan. Raises BadCall if it has not exactly one of text and identityKey."""
        if self.text is not None and self.identityKey is None:
            return Scan.of_text(self.text)
        if self.identityKey is not None and self.text is None:
            return scan_of_identity_key(self.identityKey)
        raise BadCall("a scan has exactly one of text and identityKey")


class Badge(Code):
    """A badge at its reader."""

    channel: BadgeChannel | None = Field(
        default=None, description="The keyChannel: CONTACT or RADIO; by default that of the store's readers."
    )


class Card(_Body):
    """A means of payment at the reader."""

    instrument: str = Field(min_length=1, max_length=255, description="The platform's id of the means of payment.")
    interaction: Literal["TAP", "INSERT"] = "TAP"
    joins: str = ""
    people: int = 1


class Palm(_Body):
    """A palm at the reader."""

    instrument: str = Field(min_length=1, max_length=255)
    joins: str = ""
    people: int = 1


class LoyaltyCode(_Body):
    """A loyalty card or code."""

    text: str = Field(min_length=1)
    channel: Literal["OPTICAL", "CONTACT", "RADIO"] = "OPTICAL"


class Goods(_Body):
    """Goods that a shopper takes from a shelf or puts back: exactly one of `sku` and `scancode`."""

    sku: str | None = Field(default=None, min_length=1, max_length=255)
    scancode: str | None = Field(default=None, min_length=1, max_length=255)
    quantity: str = "1"
    unit: str = PIECES


class Risks(_Body):
    """The risks that the platform's risk model shall find for a means of payment."""

    risks: list[str] = []


def store_router(
    gates: Gates, trips: Trips, deliveries: Deliveries, faults: Faults, risk: RiskModel, house: House
) -> APIRouter:
    """Make the routes of the store."""
    router = APIRouter(tags=["store"])
    _add_gates(router, gates)
    _add_means_of_payment(router, gates, risk)
    _add_trips(router, trips, gates, faults, house)
    _add_deliveries(router, deliveries)
    return router


def _add_gates(router: APIRouter, gates: Gates) -> None:
    @router.post("/gates/{gate:path}/scans", summary="Show the app's code", openapi_extra=_SCAN_BODY)
    async def scan(gate: str, request: Request, frame: FrameOption = False) -> JsonObject:  # noqa: FBT002 - a query's flag
        body = await request.body()
        if _is_picture(request, body):
            joins = request.query_params.get("joins", "")
            return await gates.scan_picture(gate, body, joins, is_frame=frame)
        code = _code(body)
        return await gates.group(code.people, code.joins, lambda joins: gates.scan(gate, code.scan, joins=joins))

    @router.post("/gates/{gate:path}/badges", summary="Show a badge")
    async def badge(gate: str, badge: Badge) -> JsonObject:

        async def show(joins: str) -> JsonObject:
            return await gates.badge(gate, badge.scan, channel=badge.channel, joins=joins)

        return await gates.group(badge.people, badge.joins, show)

    @router.post("/gates/{gate:path}/loyalty-scans", summary="Show a loyalty card that opens the gate by itself")
    async def loyalty(gate: str, code: LoyaltyCode) -> JsonObject:
        return await gates.loyalty(gate, code.text, code.channel)

    @router.get("/gates/{gate:path}", summary="Show a gate's light, lock and last decision")
    async def show_gate(gate: str) -> JsonObject:
        return gates.state(gate)

    @router.post("/stores/{store_id:path}/assisted-scans", summary="Scan a shopper's code with an associate's device")
    async def assist(store_id: str, code: Code) -> JsonObject:
        if code.joins or code.people != 1:
            raise BadCall("an associate's device scans for one shopper; leave out joins and people")
        return await gates.assist(store_id, code.scan)


def _add_means_of_payment(router: APIRouter, gates: Gates, risk: RiskModel) -> None:
    @router.post("/gates/{gate:path}/cards", summary="Tap or insert a card")
    async def card(gate: str, card: Card) -> JsonObject:
        instrument = Instrument(card.instrument, "CREDIT_CARD", card.interaction)
        return await gates.group(card.people, card.joins, lambda joins: gates.pay(gate, instrument, joins=joins))

    @router.post("/gates/{gate:path}/palms", summary="Hold a palm over the reader")
    async def palm(gate: str, palm: Palm) -> JsonObject:
        instrument = Instrument(palm.instrument, "PALM")
        return await gates.group(palm.people, palm.joins, lambda joins: gates.pay(gate, instrument, joins=joins))

    @router.put("/risk/{instrument:path}", summary="Set the risks that the risk model finds for a means of payment")
    async def know(instrument: str, risks: Risks) -> JsonObject:
        risk.set_risks(instrument, tuple(risks.risks))
        return {"instrument": instrument, "risks": list(risk.judge(instrument).risks)}


def _add_trips(router: APIRouter, trips: Trips, gates: Gates, faults: Faults, house: House) -> None:
    weight = house.simulator.weight_unit

    @router.post("/trips/{trip_id}/pick", summary="Take something off a shelf")
    async def pick(trip_id: str, goods: Goods) -> JsonObject:
        line = _line(goods)
        armed, rest = split_faults(line.id)
        unsuitable = [name for name in armed if KINDS[name].place != "exchange"]
        if unsuitable:
            raise BadCall(f"{unsuitable[0]} is not a fault of exchanges", hint="GET /faults/kinds lists all faults")
        await trips.shopping(trip_id)
        for name, amount in armed.items():
            faults.arm(name, where=Where(operation="Create Purchases", trip=trip_id), amount=amount)
        if armed and not rest:
            return await trips.show(trip_id)
        return await trips.pick(trip_id, line._replace(id=rest), checked_quantity(goods.quantity, goods.unit, weight))

    @router.post("/trips/{trip_id}/put-back", summary="Put something back")
    async def put_back(trip_id: str, goods: Goods) -> JsonObject:
        return await trips.put_back(trip_id, _line(goods), checked_quantity(goods.quantity, goods.unit, weight))

    @router.post("/trips/{trip_id}/loyalty-scans", summary="Show a loyalty card inside the store")
    async def loyalty(trip_id: str, code: LoyaltyCode) -> JsonObject:
        return await gates.loyalty_inside(trip_id, code.text, code.channel)

    @router.post("/trips/{trip_id}/leave", summary="Walk out")
    async def leave(trip_id: str) -> JsonObject:
        return await trips.leave(trip_id)

    @router.get("/trips", summary="List the trips of the shoppers inside")
    async def inside(store: str = "", limit: Limit = 1000) -> JsonObject:
        found = trips.inside(store)
        return {"inside": len(found), "tripIds": found[:limit]}

    @router.get("/trips/{trip_id}", summary="Show a trip")
    async def show_trip(trip_id: str) -> JsonObject:
        return await trips.show(trip_id)


def _add_deliveries(router: APIRouter, deliveries: Deliveries) -> None:
    @router.get("/deliveries", summary="List deliveries with their attempts; state=dead_letter is the dead-letter list")
    async def show_deliveries(tripId: str = "", state: State = "", limit: Limit = 1000) -> list[JsonObject]:  # noqa: N803 - the query's spelling
        return await deliveries.show(tripId, state, limit)

    @router.get("/deliveries/counts", summary="Count deliveries by state")
    async def counts() -> dict[str, int]:
        return await deliveries.counts()

    @router.post("/deliveries/redrive", status_code=202, summary="Send every dead letter again")
    async def redrive_all() -> JsonObject:
        return {"tripIds": await deliveries.redrive_all()}

    @router.post("/deliveries/{trip_id}/redrive", status_code=202, summary="Send a dead letter again")
    async def redrive(trip_id: str) -> JsonObject:
        return await deliveries.redrive(trip_id)


_CODE = TypeAdapter(Code)
_SCAN_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            **{name: {"schema": {"type": "string", "format": "binary"}} for name in PICTURE_FORMATS},
            "application/json": {"schema": Code.model_json_schema()},
        },
    }
}


def _is_picture(request: Request, body: bytes) -> bool:
    """Return whether the body is a picture. Raises BadCall if it is of a format or size that the reader refuses."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media_type.startswith("image/"):
        return False
    if media_type not in PICTURE_FORMATS:
        raise BadCall(f"a picture of type {media_type[:40]}; send {', '.join(PICTURE_FORMATS)}")
    if len(body) > _IMAGE_MAX:
        raise BadCall(f"an image of {len(body)} bytes; send at most {_IMAGE_MAX}")
    return True


def _code(body: bytes) -> Code:
    try:
        return _CODE.validate_json(body)
    except ValidationError as error:
        raise BadCall(
            "the body is not a scan; send a picture such as image/png, or JSON with text or identityKey"
        ) from error


def _line(goods: Goods) -> Line:
    if goods.sku is not None and goods.scancode is None:
        return Line("SKU", goods.sku, goods.unit)
    if goods.scancode is not None and goods.sku is None:
        return Line("SCANCODE", goods.scancode, goods.unit)
    raise BadCall("give exactly one of sku and scancode")
