"""The composition root: makes the clock, ids, clients and storage of a platform, and all services that use them.

It makes each service after those that it needs. The app (`app.py`) and the store day (`shop/run.py`) begin here. No
module makes an object at import.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from jwo_contract.house import House
from simulator.announcements import Announcements
from simulator.aws import Aws, aws_clients
from simulator.catalog.access import Access
from simulator.catalog.ingestion import CatalogStorage, Ingestion, Ingestions
from simulator.catalog.items import CatalogItems
from simulator.catalog.notifications import Notifications
from simulator.catalog.report import Reports
from simulator.catalog.upload_bodies import UploadBodies
from simulator.clock import Clock, PlatformClock, Setting
from simulator.connector import ConnectorClient
from simulator.connector_calls import ConnectorCalls, DelayedMessage
from simulator.delivery import Deliveries
from simulator.entry.cards import CardReader
from simulator.entry.codes import CodeReader
from simulator.entry.loyalty import LoyaltyReader
from simulator.entry.risk import RiskModel, RiskRecord
from simulator.events import EventFeed
from simulator.faults import Fault, Faults
from simulator.gate_states import GateState, GateStates
from simulator.gates import Gates, Readers
from simulator.intraday.delivery import FileDelivery
from simulator.intraday.files import IntraDayFiles
from simulator.journal import Journal
from simulator.outbox import Outbox
from simulator.payment_calls.charge_record import Charge
from simulator.payment_calls.charges import Charges
from simulator.portal.accounts import Account, Accounts
from simulator.portal.connectivity import ConnectivityTest, ConnectorTested
from simulator.portal.stores import Store, Stores
from simulator.portal.users import User, Users
from simulator.reader_locks import ReaderLocks
from simulator.seed import Seed
from simulator.settings import PlatformSettings
from simulator.storage.files import Storage
from simulator.trips import Trips
from simulator.worlds import load_world


@dataclass(frozen=True)
class StoreServices:
    """The services that open gates, fill carts and deliver them, without AWS. Call `close` when the platform stops."""

    storage: Storage
    clock: Clock
    seed: Seed
    stores: Stores
    faults: Faults
    journal: Journal
    client: ConnectorClient
    calls: ConnectorCalls
    items: CatalogItems
    deliveries: Deliveries
    trips: Trips
    risk: RiskModel
    gates: Gates
    charges: Charges
    reader_locks: ReaderLocks

    async def close(self) -> None:
        """Stop the running work and close the files."""
        await self.calls.close()
        await self.storage.close()
        self.journal.close()


@dataclass(frozen=True)
class CatalogServices:
    """The services that ingest catalogs, send notifications and events through AWS, and serve the portal."""

    aws: Aws
    accounts: Accounts
    access: Access
    notifications: Notifications
    reports: Reports
    ingestions: Ingestions
    feed: EventFeed
    connectivity: ConnectivityTest
    users: Users
    intra_day: IntraDayFiles
    announcements: Announcements


def make_store_services(settings: PlatformSettings, clock: Clock | None = None) -> StoreServices:
    """Make the services of a store. Without `clock`, the settings choose the clock."""
    house, storage = settings.house, Storage(settings.database_path)
    clock = clock or _platform_clock(settings, storage)
    seed = Seed(settings.seed, run=storage.trips.begin_run())
    stores = Stores(_world_stores(settings), storage.key_values("store", Store))
    faults = Faults(clock, seed, storage.key_values("fault", Fault), storage.key_values("used fault", Fault))
    journal = _journal(settings, storage, clock)
    client = ConnectorClient(settings.connector_key, house, clock, settings.connector_ca_file)
    late = storage.key_values("late message", DelayedMessage)
    calls = ConnectorCalls(client=client, faults=faults, journal=journal, clock=clock, seed=seed, late=late)
    items = CatalogItems(house.barcode, house.catalog, storage.items)
    deliveries = Deliveries(Outbox(storage.deliveries), calls, stores, house=house, clock=clock, seed=seed)
    trips = Trips(
        deliveries=deliveries,
        catalog=items,
        stores=stores,
        storage=storage.trips,
        journal=journal,
        house=house,
        clock=clock,
    )
    risk = RiskModel(seed, house.simulator.risk_rate, storage.key_values("means of payment", RiskRecord))
    reader_locks = ReaderLocks(storage.key_values("reader lock", datetime))
    gates = Gates(
        stores=stores,
        readers=_make_readers(calls, risk, house, seed),
        trips=trips,
        journal=journal,
        gate_states=GateStates(house.simulator.gate_open_s, storage.key_values("gate", GateState), reader_locks),
        clock=clock,
        seed=seed,
    )
    return StoreServices(
        storage=storage,
        clock=clock,
        seed=seed,
        stores=stores,
        faults=faults,
        journal=journal,
        client=client,
        calls=calls,
        items=items,
        deliveries=deliveries,
        trips=trips,
        risk=risk,
        gates=gates,
        charges=Charges(
            storage.key_values("charge", Charge), house=house, clock=clock, seed=seed, faults=faults, journal=journal
        ),
        reader_locks=reader_locks,
    )


def _make_readers(calls: ConnectorCalls, risk: RiskModel, house: House, seed: Seed) -> Readers:
    return Readers(
        codes=CodeReader(calls, house, seed),
        cards=CardReader(calls, risk, house),
        loyalty=LoyaltyReader(calls, house, seed),
    )


def make_catalog_services(settings: PlatformSettings, store: StoreServices) -> CatalogServices:
    """Make the services of the catalog flow. SNS, SQS and S3 must answer when they start."""
    aws, storage = aws_clients(settings), store.storage
    accounts = Accounts(storage.key_values("account", Account))
    notifications = Notifications(
        aws,
        topic_name=settings.topic_name,
        subject=settings.house.catalog.notification_subject,
        base_url=settings.base_url,
        accounts=accounts,
        clock=store.clock,
        seed=store.seed,
        journal=store.journal,
    )
    reports = Reports(
        aws.s3,
        bucket=settings.report_bucket,
        base_url=settings.base_url,
        key=settings.aws_key,
        region=settings.aws_region,
        clock=store.clock,
    )
    feed, intra_day, announcements = _make_announcing_services(settings, store, aws)
    return CatalogServices(
        aws=aws,
        accounts=accounts,
        access=Access(accounts, settings.house, store.clock, store.faults, settings.base_url),
        notifications=notifications,
        reports=reports,
        ingestions=_make_ingestions(settings, store, reports, notifications),
        feed=feed,
        connectivity=ConnectivityTest(
            store.client,
            settings.house,
            store.clock,
            store.seed,
            store.journal,
            storage.key_values("connector test", ConnectorTested),
        ),
        users=Users(storage.key_values("portal user", User)),
        intra_day=intra_day,
        announcements=announcements,
    )


def _make_announcing_services(
    settings: PlatformSettings, store: StoreServices, aws: Aws
) -> tuple[EventFeed, IntraDayFiles, Announcements]:
    """Make what announces events in the stores. It listens to the journal, unless the stores run alone."""
    feed = EventFeed(
        sqs=aws.sqs,
        stores=store.stores,
        clock=store.clock,
        seed=store.seed,
        region=settings.aws_region,
        storage=store.storage,
    )
    intra_day = _make_intra_day_files(settings, store, aws)
    announcements = Announcements(
        feed,
        intra_day,
        stores=store.stores,
        deliveries=store.deliveries,
        charges=store.charges,
        journal=store.journal,
        storage=store.storage,
    )
    if not settings.stores_alone:
        store.journal.listeners += [feed.receive, intra_day.receive, announcements.receive]
    return feed, intra_day, announcements


def _make_intra_day_files(settings: PlatformSettings, store: StoreServices, aws: Aws) -> IntraDayFiles:
    return IntraDayFiles(
        delivery=FileDelivery(
            aws, bucket=settings.intra_day_bucket, topic_name=settings.intra_day_topic, region=settings.aws_region
        ),
        stores=store.stores,
        rules=settings.house.intra_day,
        clock=store.clock,
        seed=store.seed,
        faults=store.faults,
        journal=store.journal,
        storage=store.storage,
    )


def _make_ingestions(
    settings: PlatformSettings, store: StoreServices, reports: Reports, notifications: Notifications
) -> Ingestions:
    return Ingestions(
        CatalogStorage(
            items=store.items,
            bodies=UploadBodies(store.storage.sibling_path("uploads")),
            ingestions=store.storage.key_values("ingestion", Ingestion),
        ),
        reports,
        notifications,
        store.faults,
        rules=settings.house.catalog,
        clock=store.clock,
        seed=store.seed,
    )


def _platform_clock(settings: PlatformSettings, storage: Storage) -> PlatformClock:
    return PlatformClock(
        start=settings.clock_start,
        speed=settings.clock_speed,
        storage=storage.key_values("clock", Setting),
    )


def _journal(settings: PlatformSettings, storage: Storage, clock: Clock) -> Journal:
    path = settings.journal_path or storage.sibling_path("journal.ndjson")
    rotated = settings.journal_file_bytes
    return Journal(clock, settings.journal_entries, path, continued=storage.is_file, file_bytes=rotated)


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
