"""The tasks that run in the background: the payment outbox, and the watch for changes of the retailer's files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from reference_connector.errors import BadRetailerData, StoreError
from reference_connector.orders import OrderHandler
from reference_connector.payments import PaymentOutbox
from reference_connector.retailer import CurrentRetailer, Retailer
from reference_connector.telemetry import EventLog


class FileWatch:
    """Loads the retailer again when one of its files has changed, and prices the bad carts again."""

    def __init__(
        self,
        files: Sequence[Path],
        load: Callable[[], Retailer],
        retailer: CurrentRetailer,
        orders: OrderHandler,
        log: EventLog,
    ) -> None:
        self._files = files
        self._load = load
        self._retailer = retailer
        self._orders = orders
        self._log = log
        self._seen = self._stamps()

    def _stamps(self) -> list[int]:
        return [path.stat().st_mtime_ns if path.exists() else 0 for path in self._files]

    async def look(self) -> bool:
        """Look once, and return whether a file has changed. A wrong file is logged, and changes nothing else."""
        stamps = self._stamps()
        if stamps == self._seen:
            return False
        self._seen = stamps
        try:
            self._retailer.current = await asyncio.to_thread(self._load)
        except BadRetailerData as error:
            self._log.event("retailer_files_wrong", problem=str(error))
            return True
        priced, bad = await self._orders.sell_bad_carts()
        self._log.event("retailer_files_loaded", sold=priced, parked=bad)
        return True

    async def run(self, every_s: float) -> None:
        """Look every `every_s` seconds, without an end."""
        while True:
            await asyncio.sleep(every_s)
            try:
                await self.look()
            except (StoreError, OSError) as error:
                self._log.event("watch_waits", reason=type(error).__name__)


@asynccontextmanager
async def running(outbox: PaymentOutbox, watch: FileWatch, every_s: float) -> AsyncIterator[None]:
    """Run both tasks while the app runs. At the end the outbox finishes its batch, and leaves the rest."""
    settling = asyncio.create_task(outbox.run())
    watching = asyncio.create_task(watch.run(every_s)) if every_s else None
    try:
        yield
    finally:
        outbox.stop()
        await _ended(settling)
        if watching is not None:
            watching.cancel()
            await _ended(watching)


async def _ended(task: Awaitable[None]) -> None:
    try:
        await task
    except asyncio.CancelledError:
        return
