"""Removes old orders from the books, in small batches, and keeps the sums of their days."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from reference_connector.feeds.reconciliation import days_of
from reference_connector.feeds.settings import Feeds
from reference_connector.store import Records, Store
from reference_connector.telemetry import Clock, EventLog

_FIRST_AFTER_S, _EVERY_S = 60.0, 3600.0
_AT_ONCE = 100
"""Orders in one commit. An answer at the gate waits for a commit."""


class Retention:
    """Sweeps the books. An order goes after it was quiet for `feeds.keep_days`: no report changed it.

    That time is of the connector's own clock, so the times in files and events have no effect on it. It begins with the
    first sweep after the last change.
    """

    def __init__(self, store: Store, rules: Feeds, clock: Clock, log: EventLog) -> None:
        self._store = store
        self._rules = rules
        self._clock = clock
        self._log = log

    async def run(self) -> None:
        """Sweep every hour until cancelled."""
        await asyncio.sleep(_FIRST_AFTER_S)
        while True:
            try:
                await self.sweep()
            except Exception as error:  # noqa: BLE001 - without this task, the books would grow without an end
                self._log.event("books_wait", reason=type(error).__name__)
            await asyncio.sleep(_EVERY_S)

    async def sweep(self) -> int:
        """Remove the orders and the names of files after their time; return how many orders. Raises StoreError."""
        now = self._clock()
        until = now - timedelta(days=self._rules.keep_days)
        removed = await self._repeat(lambda records: _remove_some(records, until))
        await self._repeat(lambda records: records.books.removed.drop_files(until, _AT_ONCE))
        await self._repeat(lambda records: records.books.removed.note_quiet(now, _AT_ONCE))
        if removed:
            self._log.event("books_removed", orders=removed, quietSince=until.isoformat())
        return removed

    async def _repeat(self, work: Callable[[Records], int]) -> int:
        """Do some work again until it finds less than a batch; return how many rows it found in all."""
        total = found = await self._store.transact(work)
        while found == _AT_ONCE:
            found = await self._store.transact(work)
            total += found
        return total


def _remove_some(records: Records, until: datetime) -> int:
    pairs = records.books.quiet_pairs(until, _AT_ONCE)
    records.books.removed.remove([pair.place for pair in pairs], days_of(pairs))
    return len(pairs)
