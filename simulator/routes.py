"""The store's addresses: gates, trips, deliveries and the journal."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from contract.house import House
from simulator.carts import PIECES, Line, checked_quantity
from simulator.delivery import Deliveries
from simulator.entry.app_code import Scan, scan_of_identity_key, scan_of_text
from simulator.errors import BadCall
from simulator.gates import Gates
from simulator.journal import Journal
from simulator.trips import Trips

Json = dict[str, Any]
_IMAGE_MAX = 5_000_000


class Code(BaseModel):
    """A code without its picture: its text, or the Base64 of it; exactly one."""

    model_config = ConfigDict(extra="forbid")

    text: str | None = Field(default=None, min_length=1)
    identityKey: str | None = Field(default=None, min_length=1)  # noqa: N815 - the wire's spelling


class Taken(BaseModel):
    """What a hand takes from a shelf, or puts back: exactly one of `sku` and `scancode`."""

    model_config = ConfigDict(extra="forbid")

    sku: str | None = Field(default=None, min_length=1, max_length=255)
    scancode: str | None = Field(default=None, min_length=1, max_length=255)
    quantity: str = "1"
    unit: str = PIECES


def store_router(gates: Gates, trips: Trips, deliveries: Deliveries, journal: Journal, house: House) -> APIRouter:
    """Put the store on its paths."""
    router = APIRouter()

    @router.post("/gates/{gate}/scans")
    async def scan(gate: str, request: Request) -> Json:
        body = await request.body()
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "image/png":
            if len(body) > _IMAGE_MAX:
                raise BadCall(f"an image of {len(body)} bytes; at most {_IMAGE_MAX} are looked at")
            return await gates.scan_image(gate, body)
        return await gates.scan(gate, _code(body))

    @router.post("/trips/{trip_id}/pick")
    async def pick(trip_id: str, taken: Taken) -> Json:
        return trips.pick(trip_id, _line(taken), checked_quantity(taken.quantity, taken.unit, _weight(house)))

    @router.post("/trips/{trip_id}/put-back")
    async def put_back(trip_id: str, taken: Taken) -> Json:
        return trips.put_back(trip_id, _line(taken), checked_quantity(taken.quantity, taken.unit, _weight(house)))

    @router.post("/trips/{trip_id}/leave")
    async def leave(trip_id: str) -> Json:
        return await trips.leave(trip_id)

    @router.get("/trips/{trip_id}")
    async def show_trip(trip_id: str) -> Json:
        return trips.show(trip_id)

    _add_reading(router, deliveries, journal)
    return router


def _add_reading(router: APIRouter, deliveries: Deliveries, journal: Journal) -> None:
    @router.get("/deliveries")
    async def show_deliveries(tripId: str = "", state: str = "") -> list[Json]:  # noqa: N803 - the query's spelling
        return await deliveries.show(tripId, state)

    @router.post("/deliveries/{trip_id}/redrive", status_code=202)
    async def redrive(trip_id: str) -> Json:
        return await deliveries.redrive(trip_id)

    @router.get("/journal")
    async def show_journal(trip: str = "", gate: str = "", limit: int = 100) -> list[Json]:
        return journal.entries(trip=trip, gate=gate, limit=max(1, limit))

    @router.get("/healthz")
    async def healthz() -> Json:
        return {"status": "ok"}


_CODE = TypeAdapter(Code)


def _code(body: bytes) -> Scan:
    try:
        code = _CODE.validate_json(body)
    except ValidationError as error:
        raise BadCall("a scan is an image/png, or JSON with text or identityKey") from error
    if code.text is not None and code.identityKey is None:
        return scan_of_text(code.text)
    if code.identityKey is not None and code.text is None:
        return scan_of_identity_key(code.identityKey)
    raise BadCall("a scan has either text or identityKey")


def _line(taken: Taken) -> Line:
    if taken.sku is not None and taken.scancode is None:
        return Line("SKU", taken.sku, taken.unit)
    if taken.scancode is not None and taken.sku is None:
        return Line("SCANCODE", taken.scancode, taken.unit)
    raise BadCall("name either sku or scancode")


def _weight(house: House) -> str:
    return house.simulator.weight_unit
