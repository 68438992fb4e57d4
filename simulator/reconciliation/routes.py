"""The routes of the reconciliation, in the control API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from jwo_toolkit.json_types import JsonObject
from simulator.reconciliation.records import ConnectorBooks, MoneyRecords

MostTrips = Annotated[int, Query(ge=1, le=100_000, description="How many trips the answer names at most.")]


def reconciliation_router(records: MoneyRecords) -> APIRouter:
    """Make the routes."""
    router = APIRouter(tags=["control"])

    @router.get("/reconciliation", summary="Compare orders, charges, files, events and the connector's books")
    async def show(most: MostTrips = 100) -> JsonObject:
        return (await records.reconcile()).to_json(most)

    @router.post("/reconciliation", summary="Compare the platform's books with given books of a connector")
    async def compare(shown: ConnectorBooks, most: MostTrips = 100) -> JsonObject:
        return (await records.reconcile(shown)).to_json(most)

    return router
