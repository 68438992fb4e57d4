"""Ingestions: an accepted upload or archive call waits, is worked off, and ends with a report and a notification.

INQUEUE -> INPROGRESS -> DONE; FATAL when the platform itself failed, and CANCELLED only when a fault asks for it.
Ingestions are worked off one at a time, so that rows of two of them never mix.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from contract.house import Catalog
from simulator.catalog.checks import INGESTION_UNKNOWN
from simulator.catalog.notifications import Notifications
from simulator.catalog.report import LINK_LIFE_S, Reports, report_of
from simulator.clock import Clock
from simulator.errors import CatalogRefusal
from simulator.faults import Faults, Where
from simulator.portal.accounts import Account
from simulator.seed import Seed

Status = Literal["INQUEUE", "INPROGRESS", "DONE", "CANCELLED", "FATAL"]
Work = Callable[[], list[dict[str, Any]]]
"""Does what was asked for and returns the rows of the report; runs in a thread."""
_log = logging.getLogger("simulator.catalog")


@dataclass
class Ingestion:
    """One accepted call; its work is dropped once it is done."""

    id: str
    account_id: str
    retailer: str
    work: Work | None = field(repr=False)
    faults: dict[str, float] = field(default_factory=dict)
    status: Status = "INQUEUE"


class Ingestions:
    """All ingestions; `close` it when the platform stops."""

    def __init__(
        self,
        reports: Reports,
        notifications: Notifications,
        faults: Faults,
        *,
        rules: Catalog,
        clock: Clock,
        seed: Seed,
    ) -> None:
        self._faults = faults
        self._reports = reports
        self._notifications = notifications
        self._rules = rules
        self._clock = clock
        self._seed = seed
        self._ingestions: dict[str, Ingestion] = {}
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()

    def accept(self, account: Account, work: Work, faults: dict[str, float] | None = None) -> str:
        """Start an ingestion and return its id; every call gets a new one."""
        self._number += 1
        number = self._number
        armed = self._faults.strike("ingestion", Where(account=account.id), account.id, number)
        told = self._faults.strike("notification", Where(account=account.id), account.id, number)
        ingestion_id = self._seed.id("ingestion", account.id, number)
        ingestion = Ingestion(ingestion_id, account.id, account.retailer, work, {**armed, **told, **(faults or {})})
        self._ingestions[ingestion.id] = ingestion
        self._start(self._work_off(ingestion))
        return ingestion.id

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

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

    def _status(self, ingestion: Ingestion, link_age_s: float = 0) -> dict[str, str]:
        link = self._reports.link(ingestion.id, link_age_s) if ingestion.status == "DONE" else ""
        return {"processingStatus": ingestion.status, "reportDownloadLink": link}

    async def _work_off(self, ingestion: Ingestion) -> None:
        await self._clock.sleep(self._rules.queue_s)
        ingestion.status = "INPROGRESS"
        await self._clock.sleep(self._rules.process_s)
        try:
            async with self._one_at_a_time:
                ingestion.status = await self._ended(ingestion)
        except (ClientError, BotoCoreError):
            _log.exception("the report of ingestion %s could not be kept", ingestion.id)
            ingestion.status = "FATAL"
        await self._tell(ingestion)

    async def _ended(self, ingestion: Ingestion) -> Status:
        work, ingestion.work = ingestion.work, None
        if "ingestion_fatal" in ingestion.faults:
            return "FATAL"
        if "ingestion_cancelled" in ingestion.faults or work is None:
            return "CANCELLED"
        await self._reports.keep(report_of(ingestion.id, await asyncio.to_thread(work)))
        return "DONE"

    async def _tell(self, ingestion: Ingestion) -> None:
        if "notification_never" in ingestion.faults:
            return
        await self._clock.sleep(ingestion.faults.get("notification_late", 0.0))
        link_age_s = 2 * LINK_LIFE_S if "notification_old_link" in ingestion.faults else 0
        try:
            for _ in range(2 if "notification_twice" in ingestion.faults else 1):
                await self._notifications.publish(
                    ingestion.account_id, {"ingestionId": ingestion.id, **self._status(ingestion, link_age_s)}
                )
        except (ClientError, BotoCoreError):
            _log.exception("the notification of ingestion %s could not be sent", ingestion.id)
