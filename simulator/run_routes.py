"""The routes of the control API that start, show and stop runs, and serve their report files."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from jwo_toolkit.json_types import JsonObject
from simulator.runs import RunRequest, Runs

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
"""A report is one file that loads nothing. Its own policy also names the hash of its only script."""
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def run_router(runs: Runs) -> APIRouter:
    """Make the routes of the runs."""
    router = APIRouter(tags=["control"])

    @router.get("/runs/kinds", summary="Show what can be started for a store: certifications and load scenarios")
    async def kinds(store: Annotated[str, Query(min_length=1, max_length=255)]) -> JsonObject:
        return runs.kinds(store)

    @router.get("/runs", summary="List the kept runs, the newest first")
    async def show_all() -> list[JsonObject]:
        return runs.all()

    @router.post("/runs", status_code=201, summary="Start a certification or a load test of a store's connector")
    async def start(request: RunRequest) -> JsonObject:
        return await runs.start(request)

    @router.get("/runs/{run_id}", summary="Show a run and its events, also while it runs")
    async def show(
        run_id: str, after: Annotated[int, Query(ge=0, description="Leave out this many events.")] = 0
    ) -> JsonObject:
        return runs.show(run_id, after)

    @router.delete("/runs/{run_id}", summary="Stop a run, or forget one that has ended")
    async def stop(run_id: str) -> JsonObject:
        return runs.stop(run_id)

    @router.get("/runs/{run_id}/files/{name}", summary="Return a report file of a run", response_class=FileResponse)
    async def file(run_id: str, name: str) -> FileResponse:
        path, media_type = runs.file(run_id, name)
        return FileResponse(path, media_type=media_type, headers=_HEADERS)

    return router
