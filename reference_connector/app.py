"""The composition root: makes the clock, ids, store and log, and gives them to all parts of the connector.

It alone imports `accelerated`, and only if the setting is on.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any, NamedTuple

from fastapi import FastAPI

from jwo_contract.hosts import require_authentication
from jwo_contract.house import House
from jwo_contract.operations import (
    CREATE_PURCHASES,
    GET_SCAN_DETAILS,
    RESOLVE_SCAN,
    SHOPPER_AUTHORIZATION,
    VERIFY_IDENTITY_KEYS,
    Operation,
)
from jwo_contract.settings import read
from jwo_toolkit.garbage_collection import tune_garbage_collector
from jwo_toolkit.no_upgrade import NoUpgradeProtocol
from reference_connector.admin_routes import add_probe_routes, create_admin_app
from reference_connector.authentication import Authenticator
from reference_connector.badges import Badges, EntryKeys
from reference_connector.cart import CartReader
from reference_connector.catalog_client.metrics import MetricsFile
from reference_connector.dispatch import AdminSite, Call, ConnectorApp, Dispatcher, Handle
from reference_connector.errors import StoreUnavailable
from reference_connector.feeds.consumer import Consumers
from reference_connector.feeds.retention import Retention
from reference_connector.idempotency import LeasedAnswers
from reference_connector.identity import IdentityHandler
from reference_connector.loyalty import LoyaltyHandler
from reference_connector.messages import RequestReader
from reference_connector.mobile_app.composition import SharedParts, add_mobile_app
from reference_connector.openapi import document_calls
from reference_connector.operator_routes import operator_routes
from reference_connector.orders import OrderHandler
from reference_connector.parts import Parts
from reference_connector.payments.desk import PaymentDesk
from reference_connector.payments.entry import EntryPayments
from reference_connector.payments.outbox import PaymentOutbox
from reference_connector.payments.provider import PaymentProvider
from reference_connector.payments.simulated import SimulatedProvider
from reference_connector.platform_calls.caller import PlatformCaller
from reference_connector.purchase_ids import RandomIds, seeded_ids
from reference_connector.refused_scans import BusyGates, RefusedScans
from reference_connector.retailer import CurrentRetailer
from reference_connector.retailer_source import RetailerSource, log_notes
from reference_connector.sales import Sales
from reference_connector.scan_keys import ScanKeys
from reference_connector.settings import ConnectorSettings
from reference_connector.shopper_auth import RetailersOwnRecords, RiskCheck, ShopperHandler, new_owner_ids
from reference_connector.store import Store
from reference_connector.store.sqlite import SqliteStore
from reference_connector.tasks import FileWatch, running
from reference_connector.telemetry import Clock, EventLog, Telemetry, system_clock
from reference_connector.tracing import set_up

_COLLECTOR_THRESHOLDS = (20_000, 10, 10)
_TURNS_TO_THE_LOG = 2
"""In one turn of the event loop the store resumes its callers, and in the next turn they write their log lines."""


class _Made(NamedTuple):
    """The parts that several handlers share."""

    settings: ConnectorSettings
    parts: Parts
    retailer: CurrentRetailer
    store: Store
    clock: Clock
    telemetry: Telemetry
    owner: str
    provider: PaymentProvider
    platform: PlatformCaller

    @property
    def house(self) -> House:
        return self.settings.house

    @property
    def log(self) -> EventLog:
        return self.telemetry.log

    def reader(self, operation: Operation) -> RequestReader:
        return self.parts.reader(operation, self.settings.house)


def create_app(
    settings: ConnectorSettings,
    *,
    clock: Clock = system_clock,
    log: EventLog | None = None,
    provider: PaymentProvider | None = None,
    risk: RiskCheck | None = None,
    platform: PlatformCaller | None = None,
    admin_port: int | None = None,
) -> ConnectorApp:
    """Make the connector. Its store opens when the app starts. Raises BadRetailerData if its files are wrong.

    `provider`, `risk` and `platform` replace the simulated payment provider, the risk data of the retailer files, and
    the calls to the platform. `admin_port` is the port of the server's admin listener; without it, /ops and /metrics
    are served if they have a token.
    """
    parts = _parts(settings)
    telemetry = _telemetry(settings, log or EventLog(clock))
    source = RetailerSource(
        settings.retailer_files,
        settings.price_lists,
        settings.hold_back_above,
        settings.scan_key,
        settings.platform.missing,
    )
    seen = source.stamps()  # before the files are read, so that a change meanwhile is seen
    retailer, owner = CurrentRetailer(source.load()), f"{os.getpid()}-{secrets.token_hex(4)}"
    log_notes(retailer.current, telemetry.log)
    simulated = SimulatedProvider(settings.payment_ledger)  # opens its ledger only when it is used
    store = make_store(settings, telemetry.log)
    platform = platform or PlatformCaller(settings.platform, block_amazon=settings.auth.block_amazon_hosts, clock=clock)
    made = _Made(settings, parts, retailer, store, clock, telemetry, owner, provider or simulated, platform)
    outbox = PaymentOutbox(
        store=store,
        provider=made.provider,
        platform=platform,
        rules=settings.payments,
        owner=owner,
        clock=clock,
        log=made.log,
    )
    orders = _orders(made, outbox)
    desk = PaymentDesk(store, clock, outbox.wake, made.log)
    watch = FileWatch(source, seen, retailer, orders, made.log)
    consumers, retention = _consumers(made), Retention(store, settings.feeds, clock, made.log)
    tasks = partial(running, outbox, watch, settings.watch_files_s, [*consumers.by_queue.values(), retention])
    lifespan = _lifespan(made, [simulated.close, consumers.close], tasks)
    app = ConnectorApp(title="Reference connector", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    refused = RefusedScans(clock, settings.app_refusal_shown_s)
    keys = EntryKeys(_scan_keys(made), _badges(made), refused)
    entries = _entry_payments(made, keys)
    app.dispatcher = _dispatcher(made, orders, entries, keys, risk or RetailersOwnRecords(retailer, store))
    document_calls(app, made.house)
    add_mobile_app(app, _shared_with_the_app(made, desk, refused))
    add_probe_routes(app, made.store)
    token = settings.admin.token.get_secret_value()
    if admin_port is not None or token:
        more = operator_routes(store, _badges(made), desk, consumers, settings.feeds.overdue_s, clock, made.log)
        app.admin = AdminSite(create_admin_app(made.store, orders, telemetry, token, more), admin_port)
    return app


def create_tuned_app(settings: ConnectorSettings, admin_port: int | None) -> ConnectorApp:
    """Make the connector for a process of its own.

    A full run of the garbage collector over a large assortment would delay answers, so it is tuned for this process.
    """
    app = create_app(settings, admin_port=admin_port)
    tune_garbage_collector(_COLLECTOR_THRESHOLDS)
    return app


def from_environment() -> FastAPI:
    """Make the connector from the settings of the environment, for a server that starts it by this name.

    Such a server does not say where it listens. Raises BadSettings if the connector would answer without authentication
    and the settings do not allow it.
    """
    settings = read(ConnectorSettings)
    require_authentication(
        "the connector does not know where this server listens",
        settings.unauthenticated,
        allowed=settings.allow_unauthenticated,
        otherwise="Or allow it with JWO_CONNECTOR_ALLOW_UNAUTHENTICATED=true",
    )
    return create_tuned_app(settings, admin_port=None)


def open_store_once(settings: ConnectorSettings) -> None:
    """Open the store and close it, which upgrades an older database. Raises StoreUnavailable if that fails."""
    store = make_store(settings, EventLog(system_clock))
    store.open()
    store.close()


def http_protocol(settings: ConnectorSettings) -> type[NoUpgradeProtocol]:
    """Return the HTTP protocol for uvicorn: its own without upgrades, or the accelerated protocol.

    Raises BadSettings if the setting `accelerated` is on and this uvicorn does not fit it.
    """
    if not settings.accelerated:
        return NoUpgradeProtocol
    from reference_connector.accelerated.uvicorn_check import check_uvicorn  # noqa: PLC0415 - only where it is on

    check_uvicorn()
    from reference_connector.accelerated.http_protocol import AcceleratedProtocol  # noqa: PLC0415 - after the check

    return AcceleratedProtocol


def _telemetry(settings: ConnectorSettings, log: EventLog) -> Telemetry:
    tracing, catalog = set_up(traces=settings.traces), settings.catalog_metrics
    return Telemetry(log, tracing.new_span, [MetricsFile(catalog)] if catalog else [], tracing.close)


def _parts(settings: ConnectorSettings) -> Parts:
    if not settings.accelerated:
        return Parts()
    from reference_connector.accelerated import PARTS  # noqa: PLC0415 - only where it is on

    return PARTS


def make_store(settings: ConnectorSettings, log: EventLog) -> Store:
    """Make the store of the settings. Raises StoreUnavailable if the driver of its database is not installed."""
    parts = _parts(settings)
    path, url = settings.store.path, settings.database_url.get_secret_value()
    rules: dict[str, Any] = {
        "busy_timeout_s": settings.store.busy_timeout_s,
        "batch_max": settings.store.batch_max,
        "upgrade_wait_s": settings.store.upgrade_wait_s,
        "on_upgrade": partial(_log_upgrade, log),
        "new_waiter": parts.new_waiter,
    }
    if not url:
        return SqliteStore(path, checkpoints=parts.new_checkpoints(path), **rules)
    try:
        from reference_connector.store.postgres import PostgresStore  # noqa: PLC0415 - its driver is an extra
    except ImportError as error:
        raise StoreUnavailable(
            "JWO_DATABASE_URL is set, and the driver of PostgreSQL is not installed",
            hint="install it: pip install 'jwo-conformance-kit[postgres]'",
        ) from error
    return PostgresStore(url, **rules)


def _log_upgrade(log: EventLog, old: int, new: int) -> None:
    log.event("store_upgraded", fromVersion=old, toVersion=new)


def _lifespan(
    made: _Made, closers: Sequence[Callable[[], None]], tasks: Callable[[], AbstractAsyncContextManager[None]]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        made.store.open()
        try:
            async with tasks():
                yield
        finally:
            made.store.close()
            for close in closers:
                close()
            await made.platform.close()
            made.telemetry.close()
            for _ in range(_TURNS_TO_THE_LOG):
                await asyncio.sleep(0)
            made.log.flush()

    return lifespan


def _dispatcher(
    made: _Made, orders: OrderHandler, entries: EntryPayments, keys: EntryKeys, risk: RiskCheck
) -> Dispatcher:
    settings, telemetry = made.settings, made.telemetry
    loyalty = _loyalty(made, keys)
    handlers: dict[Operation, Handle] = {
        VERIFY_IDENTITY_KEYS: _identity(made, entries).verify,
        CREATE_PURCHASES: orders.create,
        SHOPPER_AUTHORIZATION: _shoppers(made, risk).authorize,
        RESOLVE_SCAN: loyalty.resolve,
        GET_SCAN_DETAILS: loyalty.details,
    }
    calls = {
        operation.path: Call(operation, handle, telemetry.call(operation.name, made.parts.watch))
        for operation, handle in handlers.items()
    }
    authenticator = Authenticator(settings.caller, made.house.auth, made.store, made.clock)
    busy = BusyGates(made.store, made.clock)

    def note_limit(operation: Operation) -> None:
        if operation in {VERIFY_IDENTITY_KEYS, RESOLVE_SCAN}:
            busy.note()

    return Dispatcher(calls, authenticator, settings.limits, made.log, note_limit)


def _identity(made: _Made, entries: EntryPayments) -> IdentityHandler:
    return IdentityHandler(
        reader=made.reader(VERIFY_IDENTITY_KEYS),
        retailer=made.retailer,
        store=made.store,
        payments=entries,
        house=made.house,
        clock=made.clock,
        log=made.log,
    )


def _entry_payments(made: _Made, keys: EntryKeys) -> EntryPayments:
    return EntryPayments(
        keys=keys,
        retailer=made.retailer,
        provider=made.provider,
        rules=made.settings.payments,
        new_owner=new_owner_ids(f"{made.owner}-gate"),
        clock=made.clock,
        log=made.log,
    )


def _orders(made: _Made, outbox: PaymentOutbox) -> OrderHandler:
    seed = made.settings.id_seed
    ids = seeded_ids(seed) if seed else RandomIds()
    return OrderHandler(
        carts=CartReader(made.reader(CREATE_PURCHASES), made.parts.instant_is_before),
        retailer=made.retailer,
        store=made.store,
        sales=Sales(
            made.retailer,
            made.clock,
            ids,
            made.parts.new_price_cart(),
            preauthorises=bool(made.settings.payments.preauthorise),
            checkout_prices=made.settings.payments.checkout_prices,
        ),
        house=made.house,
        on_charge=outbox.wake,
        log=made.log,
    )


def _shoppers(made: _Made, risk: RiskCheck) -> ShopperHandler:
    lease_s, budget_s = made.settings.claim_lease_s, made.house.shopper_auth.answer_budget_s
    return ShopperHandler(
        reader=made.reader(SHOPPER_AUTHORIZATION),
        retailer=made.retailer,
        answers=LeasedAnswers(made.store, made.clock, new_owner_ids(made.owner), lease_s=lease_s, budget_s=budget_s),
        risk=risk,
        house=made.house,
        clock=made.clock,
        log=made.log,
    )


def _loyalty(made: _Made, keys: EntryKeys) -> LoyaltyHandler:
    return LoyaltyHandler(
        reader_for=made.reader,
        retailer=made.retailer,
        store=made.store,
        entry_keys=keys,
        house=made.house,
        clock=made.clock,
        log=made.log,
    )


def _shared_with_the_app(made: _Made, desk: PaymentDesk, refused: RefusedScans) -> SharedParts:
    new_token = partial(_new_token, made.settings.scan_key.token_digits)
    own = (made.settings, made.retailer, made.store, made.clock, made.log)
    return SharedParts(*own, _scan_keys(made), _badges(made), new_token, desk, refused)


def _consumers(made: _Made) -> Consumers:
    """Make the consumers of the feeds. Without a queue there are none, and boto3 is not imported."""
    rules = made.settings.feeds
    if not rules.is_on:
        return Consumers()
    from reference_connector.feeds.composition import make_consumers  # noqa: PLC0415 - boto3 takes long to import

    return make_consumers(rules, made.store, made.clock, made.log, block_amazon=made.house.auth.block_amazon_hosts)


def _scan_keys(made: _Made) -> ScanKeys:
    rules = made.settings.scan_key
    return ScanKeys(made.retailer, rules, partial(_new_token, rules.token_digits))


def _badges(made: _Made) -> Badges:
    return Badges(made.retailer, _scan_keys(made), made.house.identity.badge_credential)


def _new_token(digits: int) -> str:
    return secrets.token_hex((digits + 1) // 2)[:digits]
