"""The portal's routes for the intra-day files, and for the test events of the event feed."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request

from jwo_toolkit.json_types import JsonObject
from simulator.events import EventFeed
from simulator.intraday.files import IntraDayFiles
from simulator.portal.forms import FeedSetup
from simulator.portal.user_routes import permitted
from simulator.portal.users import Users


def reporting_router(files: IntraDayFiles, feed: EventFeed, users: Users) -> APIRouter:
    """Make the routes, for the users of the portal."""
    router = APIRouter(tags=["reporting"], dependencies=[Depends(users.check)])

    @router.put("/portal/merchants/{retailer}/intra-day", summary="Announce a retailer's intra-day files to a queue")
    async def subscribe(request: Request, retailer: str, setup: FeedSetup) -> JsonObject:
        permitted(request, "stores", retailer)
        return await files.subscribe(retailer, setup.queueArn)

    @router.get("/portal/merchants/{retailer}/intra-day", summary="Show a retailer's intra-day files")
    async def show(request: Request, retailer: str) -> JsonObject:
        permitted(request, "view", retailer)
        return files.show(retailer)

    @router.post("/portal/merchants/{retailer}/event-feed/test", summary="Send a test event of each family")
    async def send_test(request: Request, retailer: str) -> JsonObject:
        permitted(request, "tests", retailer)
        return {"eventIds": feed.send_test(retailer)}

    return router
