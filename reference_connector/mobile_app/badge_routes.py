"""The app's routes for the badges of the signed-in shopper: their states, a picture, and the report of a loss."""

from __future__ import annotations

import orjson
from fastapi import APIRouter
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from reference_connector.badge_forms import BadgeForm, read_form
from reference_connector.badges import Badges, state_of
from reference_connector.errors import CodeDenied, NotThere
from reference_connector.mobile_app import qr
from reference_connector.store import Badge, Store
from reference_connector.telemetry import Clock, EventLog

_NOT_CACHED = {"Cache-Control": "no-store"}


def own_badge_routes(badges: Badges, store: Store, clock: Clock, log: EventLog, *, has_pictures: bool) -> APIRouter:
    """Make the routes; `has_pictures` says whether the app shows a badge as a QR symbol."""
    routes = APIRouter(prefix="/app/shoppers/{shopper_id}/badges")

    async def own(shopper_id: str) -> list[Badge]:
        return await store.transact(badges.of, shopper_id)

    @routes.get("")
    async def list_badges(shopper_id: str) -> Response:
        found, now = await own(shopper_id), clock()
        return _json({"badges": [badges.show(badge, now) for badge in found], "pictures": has_pictures})

    @routes.post("/picture.svg", response_class=Response)
    async def picture(shopper_id: str, request: Request) -> Response:
        form = await read_form(request, BadgeForm)
        badge = next((each for each in await own(shopper_id) if each.id == form.id), None)
        if badge is None or not has_pictures:
            raise NotThere("there is no such badge" if badge is None else "the app shows no pictures of badges")
        if (state := state_of(badge, clock())) != "issued":
            raise CodeDenied(f"the badge is {state}")
        image = await run_in_threadpool(qr.svg, badge.id)
        return Response(image, media_type="image/svg+xml", headers=_NOT_CACHED)

    @routes.post("/lost")
    async def report_lost(shopper_id: str, request: Request) -> Response:
        form = await read_form(request, BadgeForm)
        badge = await store.transact(badges.change, form.id, "lost", shopper_id)
        shown = badges.show(badge, clock())
        log.event("badge_changed", owner=badge.owner, state=shown["state"], by="owner")
        return _json(shown)

    return routes


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json", headers=_NOT_CACHED)
