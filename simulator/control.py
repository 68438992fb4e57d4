"""The routes of the control API: clock, faults, journal, and the platform's health."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Depends, Response
from fastapi.responses import PlainTextResponse
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from jwo_contract.operations import OPERATIONS
from jwo_contract.values import format_instant
from jwo_toolkit.json_types import JsonObject
from simulator.clock import Clock, PlatformClock
from simulator.comparable import as_ndjson
from simulator.errors import BadCall, NotNow
from simulator.faults import KINDS, LARGEST_AMOUNT, PLACED_BY, Faults, Where
from simulator.journal import Journal, as_curl
from simulator.resend import Resend
from simulator.seed import Seed

_OPERATIONS = tuple(operation.name for operation in OPERATIONS)
_LONGEST_MOVE_S = 10 * 365 * 86_400.0
"""Ten years: further than any store day, and far from the end of the calendar."""


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is before the year 1 or after the year 9999 in UTC") from error


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class Arming(_Body):
    """A fault to arm. It applies to one exchange, unless `times`, `rate`, `since` or `until` is given."""

    name: str
    amount: float | None = Field(
        default=None, ge=0, le=LARGEST_AMOUNT, description="GET /faults/kinds says what it means."
    )
    where: dict[str, str] = Field(default={}, description="operation, store, gate, trip, account; absent means any.")
    times: int | None = Field(default=None, ge=1)
    rate: float | None = Field(default=None, ge=0, le=1)
    since: Instant | None = None
    until: Instant | None = None
    after: int = Field(default=0, ge=0, description="The fault spares this many exchanges first.")


class ClockChange(_Body):
    """A change of the platform's clock."""

    speed: float | None = Field(default=None, ge=0, le=1_000_000, description="Platform seconds in a real second.")
    advanceS: float = Field(default=0.0, ge=0, le=_LONGEST_MOVE_S)  # noqa: N815 - the wire's spelling


class Edited(_Body):
    """Changes to an exchange before it is sent again: members that replace old ones, or a whole new body.

    A hidden value (`***`) stays as it was sent.
    """

    members: JsonObject = {}
    body: JsonObject | None = None


@dataclass(frozen=True)
class Search:
    """A search in the journal: an entry must match all given values."""

    trip: str = ""
    gate: str = ""
    requestId: str = ""  # noqa: N815 - the query's spelling
    ingestionId: str = ""  # noqa: N815 - as above
    account: str = ""
    store: str = ""
    kind: str = ""
    outcome: str = ""

    def members(self) -> dict[str, str]:
        """Return the values by their names in the journal."""
        journal_names = {"trip": "tripId", "store": "storeId"}
        return {journal_names.get(name, name): value for name, value in vars(self).items()}


class Control(NamedTuple):
    """The services behind the control API."""

    clock: Clock
    faults: Faults
    journal: Journal
    seed: Seed
    resend: Resend

    def arm(self, arming: Arming) -> JsonObject:
        """Arm a fault."""
        _check_place(arming)
        if arming.since and arming.until and arming.until <= arming.since:
            raise BadCall("until is not later than since", hint="give an until that is later than since")
        open_ended = arming.rate is not None or arming.since is not None or arming.until is not None
        fault = self.faults.arm(
            arming.name,
            where=Where(**arming.where),
            amount=arming.amount,
            times=arming.times or (None if open_ended else 1),
            rate=1.0 if arming.rate is None else arming.rate,
            since=arming.since,
            until=arming.until,
            after=arming.after,
        )
        return fault.to_json()

    def show_clock(self) -> JsonObject:
        """Return the platform's time, speed and seed."""
        speed = self.clock.speed if isinstance(self.clock, PlatformClock) else None
        return {"now": format_instant(self.clock.now()), "speed": speed, "seed": self.seed.number}

    def change_clock(self, change: ClockChange) -> JsonObject:
        """Change the clock's speed or move it forward. Raises NotNow if the platform runs on another kind of clock."""
        if not isinstance(self.clock, PlatformClock):
            raise NotNow("the process that started this platform controls its clock")
        self.clock.set(speed=change.speed, advance_s=change.advanceS)
        return self.show_clock()


def _check_place(arming: Arming) -> None:
    """Raise BadCall if the fault could never apply, because of a member of `where` or an unknown operation."""
    known = PLACED_BY[KINDS[arming.name].place] if arming.name in KINDS else tuple(vars(Where()))
    if strange := sorted(set(arming.where) - set(known)):
        unsuitable = ", ".join(strange)
        raise BadCall(f"{arming.name[:40]} cannot have {unsuitable} in where", hint=f"use {', '.join(known)}")
    operation = arming.where.get("operation", "")
    if operation and operation not in _OPERATIONS:
        raise BadCall(f"there is no operation {operation[:40]!r}", hint=f"one of {', '.join(_OPERATIONS)}")


def control_router(control: Control) -> APIRouter:
    """Make the routes of the control API."""
    router = APIRouter(tags=["control"])
    _add_clock_and_faults(router, control)
    _add_journal(router, control)

    @router.get("/healthz", summary="Answer that the platform runs")
    async def healthz() -> JsonObject:
        return {"status": "ok"}

    return router


def _add_clock_and_faults(router: APIRouter, control: Control) -> None:
    @router.get("/clock", summary="Show the platform's time, speed and seed")
    async def show_clock() -> JsonObject:
        return control.show_clock()

    @router.put("/clock", summary="Change the speed of the platform's clock, or move it forward")
    async def change_clock(change: ClockChange) -> JsonObject:
        return control.change_clock(change)

    @router.get("/faults/kinds", summary="List the kinds of faults")
    async def kinds() -> list[JsonObject]:
        return [{"name": name, **kind._asdict(), "where": PLACED_BY[kind.place]} for name, kind in KINDS.items()]

    @router.get("/faults", summary="List the armed faults")
    async def armed() -> list[JsonObject]:
        return control.faults.to_json()

    @router.get("/faults/used", summary="List the last faults that have applied as often as they should, newest first")
    async def used() -> list[JsonObject]:
        return control.faults.used()

    @router.post("/faults", status_code=201, summary="Arm a fault")
    async def arm(arming: Arming) -> JsonObject:
        return control.arm(arming)

    @router.delete("/faults", summary="Disarm every fault")
    async def disarm_all() -> list[JsonObject]:
        control.faults.disarm()
        return control.faults.to_json()

    @router.delete("/faults/{fault_id}", summary="Disarm a fault")
    async def disarm(fault_id: str) -> list[JsonObject]:
        control.faults.disarm(fault_id)
        return control.faults.to_json()


def _add_journal(router: APIRouter, control: Control) -> None:
    journal = control.journal

    @router.get("/journal", summary="Search the journal")
    async def show_journal(search: Annotated[Search, Depends()], limit: int = 100) -> list[JsonObject]:
        return journal.entries(max(1, limit), **search.members())

    @router.get(
        "/journal.ndjson", summary="Export the journal; measured=false leaves out values that differ from run to run"
    )
    async def export(search: Annotated[Search, Depends()], *, measured: bool = True) -> Response:
        found = journal.entries(len(journal), **search.members())
        return Response(b"".join(as_ndjson(found, measured=measured)), media_type="application/x-ndjson")

    @router.get("/journal.sh", summary="Export the requests of the journal as curl commands")
    async def curl(search: Annotated[Search, Depends()]) -> Response:
        return PlainTextResponse("".join(as_curl(journal.entries(len(journal), **search.members()))))

    @router.post("/journal/{seq}/resend", summary="Send an exchange again, unchanged or edited")
    async def resend(seq: int, edited: Edited | None = None) -> JsonObject:
        edited = edited or Edited()
        return await control.resend.send(seq, edited.members, edited.body)
