"""The composition root: clocks, ids, store and log are made here, and everything below receives them."""

from __future__ import annotations

import asyncio
import gc
import os
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

from fastapi import FastAPI

from contract.operations import (
    CREATE_PURCHASES,
    GET_SCAN_DETAILS,
    RESOLVE_SCAN,
    SHOPPER_AUTHORIZATION,
    VERIFY_IDENTITY_KEYS,
)
from reference_connector.admin_routes import add_admin_routes
from reference_connector.authentication import Authenticator
from reference_connector.dispatch import ConnectorApp, WireCalls
from reference_connector.idempotency import LeasedAnswers
from reference_connector.identity import IdentityHandler
from reference_connector.loyalty import LoyaltyHandler
from reference_connector.mobile_app.codes import CodeIssuer
from reference_connector.mobile_app.mint import Mint
from reference_connector.mobile_app.routes import AppRules, add_app_routes
from reference_connector.mobile_app.sign_in import SignIn
from reference_connector.orders import OrderHandler
from reference_connector.payments import PaymentOutbox, PaymentProvider
from reference_connector.purchase_ids import purchase_ids
from reference_connector.retailer import CurrentRetailer, Retailer
from reference_connector.retailer_files import load_retailer
from reference_connector.sales import Sales
from reference_connector.scan_keys import ScanKeys
from reference_connector.settings import ConnectorSettings
from reference_connector.shopper_auth import RetailersOwnRecords, RiskCheck, ShopperHandler, new_owner_ids
from reference_connector.simulated_provider import SimulatedProvider
from reference_connector.store import Store
from reference_connector.store.sqlite import SqliteStore
from reference_connector.tasks import FileWatch, at_work
from reference_connector.telemetry import Clock, EventLog, Telemetry, span_maker, system_clock

_KEY_BYTES = 32
_LOOK_AFTER = 20_000
_TURNS_TO_THE_LOG = 2
"""In one turn of the loop those who wait for the store are told, and in the next what they log is written."""


class _Parts(NamedTuple):
    settings: ConnectorSettings
    retailer: CurrentRetailer
    store: Store
    clock: Clock
    telemetry: Telemetry
    owner: str

    @property
    def log(self) -> EventLog:
        return self.telemetry.log


def create_app(
    settings: ConnectorSettings,
    *,
    clock: Clock = system_clock,
    log: EventLog | None = None,
    provider: PaymentProvider | None = None,
    risk: RiskCheck | None = None,
) -> FastAPI:
    """Make the connector; BadRetailerData when its files are wrong. The store opens when the app starts.

    `provider` and `risk` take the place of the simulated payment provider and of the retailer files' risk data.
    """
    telemetry = Telemetry(log or EventLog(clock), span_maker())
    retailer = CurrentRetailer(_load(settings))
    parts = _Parts(settings, retailer, _store(settings), clock, telemetry, f"{os.getpid()}-{secrets.token_hex(4)}")
    simulated = SimulatedProvider(settings.payment_ledger)  # opens its ledger only when it is used
    outbox = PaymentOutbox(
        store=parts.store,
        provider=provider or simulated,
        rules=settings.payments,
        owner=parts.owner,
        clock=clock,
        log=parts.log,
    )
    orders = _orders(parts, outbox)
    watch = FileWatch(
        (*settings.retailer_files, *settings.price_lists), lambda: _load(settings), retailer, orders, parts.log
    )
    background = lambda: at_work(outbox, watch, settings.watch_files_s)  # noqa: E731 - one expression
    lifespan = _lifespan(parts.store, background, simulated)
    app = ConnectorApp(title="Reference connector", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    _add_wire_calls(app, parts, orders, risk)
    _add_app(app, parts)
    add_admin_routes(app, parts.store, orders, telemetry)
    return app


def from_environment() -> FastAPI:
    """Make the connector of the environment's settings, for servers that start workers by name.

    What is made here stays, and a request's own objects go by their reference counts; so the collector, whose walk over
    a large assortment would keep gates waiting, skips the former and looks seldom at the latter.
    """
    app = create_app(ConnectorSettings())
    gc.freeze()
    gc.set_threshold(_LOOK_AFTER)
    return app


def _load(settings: ConnectorSettings) -> Retailer:
    return load_retailer(settings.retailer_files, settings.price_lists)


def _store(settings: ConnectorSettings) -> Store:
    path, timeout_s, batch_max = settings.store.path, settings.store.busy_timeout_s, settings.store.batch_max
    url = settings.database_url.get_secret_value()
    if not url:
        return SqliteStore(path, busy_timeout_s=timeout_s, batch_max=batch_max)
    from reference_connector.store.postgres import PostgresStore  # noqa: PLC0415 - its driver is an extra

    return PostgresStore(url, busy_timeout_s=timeout_s, batch_max=batch_max)


def _lifespan(
    store: Store, background: Callable[[], AbstractAsyncContextManager[None]], simulated: SimulatedProvider
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        store.open()
        try:
            async with background():
                yield
        finally:
            if isinstance(app, ConnectorApp):
                await app.wire_calls.finish()
            store.close()
            simulated.close()
            for _ in range(_TURNS_TO_THE_LOG):
                await asyncio.sleep(0)

    return lifespan


def _orders(parts: _Parts, outbox: PaymentOutbox) -> OrderHandler:
    sales = Sales(parts.retailer, parts.clock, purchase_ids(parts.settings.id_seed))
    return OrderHandler(
        retailer=parts.retailer,
        store=parts.store,
        sales=sales,
        house=parts.settings.house,
        on_charge=outbox.wake,
        log=parts.log,
    )


def _add_wire_calls(app: ConnectorApp, parts: _Parts, orders: OrderHandler, risk: RiskCheck | None) -> None:
    settings, retailer, store, clock, telemetry, owner = parts
    house = settings.house
    scan_keys = ScanKeys(retailer, house.scan_key, _token_maker(house.scan_key.token_digits))
    log = telemetry.log
    identity = IdentityHandler(retailer=retailer, scan_keys=scan_keys, house=house, clock=clock, log=log)
    scans = LoyaltyHandler(retailer=retailer, scan_keys=scan_keys, house=house, clock=clock, log=log)
    answers = LeasedAnswers(
        store, clock, new_owner_ids(owner), lease_s=settings.claim_lease_s, budget_s=house.shopper_auth.answer_budget_s
    )
    risk = risk or RetailersOwnRecords(retailer, store)
    shoppers = ShopperHandler(retailer=retailer, answers=answers, risk=risk, house=house, clock=clock, log=log)
    authenticator = Authenticator(settings.caller, house.auth, store, clock)
    calls = WireCalls(house, authenticator, store, settings.limits, telemetry)
    calls.add(app, VERIFY_IDENTITY_KEYS, identity.verify, (400, 401, 403, 429, 500))
    calls.add(app, CREATE_PURCHASES, orders.create, (400, 403, 409, 429, 500))
    calls.add(app, SHOPPER_AUTHORIZATION, shoppers.authorize, (400, 403, 429, 500))
    calls.add(app, RESOLVE_SCAN, scans.resolve, (400, 403, 429, 500))
    calls.add(app, GET_SCAN_DETAILS, scans.details, (400, 403, 404, 429, 500))
    app.wire_calls = calls


def _add_app(app: FastAPI, parts: _Parts) -> None:
    settings, rules = parts.settings, parts.settings.scan_key
    new_token = _token_maker(rules.token_digits)
    codes = CodeIssuer(parts.retailer, parts.store, ScanKeys(parts.retailer, rules, new_token), parts.clock)
    mint = Mint(parts.retailer, codes, rules, parts.clock, new_token) if settings.app_test_keys else None
    key = settings.sign_in.key.get_secret_value().encode() or os.urandom(_KEY_BYTES)
    sign_in = SignIn(parts.retailer, settings.sign_in, key, parts.clock)
    app_rules = AppRules(rules.max_age_s, settings.app_allow_backdated_codes)
    add_app_routes(app, codes, parts.store, app_rules, sign_in, mint)


def _token_maker(digits: int) -> Callable[[], str]:
    return lambda: secrets.token_hex((digits + 1) // 2)[:digits]
