"""The routes under /ops: each part of the connector adds those of its own records."""

from __future__ import annotations

from fastapi import APIRouter

from reference_connector.badge_routes import badge_routes
from reference_connector.badges import Badges
from reference_connector.feeds.consumer import Consumers
from reference_connector.feeds.export import export_routes
from reference_connector.feeds.routes import feed_routes
from reference_connector.payments.desk import PaymentDesk
from reference_connector.payments.routes import payment_routes
from reference_connector.store import Store
from reference_connector.telemetry import Clock, EventLog


def operator_routes(
    store: Store, badges: Badges, desk: PaymentDesk, consumers: Consumers, overdue_s: float, clock: Clock, log: EventLog
) -> list[APIRouter]:
    """Make the routes of badges, payments, exports and feeds.

    An order is overdue if the other side does not have it after `overdue_s` seconds.
    """
    return [
        badge_routes(badges, store, clock, log),
        payment_routes(store, desk),
        export_routes(store),
        feed_routes(store, consumers.by_queue, clock, overdue_s),
    ]
