"""The last scan of each shopper that the gate refused, for the words on the shopper's phone.

The records are in the store, so that each node knows them, also after a restart. They expire by themselves. A refused
key of no known shopper gets a record too, so that the time of a refusal does not show its reason.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from jwo_contract.values import format_instant
from reference_connector.errors import StoreError
from reference_connector.scan_keys import Refusal
from reference_connector.store import Records, RememberAnswer, Scope, Store
from reference_connector.telemetry import Clock

_REFUSED, _BUSY = 401, 429
_BUSY_SHOWN_S = 15
_BUSY_KEY = "gate"


class RefusedScan(NamedTuple):
    """Why the gate refused a scan, and the instant of that decision."""

    refusal: Refusal
    at: str


class RefusedScans:
    """Records and finds the last refused scan of each shopper. Each method is a part of a unit of work."""

    def __init__(self, clock: Clock, shown_s: float) -> None:
        self._clock = clock
        self._shown = timedelta(seconds=shown_s)

    def note(self, records: Records, shopper_id: str, refusal: Refusal) -> None:
        """Record a refused scan; `shopper_id` is empty if no shopper has that key."""
        now = self._clock()
        body = orjson.dumps({"refusal": refusal, "at": format_instant(now)})
        _remember(records, "refused_scan", shopper_id, (now, now + self._shown, _REFUSED, body))

    def forget(self, records: Records, shopper_id: str) -> None:
        """Forget the refused scan of a shopper, as the gate opened for another scan."""
        records.drop_answer("refused_scan", shopper_id)

    def last(self, records: Records, shopper_id: str) -> RefusedScan | None:
        """Find the last refused scan of a shopper, unless it is old or the gate has opened since."""
        found = records.find_answer("refused_scan", shopper_id, self._clock())
        if found is None:
            return None
        noted = orjson.loads(found.body)
        try:
            return RefusedScan(Refusal(noted["refusal"]), noted["at"])
        except ValueError:
            return None  # a node of a later version knows more reasons

    def gate_was_busy(self, records: Records) -> bool:
        """Return whether a node refused calls of gates a few seconds ago, as it had too many."""
        return records.find_answer("busy_gate", _BUSY_KEY, self._clock()) is not None


class BusyGates:
    """Records that this node refuses calls of gates, as it has too many: at most once in a few seconds."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._noted_until = clock()
        self._task: asyncio.Task[None] | None = None

    def note(self) -> None:
        """Start to record it. The refusal does not wait for the record."""
        now = self._clock()
        if now < self._noted_until or (self._task is not None and not self._task.done()):
            return
        self._noted_until = now + timedelta(seconds=_BUSY_SHOWN_S / 3)
        self._task = asyncio.get_running_loop().create_task(self._save(now))

    async def _save(self, now: datetime) -> None:
        values = (now, now + timedelta(seconds=_BUSY_SHOWN_S), _BUSY, b"")
        with suppress(StoreError):
            await self._store.transact(_remember, "busy_gate", _BUSY_KEY, values)


def _remember(records: Records, scope: Scope, key: str, values: tuple[datetime, datetime, int, bytes]) -> None:
    now, forget_at, status, body = values
    records.overwrite_answer(RememberAnswer(scope, key, b"", now, forget_at, status, body))
