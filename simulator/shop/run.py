"""Runs one simulated day in a platform of its own: the composition root of a store day, which needs no AWS."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

from simulator.composition import StoreServices, make_store_services
from simulator.connector import Connector
from simulator.portal.stores import Store
from simulator.reconciliation.comparison import Reconciliation
from simulator.reconciliation.records import AskConnector, no_books
from simulator.settings import PlatformSettings
from simulator.shop.clock import DayClock
from simulator.shop.day import Day, Mint, Pace
from simulator.shop.page import Title, page
from simulator.shop.payments import RETAILER, Desk, Retailer, compare_orders, open_desk
from simulator.shop.plan import People, Shop, visits
from simulator.shop.results import Results
from simulator.shop.verdict import findings, money_findings

MIDNIGHT = datetime(2026, 2, 7, tzinfo=UTC)
"""A Saturday; the same for every run, so that runs compare equal."""


class Progress(NamedTuple):
    """The progress of a day."""

    at: datetime
    inside: int
    planned: int
    results: Results


class Outcome(NamedTuple):
    """The results of a day: its numbers, its findings and its page."""

    title: Title
    results: Results
    deliveries: dict[str, int]
    html: str
    findings: tuple[str, ...] = ()
    money: Reconciliation | None = None


class DayOptions(NamedTuple):
    """The day to run: the name of its curve, the number of visits (0: the day's own number), and its pace.

    `mint` makes the fresh identity keys of a plan that needs them. `retailer` makes payment calls during the day;
    without it, `ask_connector` gives the books of which the day compares the orders.
    """

    day: str
    trips: int = 0
    pace: Pace = Pace()
    mint: Mint | None = None
    retailer: Retailer | None = None
    ask_connector: AskConnector = no_books


async def run_day(
    settings: PlatformSettings,
    shops: tuple[Shop, ...],
    people: People,
    connector: Connector,
    options: DayOptions,
    *,
    report_progress: Callable[[Progress], None] = lambda _: None,
    prepare: Callable[[StoreServices], None] = lambda _: None,
) -> Outcome:
    """Run a day to its end; `prepare` may arm faults first, and `report_progress` gets the progress.

    With `options.retailer`, the platform serves the retailer's calls meanwhile, and Amazon charges cards.
    """
    clock = DayClock(settings.clock_start or MIDNIGHT)
    services, results = make_store_services(settings, clock), Results(settings.house)
    services.journal.listeners.append(results.receive)
    for shop in shops:
        services.stores.put(_store(shop, connector, people, settings, options.retailer))
    prepare(services)
    plan, started = visits(shops, options.day, people, services.seed, options.trips), time.monotonic()
    try:
        async with _desk(settings, services, clock, options.retailer) as desk:
            more: dict[str, Any] = {"mint": options.mint} if options.mint else {}
            more |= {"follow": desk.follow} if desk else {}
            simulated_day = Day(services, clock, shops, plan, receive=results.receive_visit, **more)
            await simulated_day.run(
                options.pace, lambda at: report_progress(Progress(at, simulated_day.inside, len(plan), results))
            )
            deliveries = await services.deliveries.counts()
            money = await (desk.settle() if desk else compare_orders(services, options.ask_connector))
    finally:
        await services.close()
    gates = sum(len(shop.gates) for shop in shops)
    title = Title(
        options.day,
        len(shops),
        gates,
        settings.seed,
        wall_s=time.monotonic() - started,
        most_inside=simulated_day.most_inside,
        connector=connector.url,
        ended_at=datetime.now(UTC),
    )
    found = (*findings(results, deliveries), *money_findings(money, needs_all_books=options.retailer is not None))
    return Outcome(title, results, deliveries, page(title, results, deliveries, money, found), found, money)


@asynccontextmanager
async def _desk(
    settings: PlatformSettings, services: StoreServices, clock: DayClock, retailer: Retailer | None
) -> AsyncIterator[Desk | None]:
    if retailer is None:
        yield None
        return
    async with open_desk(settings, services, clock, retailer) as desk:
        yield desk


def _store(
    shop: Shop, connector: Connector, people: People, settings: PlatformSettings, retailer: Retailer | None
) -> Store:
    return Store(
        id=shop.id,
        retailer=RETAILER,
        payment_processor=retailer.processor if retailer else "retailer",
        store_default=settings.gate.store_default,
        gates=shop.gates,
        connector=connector,
        methods=people.methods,
        strategy=shop.strategy,
        loyalty=bool(people.means.loyalty),
    )
