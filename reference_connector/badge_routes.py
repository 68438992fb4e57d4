"""The routes of operators for badges, under /ops/badges: list, issue, revoke, and record as lost."""

from __future__ import annotations

from typing import Literal

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from reference_connector.badge_forms import BadgeForm, IssueForm, read_form
from reference_connector.badges import Badges
from reference_connector.store import Badge, Records, Store
from reference_connector.telemetry import Clock, EventLog

BADGES_A_PAGE = 100
_NOT_CACHED = {"Cache-Control": "no-store"}


def badge_routes(badges: Badges, store: Store, clock: Clock, log: EventLog) -> APIRouter:
    """Make the routes."""
    routes = APIRouter(prefix="/ops/badges")

    @routes.get("")
    async def list_badges(owner: str = "", after: str = "") -> Response:
        """List the badges of an owner, or a page of all. If there may be more, `next` is `after` of the next call."""

        def work(records: Records) -> list[Badge]:
            return badges.of(records, owner) if owner else badges.page(records, after, BADGES_A_PAGE)

        found, now = await store.transact(work), clock()
        more = {"next": found[-1].id} if not owner and len(found) == BADGES_A_PAGE else {}
        return _json({"badges": [badges.show(badge, now) for badge in found]} | more)

    @routes.post("", status_code=201)
    async def issue(request: Request) -> Response:
        form = await read_form(request, IssueForm)
        badge = await store.transact(badges.issue, form.badge())
        return _changed(badge, 201)

    @routes.post("/revoke")
    async def revoke(request: Request) -> Response:
        return await change(request, "revoked")

    @routes.post("/lost")
    async def report_lost(request: Request) -> Response:
        return await change(request, "lost")

    async def change(request: Request, state: Literal["revoked", "lost"]) -> Response:
        form = await read_form(request, BadgeForm)
        return _changed(await store.transact(badges.change, form.id, state))

    def _changed(badge: Badge, status: int = 200) -> Response:
        shown = badges.show(badge, clock())
        log.event("badge_changed", owner=badge.owner, state=shown["state"], by="operator")
        return _json(shown, status)

    return routes


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json", headers=_NOT_CACHED)
