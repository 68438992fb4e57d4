"""The composition root: real clock, ids, clients and settings are made here, and everything else receives them."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from simulator.aws import aws_clients
from simulator.catalog.access import Access
from simulator.catalog.ingestion import Ingestions
from simulator.catalog.items import CatalogItems
from simulator.catalog.notifications import Notifications
from simulator.catalog.report import Reports
from simulator.catalog.routes import catalog_router
from simulator.clock import Clock, SystemClock
from simulator.connector import ConnectorClient
from simulator.delivery import Deliveries
from simulator.errors import SimulatorError
from simulator.gates import Gates
from simulator.journal import Journal
from simulator.outbox import Outbox
from simulator.portal.accounts import Accounts
from simulator.portal.connectivity import ConnectivityTest
from simulator.portal.routes import Portal, portal_router
from simulator.portal.stores import Store, Stores
from simulator.routes import store_router
from simulator.settings import PlatformSettings
from simulator.trips import Trips
from simulator.worlds import load_world


@dataclass(frozen=True)
class Parts:
    """What lives as long as the platform; `close` undoes what making them opened."""

    stores: Stores
    accounts: Accounts
    journal: Journal
    client: ConnectorClient
    outbox: Outbox
    deliveries: Deliveries
    notifications: Notifications
    reports: Reports
    items: CatalogItems
    ingestions: Ingestions

    async def close(self) -> None:
        """Stop what is under way and give files and sockets back."""
        await self.ingestions.close()
        await self.client.close()
        self.outbox.close()


def create_app(settings: PlatformSettings, *, clock: Clock | None = None) -> FastAPI:
    """Make the platform; SNS, SQS and S3 must answer when it starts, and `clock` is the system's unless given."""
    clock = clock or SystemClock()
    parts = _parts(settings, clock)
    app = FastAPI(title="Simulated JWO platform", version="1", lifespan=lambda _: _running(parts))
    for router in _routers(parts, settings, clock):
        app.include_router(router)
    app.add_exception_handler(SimulatorError, _refused)
    app.add_exception_handler(RequestValidationError, _misshapen)
    app.add_exception_handler(Exception, _broken)
    return app


def _new_id() -> str:
    return str(uuid4())


def _parts(settings: PlatformSettings, clock: Clock) -> Parts:
    house, aws = settings.house, aws_clients(settings)
    stores, accounts, journal = Stores(_world_stores(settings)), Accounts(), Journal(clock, settings.journal_entries)
    client = ConnectorClient(settings.connector_key, house, clock)
    outbox = Outbox(settings.database_path)
    items = CatalogItems(house.barcode)
    notifications = Notifications(
        aws.sns,
        aws.sqs,
        topic_name=settings.topic_name,
        base_url=settings.base_url,
        accounts=accounts,
        clock=clock,
        new_id=_new_id,
    )
    reports = Reports(
        aws.s3,
        bucket=settings.report_bucket,
        base_url=settings.base_url,
        key=settings.aws_key,
        region=settings.aws_region,
        clock=clock,
    )
    return Parts(
        stores=stores,
        accounts=accounts,
        journal=journal,
        client=client,
        outbox=outbox,
        deliveries=Deliveries(outbox, client, stores, journal, house=house, clock=clock, new_id=_new_id),
        notifications=notifications,
        reports=reports,
        items=items,
        ingestions=Ingestions(items, reports, notifications, rules=house.catalog, clock=clock, new_id=_new_id),
    )


def _routers(parts: Parts, settings: PlatformSettings, clock: Clock) -> list[APIRouter]:
    house = settings.house
    access = Access(parts.accounts, house, clock)
    trips = Trips(parts.deliveries, parts.items, house, clock, _new_id)
    gates = Gates(parts.stores, parts.client, trips, parts.journal, house=house, clock=clock, new_id=_new_id)
    connectivity = ConnectivityTest(parts.client, house, clock, _new_id, parts.journal)
    portal = Portal(parts.stores, parts.accounts, parts.notifications, house)
    return [
        catalog_router(
            access, parts.ingestions, parts.reports, parts.stores, bucket=settings.report_bucket, house=house
        ),
        portal_router(portal, parts.stores, access, parts.notifications, connectivity),
        store_router(gates, trips, parts.deliveries, parts.journal, house),
    ]


def _world_stores(settings: PlatformSettings) -> tuple[Store, ...]:
    if settings.world is None:
        return ()
    gate = settings.gate
    return tuple(
        Store(
            id=store.id,
            retailer=store.retailer,
            store_default=store.store_default or gate.store_default,
            qr_pattern=gate.qr_pattern if store.qr_pattern is None else store.qr_pattern,
            gates=store.gates,
        )
        for store in load_world(settings.world).stores
    )


@contextlib.asynccontextmanager
async def _running(parts: Parts) -> AsyncIterator[None]:
    await parts.notifications.start()
    await parts.reports.start()
    delivering = asyncio.create_task(parts.deliveries.run())
    try:
        yield
    finally:
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)
        await parts.close()


async def _refused(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, SimulatorError)
    return JSONResponse(error.body(), error.status, error.headers())


async def _misshapen(_request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a body and where, and never repeat its values: a secret may be among them."""
    assert isinstance(error, RequestValidationError)
    faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
    return JSONResponse({"errorMsg": "; ".join(faults)}, 400)


async def _broken(_request: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"errorMsg": "Internal Server Error. Retry."}, 500, {"Retry-After": "1"})
