"""The composition root: clocks, ids, store and log are made here, and everything below receives them."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import NamedTuple

from fastapi import FastAPI

from contract.operations import CREATE_PURCHASES, VERIFY_IDENTITY_KEYS
from reference_connector.authentication import Gatekeeper
from reference_connector.identity import IdentityDesk
from reference_connector.mobile_app.codes import CodeDesk
from reference_connector.mobile_app.mint import Mint
from reference_connector.mobile_app.routes import AppRules, add_app_routes
from reference_connector.orders import OrderDesk
from reference_connector.retailer import Retailer
from reference_connector.retailer_files import load_retailer
from reference_connector.scan_keys import ScanKeys
from reference_connector.settings import ConnectorSettings
from reference_connector.store import Store
from reference_connector.store.sqlite import SqliteStore
from reference_connector.telemetry import Clock, EventLog, system_clock
from reference_connector.wire import WireCalls


class _Parts(NamedTuple):
    settings: ConnectorSettings
    retailer: Retailer
    store: Store
    clock: Clock
    log: EventLog


def create_app(settings: ConnectorSettings, *, clock: Clock = system_clock, log: EventLog | None = None) -> FastAPI:
    """Make the connector; BadRetailerData when its files are wrong. The store opens when the app starts."""
    path, timeout_s, batch_max = settings.store.path, settings.store.busy_timeout_s, settings.store.batch_max
    parts = _Parts(
        settings,
        load_retailer(settings.retailer_files, settings.price_lists),
        SqliteStore(path, busy_timeout_s=timeout_s, batch_max=batch_max),
        clock,
        log or EventLog(clock),
    )
    app = FastAPI(
        title="Reference connector", version="1", docs_url=None, redoc_url=None, lifespan=_lifespan(parts.store)
    )
    _add_routes(app, parts)
    return app


def _lifespan(store: Store) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        store.open()
        try:
            yield
        finally:
            store.close()

    return lifespan


def _add_routes(app: FastAPI, parts: _Parts) -> None:
    settings, retailer, store, clock, log = parts
    house = settings.house
    new_token = _token_maker(house.scan_key.token_digits)
    scan_keys = ScanKeys(retailer, house.scan_key, new_token)
    identity = IdentityDesk(retailer=retailer, store=store, scan_keys=scan_keys, house=house, clock=clock, log=log)
    orders = OrderDesk(
        retailer=retailer, store=store, house=house, clock=clock, new_purchase_id=lambda: str(uuid.uuid4()), log=log
    )
    calls = WireCalls(app, house, Gatekeeper(settings.caller, house.auth, clock), log)
    calls.add(VERIFY_IDENTITY_KEYS, identity.verify, (400, 401, 403, 429, 500))
    calls.add(CREATE_PURCHASES, orders.create, (400, 403, 409, 429, 500))
    codes = CodeDesk(retailer, store, scan_keys, clock)
    mint = Mint(retailer, codes, house.scan_key, clock, new_token) if settings.app_test_keys else None
    add_app_routes(app, codes, store, AppRules(house.scan_key.max_age_s, settings.app_allow_backdated_codes), mint)
    app.add_api_route("/healthz", _health, methods=["GET"])


def _token_maker(digits: int) -> Callable[[], str]:
    return lambda: secrets.token_hex((digits + 1) // 2)[:digits]


async def _health() -> dict[str, str]:
    return {"status": "ok"}
