"""What lives as long as the platform, made in the order in which one thing needs another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from simulator.aws import Aws, aws_clients
from simulator.calls import Calls, Late
from simulator.catalog.access import Access
from simulator.catalog.file import TABLES, CatalogFile
from simulator.catalog.ingestion import Ingestion, Ingestions, Shelving
from simulator.catalog.items import CatalogItems
from simulator.catalog.notifications import Notifications
from simulator.catalog.report import Reports
from simulator.catalog.waiting import Waiting
from simulator.clock import Clock, PlatformClock, Setting
from simulator.connector import ConnectorClient
from simulator.delivery import Deliveries
from simulator.entry.cards import CardReader
from simulator.entry.codes import CodeReader
from simulator.entry.loyalty import LoyaltyDesk
from simulator.entry.risk import File, RiskModel
from simulator.events import EventFeed
from simulator.faults import Fault, Faults
from simulator.gates import Gates, Readers
from simulator.journal import Journal
from simulator.ledger import CARTS, FACTS, TRIPS, Claim, Ledger, beside
from simulator.lights import GateState, Lights
from simulator.memory import Facts
from simulator.outbox import Outbox
from simulator.portal.accounts import Account, Accounts
from simulator.portal.stores import Store, Stores
from simulator.seed import Seed
from simulator.settings import PlatformSettings
from simulator.trips import Trips
from simulator.worlds import load_world


@dataclass(frozen=True)
class StoreParts:
    """What it takes to open gates, fill carts and deliver them: no AWS among it. `close` gives files back."""

    claim: Claim
    clock: Clock
    seed: Seed
    stores: Stores
    faults: Faults
    journal: Journal
    ledger: Ledger
    carts: Ledger
    shelves: Ledger
    client: ConnectorClient
    calls: Calls
    items: CatalogItems
    deliveries: Deliveries
    trips: Trips
    risk: RiskModel
    gates: Gates

    async def close(self) -> None:
        """Stop what is under way and give files back."""
        await self.calls.close()
        await self.ledger.close()
        await self.carts.close()
        await self.shelves.close()
        self.journal.close()
        self.claim.close()


@dataclass(frozen=True)
class CatalogParts:
    """What it takes to take catalogs in and to tell what happened, over AWS."""

    aws: Aws
    accounts: Accounts
    access: Access
    notifications: Notifications
    reports: Reports
    ingestions: Ingestions
    feed: EventFeed


def store_parts(settings: PlatformSettings, clock: Clock | None = None) -> StoreParts:
    """Make what a store needs; `clock` is the settings' unless given."""
    house, carts = settings.house, Ledger(settings.database_path, CARTS, sync=True)
    claim = Claim(settings.database_path)
    ledger = Ledger(beside(settings.database_path, "trips"), TRIPS + FACTS, sync=False)
    clock = clock or _platform_clock(settings, ledger)
    seed = Seed(settings.seed, run=ledger.begin_run())
    stores = Stores(_world_stores(settings), Facts("store", Store, ledger))
    faults = Faults(clock, seed, Facts("fault", Fault, ledger))
    kept = Path(beside(settings.database_path, "journal.ndjson")) if ledger.is_file else None
    path = settings.journal_path or kept
    journal = Journal(clock, settings.journal_entries, path, continued=ledger.is_file)
    client = ConnectorClient(settings.connector_key, house, clock)
    calls = Calls(client, faults, journal, clock, seed, Facts("late message", Late, ledger))
    shelves = Ledger(beside(settings.database_path, "catalog"), TABLES, sync=False)
    items = CatalogItems(house.barcode, house.catalog, CatalogFile(shelves))
    deliveries = Deliveries(Outbox(carts), calls, stores, house=house, clock=clock, seed=seed)
    trips = Trips(deliveries, items, stores, ledger, journal, house=house, clock=clock)
    risk = RiskModel(seed, house.simulator.risk_rate, Facts("means of payment", File, ledger))
    readers = Readers(CodeReader(calls, house, seed), CardReader(calls, risk, house), LoyaltyDesk(calls, house, seed))
    lights = Lights(house.simulator.gate_open_s, Facts("gate", GateState, ledger))
    gates = Gates(stores, readers, trips, journal, lights=lights, clock=clock, seed=seed)
    return StoreParts(
        claim,
        clock,
        seed,
        stores,
        faults,
        journal,
        ledger,
        carts,
        shelves,
        client,
        calls,
        items,
        deliveries,
        trips,
        risk,
        gates,
    )


def catalog_parts(settings: PlatformSettings, store: StoreParts) -> CatalogParts:
    """Make what the catalog flow needs; SNS, SQS and S3 must answer when it starts."""
    aws, clock, seed = aws_clients(settings), store.clock, store.seed
    accounts = Accounts(Facts("account", Account, store.ledger))
    notifications = Notifications(
        aws,
        topic_name=settings.topic_name,
        base_url=settings.base_url,
        accounts=accounts,
        clock=clock,
        seed=seed,
        journal=store.journal,
    )
    reports = Reports(
        aws.s3,
        bucket=settings.report_bucket,
        base_url=settings.base_url,
        key=settings.aws_key,
        region=settings.aws_region,
        clock=clock,
    )
    rules = settings.house.catalog
    folder = Path(beside(settings.database_path, "uploads")) if store.shelves.is_file else None
    shelving = Shelving(store.items, Waiting(folder), Facts("ingestion", Ingestion, store.ledger))
    ingestions = Ingestions(shelving, reports, notifications, store.faults, rules=rules, clock=clock, seed=seed)
    feed = EventFeed(aws.sqs, store.stores, clock, seed, settings.aws_region, store.ledger)
    store.journal.listeners.append(feed.hear)
    access = Access(accounts, settings.house, clock, store.faults)
    return CatalogParts(aws, accounts, access, notifications, reports, ingestions, feed)


def _platform_clock(settings: PlatformSettings, ledger: Ledger) -> PlatformClock:
    facts = Facts("clock", Setting, ledger)
    return PlatformClock(start=settings.clock_start, speed=settings.clock_speed, facts=facts)


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
