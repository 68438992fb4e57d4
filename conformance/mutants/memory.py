"""What the small connector remembers a call by, and what a faulty one forgets."""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from conformance.mutants.refusals import digest_of
from conformance.mutants.rules import at

Body = dict[str, Any]
_FEW = 32
_SECONDS = 2
_DAY = timedelta(days=1)
_SHORT_COLUMN = 64
_INDEXED = 18
_TIMES = {"scan": "authEvent.timestamp", "cart": "shoppingTrip.endTime"}


def event_key(fault: str, raw: bytes, body: Body) -> str:
    """Return what a decision is remembered by: the event's id, where no fault takes something else."""
    event, key = str(body["authEvent"].get("id", "")), str(body.get("identityKey", ""))
    others = {
        "forgets_the_auth_event": str(uuid.uuid4()),
        "remembers_by_request_id": str(body.get("requestId")),
        "remembers_by_identity_key": key,
        "remembers_by_event_and_key": event + key,
        "remembers_by_the_start_of_the_event": event[:_INDEXED],
    }
    if fault == "remembers_by_body:scan":
        return digest_of(raw)
    return others.get(fault, event) or str(uuid.uuid4())


def trip_key(fault: str, raw: bytes, body: Body) -> str:
    """Return what a purchase is remembered by: the trip's id, where no fault takes something else."""
    trip, lines = str(body.get("idempotentShoppingTripId", "")), json.dumps(body.get("cartItems"))
    others = {
        "forgets_the_trip_id": str(uuid.uuid4()),
        "remembers_trips_by_request_id": str(body.get("requestId")),
        "remembers_trips_by_cart": lines,
        "remembers_by_trip_and_cart": trip + lines,
        "cuts_trip_ids_short": trip[:_SHORT_COLUMN],
        "reads_trip_ids_as_numbers": _as_number(trip),
    }
    if fault == "forgets_empty_trips" and not body.get("cartItems"):
        return str(uuid.uuid4())
    if fault == "remembers_by_body:cart":
        return digest_of(raw)
    return others.get(fault, trip) or str(uuid.uuid4())


class Since:
    """When each call was remembered, by the clock and by the times in the messages."""

    def __init__(self) -> None:
        self._clock: dict[str, float] = {}
        self._told: dict[str, datetime] = {}

    def note(self, key: str, call: str, body: Body, now: float) -> None:
        """Note when a call is remembered."""
        self._clock[key] = now
        self._told[key] = datetime.fromisoformat(str(at(body, _TIMES[call])[0]))

    def forget(self, fault: str, call: str, remembered: dict[str, Any], now: float) -> None:
        """Forget what a faulty memory forgets."""
        old: list[str] = []
        if fault == f"remembers_32:{call}":
            old = list(remembered)[:-_FEW]
        if fault == f"forgets_after_two_seconds:{call}":
            old = [key for key in remembered if self._clock.get(key, now) < now - _SECONDS]
        if fault == f"forgets_by_the_times_in_messages:{call}" and self._told:
            newest = max(self._told.values())
            old = [key for key in remembered if self._told.get(key, newest) <= newest - _DAY]
        for key in old:
            del remembered[key]


def _as_number(trip: str) -> str:
    try:
        return str(float(trip))
    except ValueError:
        return trip
