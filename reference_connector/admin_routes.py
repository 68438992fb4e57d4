"""Routes for operators and monitoring: health, metrics, receipts, bad carts, charges.

These routes have no login: put a proxy with a login in front of them before they are on a network.
"""

from __future__ import annotations

import asyncio
import os
from typing import Literal

import orjson
from fastapi import APIRouter, FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import Response

from reference_connector.errors import NotThere, StoreError
from reference_connector.orders import BAD_CARTS_A_PAGE, OrderHandler
from reference_connector.pricing.goods import as_text
from reference_connector.store import Charge, Purchase, Store
from reference_connector.telemetry import Telemetry

_READY_WITHIN_S = 1.0
_LISTED = 100


def add_admin_routes(app: FastAPI, store: Store, orders: OrderHandler, telemetry: Telemetry) -> None:
    """Serve /healthz, /readyz, /metrics and /ops."""
    app.include_router(_probe_routes(store, telemetry), include_in_schema=False)
    app.include_router(_admin_routes(store, orders), include_in_schema=False)


def _probe_routes(store: Store, telemetry: Telemetry) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    async def ready() -> Response:
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                await store.transact(lambda records: records.open_charges())
        except (StoreError, TimeoutError) as error:
            return _json({"status": "not ready", "reason": getattr(error, "code", "store_too_slow")}, 503)
        return _json({"status": "ready"})

    @routes.get("/metrics")
    async def metrics() -> Response:
        telemetry.outbox_depth.set(await store.transact(lambda records: records.open_charges()))
        telemetry.store_waiting.set(store.waiting)
        return Response(generate_latest(_registry(telemetry)), media_type=CONTENT_TYPE_LATEST)

    return routes


def _registry(telemetry: Telemetry) -> CollectorRegistry:
    """Return the metrics of this process, or of all workers if prometheus_client is set to share them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return telemetry.registry
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call] # the library's own
    return shared


def _admin_routes(store: Store, orders: OrderHandler) -> APIRouter:
    routes = APIRouter(prefix="/ops")

    @routes.get("/parked")
    async def bad_carts(after: str = "") -> Response:
        """List a page of bad carts. If there may be more, the answer has `next`, which is `after` of the next call."""
        page = await orders.bad_carts(after)
        more = {"next": page[-1].trip_id} if len(page) == BAD_CARTS_A_PAGE else {}
        return _json({"parked": [_bad_cart(purchase) for purchase in page]} | more)

    @routes.post("/parked/sell")
    async def sell_bad_carts() -> Response:
        priced, bad = await orders.sell_bad_carts()
        return _json({"sold": priced, "parked": bad})

    @routes.get("/receipts/{trip_id:path}")
    async def receipt(trip_id: str) -> Response:
        purchase = await store.transact(lambda records: records.find_purchase(trip_id))
        if purchase is None:
            raise NotThere("there is no purchase for this shopping trip")
        return Response(purchase.receipt, media_type="application/json", headers={"Cache-Control": "no-store"})

    @routes.get("/charges/{state}")
    async def charges(state: Literal["pending", "authorised", "captured", "declined", "stuck"]) -> Response:
        found = await store.transact(lambda records: records.charges_in(state, _LISTED))
        return _json({"charges": [_charge(charge) for charge in found]})

    return routes


def _bad_cart(purchase: Purchase) -> dict[str, object]:
    return {
        "shoppingTripId": purchase.trip_id,
        "purchaseId": purchase.purchase_id,
        "storeId": purchase.store_id,
        "since": purchase.made_at.isoformat(),
        "problems": orjson.loads(purchase.receipt).get("problems", []),
        "cartItems": orjson.loads(purchase.cart),
    }


def _charge(charge: Charge) -> dict[str, object]:
    return {
        "shoppingTripId": charge.trip_id,
        "shopperId": charge.shopper_id,
        "amount": as_text(charge.amount),
        "currency": charge.currency,
        "state": charge.state,
        "attempts": charge.attempts,
        "trouble": charge.trouble,
    }


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json", headers={"Cache-Control": "no-store"})
