"""The control calls of a store floor: stores with their gates, goods, sample visitors, and visits by themselves."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal, NamedTuple

import orjson
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from jwo_contract.house import House
from jwo_contract.values import format_instant
from jwo_toolkit.json_types import JsonObject
from simulator.carts import PIECES
from simulator.catalog.items import CatalogItems
from simulator.clock import Clock
from simulator.errors import BadCall, SimulatorError
from simulator.gates import Gates
from simulator.living_store import LivingStore
from simulator.portal.stores import Store, Stores
from simulator.routes import Code
from simulator.samples import SampleSource

_MOST_AT_ONCE = 50


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CodeAtGate(Code):
    """A code at one of several gates."""

    gate: str = Field(min_length=1, max_length=255)
    method: Literal["app", "badge"] = "app"


class CodesAtOnce(_Body):
    """Codes that several gates read at the same moment."""

    scans: tuple[CodeAtGate, ...] = Field(min_length=1, max_length=_MOST_AT_ONCE)


class PaceChange(_Body):
    """How often a sample visitor comes by itself."""

    everyS: float | None = Field(  # noqa: N815 - the wire's spelling
        ge=0.2, le=3600, description="Real seconds between two visitors; null: no visitor comes by itself."
    )


class Floor(NamedTuple):
    """The services behind the floor."""

    stores: Stores
    gates: Gates
    items: CatalogItems
    samples: SampleSource
    living: LivingStore
    clock: Clock
    house: House

    def show(self) -> JsonObject:
        """Return all stores with the states of their gates, and the limits that a gate follows."""
        return {
            "now": format_instant(self.clock.now()),
            "answerWithinS": self.house.gate.timeout_s,
            "gateOpenS": self.house.simulator.gate_open_s,
            "stores": [self._store(store) for store in self.stores.all()],
        }

    def goods(self, store_id: str, search: str, limit: int) -> JsonObject:
        """Return goods that match a search by name, SKU or barcode: of the catalog, or else of the samples."""
        self.stores.get(store_id)
        units = {one.sku: one.unit for one in self.samples.goods(store_id)}
        found = [_goods(line, units) for line in self.items.lines(store_id).splitlines()]
        if not found:
            found = [{**one._asdict(), "barcode": "", "price": ""} for one in self.samples.goods(store_id)]
        wanted = search.casefold()
        matching = [one for one in found if wanted in " ".join(map(str, one.values())).casefold()]
        return {"total": len(found), "matching": len(matching), "goods": matching[:limit]}

    async def scan_at_once(self, scans: tuple[CodeAtGate, ...]) -> list[JsonObject]:
        """Show codes at several gates at the same moment; returns a decision, or an error, for each."""
        gates = [one.gate for one in scans]
        if len(set(gates)) < len(gates):
            raise BadCall("a gate is there twice", hint="a gate reads one code at a time")
        return list(await asyncio.gather(*(self._scan(one) for one in scans)))

    async def _scan(self, one: CodeAtGate) -> JsonObject:
        try:
            if one.method == "badge":
                return await self.gates.badge(one.gate, one.scan, joins=one.joins)
            return await self.gates.scan(one.gate, one.scan, joins=one.joins)
        except SimulatorError as error:
            return {"gate": one.gate, **error.body()}

    def _store(self, store: Store) -> JsonObject:
        return {
            "storeId": store.id,
            "retailer": store.retailer,
            "storeDefault": store.store_default,
            "methods": list(store.methods),
            "strategy": store.strategy,
            "loyalty": store.loyalty,
            "hasConnector": store.connector_for("identity") is not None,
            "gates": [self.gates.state(gate) for gate in store.gates],
        }


def floor_router(floor: Floor) -> APIRouter:
    """Make the routes of the floor."""
    router = APIRouter(tags=["control"])
    _add_stores(router, floor)
    _add_samples(router, floor)
    return router


def _add_stores(router: APIRouter, floor: Floor) -> None:
    @router.get("/stores", summary="List stores with the light, lock and last decision of each gate")
    async def show_floor() -> JsonObject:
        return floor.show()

    @router.get("/stores/{store_id:path}/goods", summary="List the goods on a store's shelves")
    async def show_goods(
        store_id: str,
        search: Annotated[str, Query(max_length=100, description="Part of a name, a SKU or a barcode.")] = "",
        limit: Annotated[int, Query(ge=1, le=1000)] = 60,
    ) -> JsonObject:
        return floor.goods(store_id, search, limit)

    @router.post("/scans", summary="Show codes at several gates at the same moment")
    async def scan_at_once(codes: CodesAtOnce) -> list[JsonObject]:
        return await floor.scan_at_once(codes.scans)


def _add_samples(router: APIRouter, floor: Floor) -> None:
    @router.get("/samples", summary="List the kinds of sample visitors, and how each is shown at a gate")
    async def show_samples() -> JsonObject:
        return {"appUrl": floor.samples.app_url, "visitors": [one._asdict() for one in floor.samples.samples()]}

    @router.post(
        "/samples/{kind}", status_code=201, summary="Make what a sample visitor shows: the body of the gate's call"
    )
    async def make_sample(kind: str) -> JsonObject:
        return await asyncio.to_thread(floor.samples.make, kind)

    @router.get("/visits", summary="Show whether sample visitors come by themselves")
    async def show_visits() -> JsonObject:
        return floor.living.show()

    @router.put("/visits", summary="Let sample visitors come, shop and leave by themselves, or stop this")
    async def change_visits(pace: PaceChange) -> JsonObject:
        return floor.living.change(pace.everyS)


def _goods(line: bytes, units: dict[str, str]) -> JsonObject:
    item = orjson.loads(line)
    sku = item["item_sku"]
    return {
        "sku": sku,
        "scancode": "",
        "name": item.get("item_name", ""),
        "unit": units.get(sku, PIECES),
        "barcode": item.get("external_product_id", ""),
        "price": str(item.get("standard_price", "")),
    }
