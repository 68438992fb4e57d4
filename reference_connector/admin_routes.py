"""Routes for monitoring and operators: health for every caller; the rest is for operators.

The routes for operators are an app of their own, which needs a token if there is one. Without the token it gives one
and the same answer for every path, so that no caller learns which trips exist.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
from collections.abc import Iterable, Iterator, Sequence

import orjson
from fastapi import APIRouter, FastAPI
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from reference_connector.errors import CallRefused, NotThere, StoreError
from reference_connector.orders import BAD_CARTS_A_PAGE, OrderHandler
from reference_connector.store import Purchase, Store
from reference_connector.telemetry import EventLog, Telemetry

_PROBES = ("/healthz", "/readyz")
_READY_WITHIN_S = 1.0


def add_probe_routes(app: FastAPI, store: Store) -> None:
    """Serve /healthz and /readyz."""
    app.include_router(_probe_routes(store), include_in_schema=False)


def create_admin_app(
    store: Store, orders: OrderHandler, telemetry: Telemetry, token: str, more: Sequence[APIRouter] = ()
) -> ASGIApp:
    """Make the app that serves /ops and /metrics, to callers with the token if it is not empty, and the probes.

    `more` are further routes for operators.
    """
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    add_probe_routes(app, store)
    app.include_router(_metrics_route(store, telemetry))
    app.include_router(_operator_routes(store, orders))
    for routes in more:
        app.include_router(routes)
    app.add_exception_handler(CallRefused, _refused)
    return _TokenGuard(app, token, telemetry.log) if token else app


class _TokenGuard:
    """Gives an app the requests with the token, and the probes. It compares digests, in constant time."""

    def __init__(self, app: ASGIApp, token: str, log: EventLog) -> None:
        self._app = app
        self._digest = _digest(token)
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it before its path is looked at."""
        if scope["path"] in _PROBES or self._is_authenticated(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        self._log.event("operator_refused")
        refusal = _json({"errorMsg": "this needs the header Authorization: Bearer, with the admin token"}, 401)
        refusal.headers["WWW-Authenticate"] = "Bearer"
        await refusal(scope, receive, send)

    def _is_authenticated(self, headers: Headers) -> bool:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        is_token = hmac.compare_digest(_digest(given.strip()), self._digest)
        return is_token and scheme.lower() == "bearer"


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _refused(_request: Request, refusal: Exception) -> Response:
    status = refusal.status if isinstance(refusal, CallRefused) else 500
    return _json({"errorMsg": str(refusal)}, status)


def _probe_routes(store: Store) -> APIRouter:
    routes = APIRouter()

    @routes.get("/healthz")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @routes.get("/readyz")
    async def ready() -> Response:
        try:
            async with asyncio.timeout(_READY_WITHIN_S):
                await store.transact(lambda records: records.open_payments())
        except (StoreError, TimeoutError) as error:
            return _json({"status": "not ready", "reason": getattr(error, "code", "store_too_slow")}, 503)
        return _json({"status": "ready"})

    return routes


def _metrics_route(store: Store, telemetry: Telemetry) -> APIRouter:
    routes = APIRouter()

    @routes.get("/metrics")
    async def metrics() -> Response:
        telemetry.show(await store.transact(lambda records: records.payment_backlog()), store.waiting)
        telemetry.dead_letters.set(await store.transact(lambda records: records.books.count_letters()))
        shown = b"".join(map(generate_latest, (_registry(telemetry), *_registries(telemetry.more))))
        return Response(shown, media_type=CONTENT_TYPE_LATEST)

    return routes


def _registry(telemetry: Telemetry) -> CollectorRegistry:
    """Return the metrics of this process, or of all workers if prometheus_client is set to share them."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return telemetry.registry
    shared = CollectorRegistry()
    MultiProcessCollector(shared)  # type: ignore[no-untyped-call] # the library's own
    return shared


def _registries(collectors: Iterable[Collector]) -> Iterator[CollectorRegistry]:
    for collector in collectors:
        registry = CollectorRegistry()
        registry.register(collector)
        yield registry


def _operator_routes(store: Store, orders: OrderHandler) -> APIRouter:
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


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json", headers={"Cache-Control": "no-store"})
