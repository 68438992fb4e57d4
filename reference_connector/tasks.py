"""The tasks that run in the background: the payment outbox, the watch for changed files, consumers, and the sweep."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from reference_connector.errors import BadRetailerData
from reference_connector.orders import OrderHandler
from reference_connector.payments.outbox import PaymentOutbox
from reference_connector.retailer import CurrentRetailer, Retailer
from reference_connector.retailer_source import RetailerSource, Stamps, log_notes
from reference_connector.telemetry import EventLog


class FileWatch:
    """Loads the retailer again when one of its files has changed, and prices the bad carts again.

    It reads files that are the same in two looks, as a program may still write to them before. A change that looks like
    an accident is held back until an operator accepts it.
    """

    def __init__(
        self,
        source: RetailerSource,
        seen: Stamps,
        retailer: CurrentRetailer,
        orders: OrderHandler,
        log: EventLog,
    ) -> None:
        self._source = source
        self._seen = self._settling = seen
        self._retailer = retailer
        self._orders = orders
        self._log = log

    async def look(self) -> bool:
        """Look once, and return whether other files were read. A wrong file is logged, and changes nothing else."""
        stamps = self._source.stamps()
        is_settled, self._settling = stamps == self._settling, stamps
        if stamps == self._seen or not is_settled:
            return False
        try:
            loaded = await asyncio.to_thread(self._source.load)
        except BadRetailerData as error:
            if self._source.stamps() == stamps:
                self._seen = stamps
                self._log.event("retailer_files_wrong", problem=str(error))
            return True
        if self._source.stamps() != stamps:
            return True
        await self._replace(loaded)
        self._seen = stamps
        return True

    async def _replace(self, loaded: Retailer) -> None:
        current, hold_back = self._retailer.current, self._source.reasons_to_hold_back
        if held_back := await asyncio.to_thread(hold_back, current, loaded):  # large lists take a part of a second
            self._log.event("retailer_files_held_back", **held_back)
            return
        self._retailer.current = loaded
        log_notes(loaded, self._log)
        priced, bad = await self._orders.sell_bad_carts()
        self._log.event("retailer_files_loaded", sold=priced, parked=bad)

    async def run(self, every_s: float) -> None:
        """Look every `every_s` seconds, without an end."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - without this task, no later change of a file would be noticed
                self._log.event("watch_waits", reason=type(error).__name__)


class Worker(Protocol):
    """A task without an end."""

    async def run(self) -> None:
        """Work until cancelled."""


@asynccontextmanager
async def running(
    outbox: PaymentOutbox, watch: FileWatch, every_s: float, workers: Sequence[Worker] = ()
) -> AsyncIterator[None]:
    """Run the tasks while the app runs. At the end the outbox finishes its batch, and leaves the rest."""
    settling = asyncio.create_task(outbox.run())
    endless = [asyncio.create_task(each.run()) for each in workers]
    if every_s:
        endless.append(asyncio.create_task(watch.run(every_s)))
    try:
        yield
    finally:
        outbox.stop()
        await _ended(settling)
        for task in endless:
            task.cancel()
            await _ended(task)


async def _ended(task: Awaitable[None]) -> None:
    try:
        await task
    except asyncio.CancelledError:
        return
