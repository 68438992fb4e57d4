"""Ingestions: an accepted upload waits, is worked off, and ends with a report and a notification.

INQUEUE -> INPROGRESS -> DONE, or FATAL when the platform itself failed. Ingestions are worked off one at a time, so
that rows of two uploads never mix.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

from contract.house import Catalog
from simulator.catalog.checks import INGESTION_UNKNOWN, Item
from simulator.catalog.items import CatalogItems
from simulator.catalog.notifications import Notifications
from simulator.catalog.report import Reports, report_of
from simulator.clock import Clock
from simulator.errors import CatalogRefusal
from simulator.portal.accounts import Account

Status = Literal["INQUEUE", "INPROGRESS", "DONE", "CANCELLED", "FATAL"]
_log = logging.getLogger("simulator.catalog")


@dataclass
class Ingestion:
    """One accepted upload; its items are dropped once they are worked off."""

    id: str
    account_id: str
    retailer: str
    items: list[Item] = field(repr=False)
    status: Status = "INQUEUE"


class Ingestions:
    """All ingestions; `close` it when the platform stops."""

    def __init__(
        self,
        items: CatalogItems,
        reports: Reports,
        notifications: Notifications,
        *,
        rules: Catalog,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._items = items
        self._reports = reports
        self._notifications = notifications
        self._rules = rules
        self._clock = clock
        self._new_id = new_id
        self._ingestions: dict[str, Ingestion] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()

    def accept(self, account: Account, items: list[Item]) -> str:
        """Start an ingestion and return its id; every call gets a new one."""
        ingestion = Ingestion(self._new_id(), account.id, account.retailer, items)
        self._ingestions[ingestion.id] = ingestion
        task = asyncio.create_task(self._work_off(ingestion))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return ingestion.id

    def result(self, ingestion_id: str, retailer: str) -> dict[str, str]:
        """Answer a status call, with a fresh link once the report is there; another retailer's id is not known."""
        ingestion = self._ingestions.get(ingestion_id)
        if ingestion is None or ingestion.retailer != retailer:
            raise CatalogRefusal(INGESTION_UNKNOWN)
        return self._status(ingestion)

    async def close(self) -> None:
        """Stop what is under way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _status(self, ingestion: Ingestion) -> dict[str, str]:
        link = self._reports.link(ingestion.id) if ingestion.status == "DONE" else ""
        return {"processingStatus": ingestion.status, "reportDownloadLink": link}

    async def _work_off(self, ingestion: Ingestion) -> None:
        await self._clock.sleep(self._rules.queue_s)
        ingestion.status = "INPROGRESS"
        await self._clock.sleep(self._rules.process_s)
        try:
            async with self._one_at_a_time:
                await self._report(ingestion)
            ingestion.status = "DONE"
        except (ClientError, BotoCoreError):
            _log.exception("the report of ingestion %s could not be kept", ingestion.id)
            ingestion.status = "FATAL"
        await self._tell(ingestion)

    async def _report(self, ingestion: Ingestion) -> None:
        rows = await asyncio.to_thread(lambda: [self._items.take(item) for item in ingestion.items])
        ingestion.items = []
        await self._reports.keep(report_of(ingestion.id, rows))

    async def _tell(self, ingestion: Ingestion) -> None:
        try:
            await self._notifications.publish(
                ingestion.account_id, {"ingestionId": ingestion.id, **self._status(ingestion)}
            )
        except (ClientError, BotoCoreError):
            _log.exception("the notification of ingestion %s could not be sent", ingestion.id)
