"""The platform as a web app: its routers, its error answers, and the loops that run until it stops."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

from fastapi import FastAPI

from simulator.aws import aws_errors_named
from simulator.clock import Clock
from simulator.composition import CatalogServices, StoreServices, make_catalog_services, make_store_services
from simulator.error_answers import add_error_answers, answer_internal_error
from simulator.event_stream import ChangesWatched, EventStream, event_stream_router
from simulator.floor import Floor, floor_router
from simulator.living_store import LivingStore
from simulator.pages.routes import add_pages
from simulator.pages.security import AccessToken, PageSecurity
from simulator.reconciliation.records import AskConnector, MoneyRecords, no_books
from simulator.reconciliation.routes import reconciliation_router
from simulator.retailer_calls import RetailerCalls
from simulator.routers import all_routers
from simulator.run_routes import run_router
from simulator.runs import RunCommands, Runs
from simulator.samples import PublishedSamples, SampleSource
from simulator.settings import PlatformSettings
from simulator.supervision import run_forever

_FLUSH_EVERY_S = 1.0
COLLECTOR_THRESHOLDS = (700, 10, 1_000)
"""Of the garbage collector. Its time grows with the number of shoppers inside, so full collections, which the third
number rules, are a hundred times as rare as by default."""


def create_app(
    settings: PlatformSettings,
    *,
    clock: Clock | None = None,
    samples: SampleSource | None = None,
    run_commands: RunCommands | None = None,
    ask_connector: AskConnector = no_books,
) -> FastAPI:
    """Make the platform. SNS, SQS and S3 must answer when it starts. Without `clock`, the settings choose the clock.

    `samples` makes the sample visitors; without it, there are only those that Amazon publishes. `run_commands` are
    those of certifications and load tests; without it, the platform starts none. `ask_connector` returns the books
    of the connector for the reconciliation.
    """
    store = make_store_services(settings, clock)
    catalog = make_catalog_services(settings, store)
    samples, stream = samples or PublishedSamples(), EventStream(store.journal, store.clock)
    runs = Runs(store.stores, run_commands, stream.note_change)
    living = LivingStore(store.stores, store.gates, store.trips, samples, stream.note_change)
    app = FastAPI(
        title="Simulated JWO platform",
        version="1",
        lifespan=lambda _: _run_loops(store, catalog, settings, living.run, runs),
        docs_url=None,
        redoc_url=None,
    )
    app.state.before_stop = stream.close
    retailer_paths = ("/v1/", "/auth/v2/", f"/{settings.report_bucket}/", "/sns/confirm", "/portal/connectivity")
    app.add_middleware(ChangesWatched, stream=stream)
    app.add_middleware(
        RetailerCalls,
        paths=retailer_paths,
        answer_error=answer_internal_error,
        journal=store.journal,
        clock=store.clock,
        seed=store.seed,
    )
    token = AccessToken(settings.access_token.get_secret_value())
    app.add_middleware(PageSecurity, token=token, hosts=settings.hosts, signed_paths=retailer_paths)
    floor = Floor(store.stores, store.gates, store.items, samples, living, store.clock, settings.house)
    records = MoneyRecords(
        store.deliveries, store.charges, store.stores, catalog.announcements, catalog.intra_day, ask_connector
    )
    others = (floor_router(floor), event_stream_router(stream), run_router(runs), reconciliation_router(records))
    for router in (*all_routers(store, catalog, settings), *others):
        app.include_router(router)
    add_pages(app, token)
    add_error_answers(app, catalog.aws.endpoint)
    return app


@contextlib.asynccontextmanager
async def _run_loops(
    store: StoreServices,
    catalog: CatalogServices,
    settings: PlatformSettings,
    visits: Callable[[], Awaitable[None]],
    runs: Runs,
) -> AsyncIterator[None]:
    if not settings.stores_alone:
        with aws_errors_named(catalog.aws.endpoint):
            await catalog.notifications.start()
            await catalog.reports.start()
        await catalog.ingestions.resume()
        await catalog.announcements.resume()
    await store.trips.resume()
    await store.calls.resume()
    work: dict[str, Callable[[], Awaitable[None]]] = {
        "delivery": store.deliveries.run,
        "the event feed": catalog.feed.run,
        "visits by themselves": visits,
        "the intra-day files": catalog.intra_day.run,
        "writing the journal": partial(_flush_forever, store.journal.flush),
    }
    if settings.ended_trips:
        work["forgetting ended trips"] = partial(store.trips.forget_ended, settings.ended_trips)
    loops = [asyncio.create_task(run_forever(name, loop)) for name, loop in work.items()]
    try:
        yield
    finally:
        for task in loops:
            task.cancel()
        await asyncio.gather(*loops, return_exceptions=True)
        await asyncio.to_thread(runs.close)
        catalog.feed.close()
        await catalog.ingestions.close()
        await store.close()


async def _flush_forever(flush: Callable[[], None]) -> None:
    while True:
        await asyncio.sleep(_FLUSH_EVERY_S)
        flush()
