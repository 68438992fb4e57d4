"""The money of a store day: the platform serves the retailer's calls meanwhile, and reconciles all books at the end.

The connector makes these calls when it likes. So the day waits at its end, with a clock that goes on, until the books
agree, or until nothing changes any more.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from typing import NamedTuple

import uvicorn
from fastapi import FastAPI

from jwo_contract.sigv4 import Key
from simulator.composition import CatalogServices, StoreServices, make_catalog_services
from simulator.error_answers import add_error_answers, answer_internal_error
from simulator.payment_calls.charge_record import Charge
from simulator.portal.accounts import Account
from simulator.portal.stores import PaymentProcessor
from simulator.reconciliation.comparison import Reconciliation
from simulator.reconciliation.records import AskConnector, ConnectorBooks, MoneyRecords
from simulator.retailer_calls import RetailerCalls
from simulator.routers import routers_of_charges
from simulator.settings import PlatformSettings
from simulator.shop.clock import DayClock
from simulator.supervision import run_forever

RETAILER = "shop"
_ACCOUNT = "123456789012"
_EACH_S, _CLOCK_STEP_S = 0.2, 30.0
_MORE_FILES = 4
"""Files after the day: a row that a fault holds back comes two files later."""


class Retailer(NamedTuple):
    """The retailer's side of a day: its key, its queues, and what the day asks of it at the end.

    `listener` is the bound socket of the platform's address. `waiting` returns how many calls and messages the
    connector has not finished. `refund` asks the connector for refunds of some charges.
    """

    listener: socket.socket
    key: Key
    events_queue_arn: str
    files_queue_arn: str
    ask_connector: AskConnector
    waiting: Callable[[], Awaitable[int]]
    refund: Callable[[list[Charge]], Awaitable[None]]
    processor: PaymentProcessor = "amazon"
    patience_s: float = 15.0
    """Real seconds without a change after which the day does not wait longer."""


class Desk:
    """The open platform of a day; `follow` writes the intra-day files that are due."""

    def __init__(self, store: StoreServices, catalog: CatalogServices, clock: DayClock, retailer: Retailer) -> None:
        self._store = store
        self._catalog = catalog
        self._clock = clock
        self._retailer = retailer
        self._records = MoneyRecords(
            store.deliveries, store.charges, store.stores, catalog.announcements, catalog.intra_day
        )

    async def follow(self) -> None:
        """Write the files up to the time that the day has reached."""
        await self._catalog.intra_day.write_due()

    async def settle(self) -> Reconciliation:
        """Let the retailer finish its calls, refund some charges, write the last files, and compare all books."""
        await self._wait_while(self._retailer.waiting)
        await self._retailer.refund([one for one in self._store.charges.all() if one.captured is not None])
        await self._wait_while(self._retailer.waiting)
        for _ in range(_MORE_FILES):
            self._clock.at += self._catalog.intra_day.every
            await self.follow()
        await self._wait_while(self._retailer.waiting)
        last = await self._compare()
        changed_at = time.monotonic()
        while (last.disagreements or last.missing) and time.monotonic() < changed_at + self._retailer.patience_s:
            await self._rest()
            found = await self._compare()
            if (found.disagreements, found.missing) != (last.disagreements, last.missing):
                last, changed_at = found, time.monotonic()
        return last

    async def _compare(self) -> Reconciliation:
        return await self._records.reconcile(await self._retailer.ask_connector())

    async def _wait_while(self, count: Callable[[], Awaitable[int]]) -> None:
        """Wait until there is nothing to count, or until the number stays the same for too long."""
        last, changed_at = await count(), time.monotonic()
        while last and time.monotonic() < changed_at + self._retailer.patience_s:
            await self._rest()
            if (found := await count()) != last:
                last, changed_at = found, time.monotonic()

    async def _rest(self) -> None:
        """Wait a moment, while the clock of the day goes on: what is pending settles by that clock."""
        await asyncio.sleep(_EACH_S)
        self._clock.at += timedelta(seconds=_CLOCK_STEP_S)
        await self.follow()


@asynccontextmanager
async def open_desk(
    settings: PlatformSettings, store: StoreServices, clock: DayClock, retailer: Retailer
) -> AsyncIterator[Desk]:
    """Serve the retailer's calls, its feed and its files until the block ends."""
    catalog = make_catalog_services(settings, store)
    catalog.accounts.put(Account(_ACCOUNT, RETAILER, retailer.key, ""))
    catalog.feed.subscribe(RETAILER, retailer.events_queue_arn)
    await catalog.intra_day.subscribe(RETAILER, retailer.files_queue_arn)
    server = _Server(uvicorn.Config(_app(settings, store, catalog), log_level="warning", access_log=False, ws="none"))
    work = [
        asyncio.create_task(server.serve(sockets=[retailer.listener])),
        asyncio.create_task(run_forever("the event feed", catalog.feed.run)),
    ]
    try:
        yield Desk(store, catalog, clock, retailer)
    finally:
        server.should_exit = True
        work[1].cancel()
        await asyncio.gather(*work, return_exceptions=True)
        catalog.feed.close()


async def compare_orders(store: StoreServices, ask_connector: AskConnector) -> Reconciliation:
    """Compare the orders of a day in which the retailer charges all shoppers."""
    shown: ConnectorBooks = await ask_connector()
    return await MoneyRecords(store.deliveries, store.charges, store.stores).reconcile(shown)


class _Server(uvicorn.Server):
    """A server in the event loop of a day, which handles the signals itself."""

    def capture_signals(self) -> nullcontext[None]:  # type: ignore[override]  # uvicorn's is a context manager too
        """Leave the signals to the day."""
        return nullcontext()


def _app(settings: PlatformSettings, store: StoreServices, catalog: CatalogServices) -> FastAPI:
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(
        RetailerCalls,
        paths=("/v1/",),
        answer_error=answer_internal_error,
        journal=store.journal,
        clock=store.clock,
        seed=store.seed,
    )
    for router in routers_of_charges(store, catalog, settings):
        app.include_router(router)
    add_error_answers(app, catalog.aws.endpoint)
    return app
