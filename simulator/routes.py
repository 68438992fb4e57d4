"""The store's addresses: gates with all they read, trips, and deliveries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contract.house import House
from jwo_toolkit.json_types import JsonObject
from simulator.carts import PIECES, Line, checked_quantity
from simulator.delivery import Deliveries
from simulator.entry.app_code import Scan, scan_of_identity_key
from simulator.entry.cards import Instrument
from simulator.entry.risk import RiskModel
from simulator.errors import BadCall
from simulator.faults import KINDS, Faults, Where, magic
from simulator.gates import Gates
from simulator.trips import Trips

_IMAGE_MAX = 5_000_000
Limit = Annotated[int, Query(ge=0, le=1_000_000_000)]
State = Literal["", "pending", "delivered", "dead_letter"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Code(_Body):
    """A code without its picture: its text, or the Base64 of it; exactly one."""

    text: str | None = Field(default=None, min_length=1)
    identityKey: str | None = Field(default=None, min_length=1)  # noqa: N815 - the wire's spelling
    joins: str = Field(default="", description="The trip of the first shopper on the same means of payment.")
    people: int = Field(default=1, description="How many come in on this code, one event each.")

    @property
    def scan(self) -> Scan:
        """Return what the reader takes."""
        if self.text is not None and self.identityKey is None:
            return Scan.of_text(self.text)
        if self.identityKey is not None and self.text is None:
            return scan_of_identity_key(self.identityKey)
        raise BadCall("a scan has either text or identityKey")


class Card(_Body):
    """A means of payment at the reader."""

    instrument: str = Field(min_length=1, max_length=255, description="The platform's id of it.")
    interaction: Literal["TAP", "INSERT"] = "TAP"
    joins: str = ""
    people: int = 1


class Palm(_Body):
    """A palm over the reader."""

    instrument: str = Field(min_length=1, max_length=255)
    joins: str = ""
    people: int = 1


class LoyaltyCode(_Body):
    """A loyalty card or code."""

    text: str = Field(min_length=1)
    channel: Literal["OPTICAL", "CONTACT", "RADIO"] = "OPTICAL"


class Taken(_Body):
    """What a hand takes from a shelf, or puts back: exactly one of `sku` and `scancode`."""

    sku: str | None = Field(default=None, min_length=1, max_length=255)
    scancode: str | None = Field(default=None, min_length=1, max_length=255)
    quantity: str = "1"
    unit: str = PIECES


class Risks(_Body):
    """What the platform's risk model is to find with a means of payment."""

    risks: list[str] = []


def store_router(
    gates: Gates, trips: Trips, deliveries: Deliveries, faults: Faults, risk: RiskModel, house: House
) -> APIRouter:
    """Put the store on its paths."""
    router = APIRouter(tags=["store"])
    _add_gates(router, gates)
    _add_means_of_payment(router, gates, risk)
    _add_trips(router, trips, gates, faults, house)
    _add_deliveries(router, deliveries)
    return router


def _add_gates(router: APIRouter, gates: Gates) -> None:
    @router.post("/gates/{gate:path}/scans", summary="Show the app's code", openapi_extra=_SCAN_BODY)
    async def scan(gate: str, request: Request) -> JsonObject:
        body = await request.body()
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "image/png":
            if len(body) > _IMAGE_MAX:
                raise BadCall(f"an image of {len(body)} bytes; at most {_IMAGE_MAX} are looked at")
            return await gates.scan_image(gate, body, request.query_params.get("joins", ""))
        code = _code(body)
        return await gates.group(code.people, code.joins, lambda joins: gates.scan(gate, code.scan, joins=joins))

    @router.post("/gates/{gate:path}/badges", summary="Show a badge")
    async def badge(gate: str, code: Code) -> JsonObject:

        async def show(joins: str) -> JsonObject:
            return await gates.scan(gate, code.scan, method="badge", joins=joins)

        return await gates.group(code.people, code.joins, show)

    @router.post("/gates/{gate:path}/loyalty-scans", summary="Show a loyalty card that opens the gate by itself")
    async def loyalty(gate: str, code: LoyaltyCode) -> JsonObject:
        return await gates.loyalty(gate, code.text, code.channel)

    @router.get("/gates/{gate:path}", summary="Show a gate's light, lock and last decision")
    async def show_gate(gate: str) -> JsonObject:
        return gates.state(gate)

    @router.post("/stores/{store_id:path}/assisted-scans", summary="Scan a shopper's code with an associate's device")
    async def assist(store_id: str, code: Code) -> JsonObject:
        if code.joins or code.people != 1:
            raise BadCall("an associate's device scans for one shopper, who joins no other trip")
        return await gates.assist(store_id, code.scan)


def _add_means_of_payment(router: APIRouter, gates: Gates, risk: RiskModel) -> None:
    @router.post("/gates/{gate:path}/cards", summary="Tap or insert a card")
    async def card(gate: str, card: Card) -> JsonObject:
        instrument = Instrument(card.instrument, "CREDIT_CARD", card.interaction)
        return await gates.group(card.people, card.joins, lambda joins: gates.pay(gate, instrument, joins=joins))

    @router.post("/gates/{gate:path}/palms", summary="Hold a palm over the reader")
    async def palm(gate: str, palm: Palm) -> JsonObject:
        instrument = Instrument(palm.instrument, "PALM", "HOVER")
        return await gates.group(palm.people, palm.joins, lambda joins: gates.pay(gate, instrument, joins=joins))

    @router.put("/risk/{instrument:path}", summary="Say what the risk model finds with a means of payment")
    async def know(instrument: str, risks: Risks) -> JsonObject:
        risk.know(instrument, tuple(risks.risks))
        return {"instrument": instrument, "risks": list(risk.judge(instrument).risks)}


def _add_trips(router: APIRouter, trips: Trips, gates: Gates, faults: Faults, house: House) -> None:
    weight = house.simulator.weight_unit

    @router.post("/trips/{trip_id}/pick", summary="Take something off a shelf")
    async def pick(trip_id: str, taken: Taken) -> JsonObject:
        line = _line(taken)
        armed, rest = magic(line.id)
        strange = [name for name in armed if KINDS[name].place != "exchange"]
        if strange:
            raise BadCall(f"{strange[0]} is no fault of a cart's delivery", hint="GET /faults/kinds lists them")
        await trips.shopping(trip_id)
        for name, amount in armed.items():
            faults.arm(name, where=Where(operation="Create Purchases", trip=trip_id), amount=amount)
        if armed and not rest:
            return await trips.show(trip_id)
        return await trips.pick(trip_id, line._replace(id=rest), checked_quantity(taken.quantity, taken.unit, weight))

    @router.post("/trips/{trip_id}/put-back", summary="Put something back")
    async def put_back(trip_id: str, taken: Taken) -> JsonObject:
        return await trips.put_back(trip_id, _line(taken), checked_quantity(taken.quantity, taken.unit, weight))

    @router.post("/trips/{trip_id}/loyalty-scans", summary="Show a loyalty card inside the store")
    async def loyalty(trip_id: str, code: LoyaltyCode) -> JsonObject:
        return await gates.loyalty_inside(trip_id, code.text, code.channel)

    @router.post("/trips/{trip_id}/leave", summary="Walk out")
    async def leave(trip_id: str) -> JsonObject:
        return await trips.leave(trip_id)

    @router.get("/trips", summary="List who is inside")
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
            "image/png": {"schema": {"type": "string", "format": "binary"}},
            "application/json": {"schema": Code.model_json_schema()},
        },
    }
}


def _code(body: bytes) -> Code:
    try:
        return _CODE.validate_json(body)
    except ValidationError as error:
        raise BadCall("a scan is an image/png, or JSON with text or identityKey") from error


def _line(taken: Taken) -> Line:
    if taken.sku is not None and taken.scancode is None:
        return Line("SKU", taken.sku, taken.unit)
    if taken.scancode is not None and taken.sku is None:
        return Line("SCANCODE", taken.scancode, taken.unit)
    raise BadCall("name either sku or scancode")
