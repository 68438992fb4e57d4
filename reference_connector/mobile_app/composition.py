"""Makes the back end of the retailer's app: codes, badges, entries, receipts, and the sign-in."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from fastapi import FastAPI

from reference_connector.badges import Badges
from reference_connector.mobile_app.badge_routes import own_badge_routes
from reference_connector.mobile_app.codes import CodeIssuer
from reference_connector.mobile_app.entry_routes import entry_routes, sample_routes
from reference_connector.mobile_app.mint import Mint
from reference_connector.mobile_app.receipts import add_receipt_routes
from reference_connector.mobile_app.routes import AppRules, add_app_routes
from reference_connector.mobile_app.sign_in import SignIn
from reference_connector.payments.desk import PaymentDesk
from reference_connector.refused_scans import RefusedScans
from reference_connector.retailer import CurrentRetailer
from reference_connector.scan_keys import ScanKeys
from reference_connector.settings import ConnectorSettings
from reference_connector.store import Store
from reference_connector.telemetry import Clock, EventLog

_KEY_BYTES = 32


class SharedParts(NamedTuple):
    """The parts that the app's back end shares with the platform's calls; `new_token` makes Recognition Tokens."""

    settings: ConnectorSettings
    retailer: CurrentRetailer
    store: Store
    clock: Clock
    log: EventLog
    scan_keys: ScanKeys
    badges: Badges
    new_token: Callable[[], str]
    desk: PaymentDesk
    refused: RefusedScans


def add_mobile_app(app: FastAPI, shared: SharedParts) -> None:
    """Serve the back end of the app."""
    settings, rules, retailer, store = shared.settings, shared.settings.scan_key, shared.retailer, shared.store
    codes = CodeIssuer(retailer, store, shared.scan_keys, shared.clock)
    mint = Mint(retailer, codes, rules, store, shared.clock, shared.new_token) if settings.app_test_keys else None
    key = settings.sign_in.key.get_secret_value().encode() or os.urandom(_KEY_BYTES)
    sign_in = SignIn(retailer, settings.sign_in, key, shared.clock)
    app_rules = AppRules(rules.max_age_s, settings.app_allow_backdated_codes)
    of_badges = own_badge_routes(
        shared.badges, store, shared.clock, shared.log, has_pictures=settings.app_badge_pictures
    )
    of_entries = entry_routes(retailer, store, rules, shared.refused)
    add_app_routes(app, codes, app_rules, sign_in, mint, [of_badges, of_entries])
    if settings.app_test_keys:
        app.include_router(sample_routes(retailer))
    add_receipt_routes(app, retailer, store, shared.desk, sign_in)
