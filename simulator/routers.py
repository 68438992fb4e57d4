"""All routes of the platform: those of its stores, those that retailers call, and those of portal and control API."""

from __future__ import annotations

from fastapi import APIRouter

from simulator.called_trips import CalledTrips
from simulator.catalog.portal_routes import CatalogDesk, catalog_desk_router
from simulator.catalog.routes import Catalog, catalog_router
from simulator.checkout.routes import Checkouts, Order, checkout_router
from simulator.composition import CatalogServices, StoreServices
from simulator.control import Control, control_router
from simulator.exchange_view import ExchangeView, exchange_router
from simulator.intraday.routes import reporting_router
from simulator.own_authentication.routes import own_authentication_router
from simulator.own_authentication.sessions import INVALID, Device, OwnAuthentication, Session
from simulator.payment_calls.routes import PaymentCalls, payment_router
from simulator.payments import Payments, payments_router
from simulator.portal.onboarding import Onboarding
from simulator.portal.routes import Portal, PortalServices, portal_router
from simulator.profile_case import ProfileFile
from simulator.resend import Resend
from simulator.routes import store_router
from simulator.settings import PlatformSettings
from simulator.shopper_identity.routes import ShopperIdentities, shopper_identity_router
from simulator.signed_calls import SignedCalls


def all_routers(store: StoreServices, catalog: CatalogServices, settings: PlatformSettings) -> list[APIRouter]:
    """Make all routers. Each request is matched in this order; gates come first, as they get the most requests."""
    house = settings.house
    catalog_api = Catalog(catalog.access, store.items, catalog.ingestions, catalog.reports, store.stores, house)
    return [
        store_router(store.gates, store.trips, store.deliveries, store.faults, store.risk, house),
        catalog_router(catalog_api, bucket=settings.report_bucket),
        *routers_of_charges(store, catalog, settings),
        *_routers_of_identities(store, catalog, settings),
        *_routers_of_the_portal(store, catalog, settings, catalog_api),
        *_routers_of_control(store, settings),
    ]


def routers_of_charges(
    store: StoreServices, catalog: CatalogServices, settings: PlatformSettings
) -> tuple[APIRouter, ...]:
    """Make the routers of payment reports, payment calls and checkouts."""
    house, called = settings.house, _called_trips(store, settings)
    signed = SignedCalls(catalog.access, house, house.payment)
    refund_has_id = house.payment.refund_answer == "reconciliation_id"
    checkouts = Checkouts(
        called,
        store.charges,
        store.storage.key_values("order", Order),
        rules=house.checkout,
        clock=store.clock,
        seed=store.seed,
        journal=store.journal,
    )
    return (
        payments_router(Payments(called, store.risk, store.journal), signed),
        payment_router(PaymentCalls(store.charges, called, store.clock, refund_has_id=refund_has_id), signed),
        checkout_router(checkouts, signed._replace(limits=house.checkout)),
    )


def _routers_of_identities(
    store: StoreServices, catalog: CatalogServices, settings: PlatformSettings
) -> tuple[APIRouter, ...]:
    house = settings.house
    emails = store.storage.key_values("e-mail address", str)
    identities = ShopperIdentities(_called_trips(store, settings), emails, house.shopper_identity)
    own = OwnAuthentication(
        stores=store.stores,
        gates=store.gates,
        locks=store.reader_locks,
        devices=store.storage.key_values("own reader", Device),
        sessions=store.storage.key_values("own authentication", Session),
        rules=house.own_auth,
        clock=store.clock,
        seed=store.seed,
        journal=store.journal,
    )
    return (
        shopper_identity_router(identities, SignedCalls(catalog.access, house, house.shopper_identity)),
        own_authentication_router(own, SignedCalls(catalog.access, house, house.own_auth, refusal=INVALID)),
    )


def _called_trips(store: StoreServices, settings: PlatformSettings) -> CalledTrips:
    return CalledTrips(store.trips, store.stores, store.charges.store_of, sample_ids=settings.house.payment.magic_ids)


def _routers_of_the_portal(
    store: StoreServices, catalog: CatalogServices, settings: PlatformSettings, catalog_api: Catalog
) -> tuple[APIRouter, ...]:
    services = PortalServices(
        portal=Portal(store.stores, catalog.accounts, catalog.notifications, settings.house),
        stores=store.stores,
        users=catalog.users,
        access=catalog.access,
        notifications=catalog.notifications,
        connectivity=catalog.connectivity,
        onboarding=Onboarding(store.stores, catalog.accounts, store.items, catalog.connectivity),
        feed=catalog.feed,
    )
    desk = CatalogDesk(catalog_api, catalog.accounts, catalog.users, store.journal, not settings.stores_alone)
    return (
        portal_router(services),
        reporting_router(catalog.intra_day, catalog.feed, catalog.users),
        catalog_desk_router(desk),
    )


def _routers_of_control(store: StoreServices, settings: PlatformSettings) -> tuple[APIRouter, ...]:
    house = settings.house
    resend = Resend(store.journal, store.client, store.stores, house.delivery.order_timeout_s)
    control = Control(store.clock, store.faults, store.journal, store.seed, resend)
    return (
        control_router(control),
        exchange_router(ExchangeView(store.journal, house, ProfileFile(settings.profile_path))),
    )
