"""Ingestions: an accepted upload or archive call waits, is processed, and ends with a report and a notification.

INQUEUE -> INPROGRESS -> DONE; FATAL when the platform itself failed, and CANCELLED only when a fault asks for it.
Ingestions are processed one at a time, so that the rows of two of them never mix. Accepted calls are stored: a
restarted platform processes those that are not done, and sends the notifications that were not sent.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple

import orjson
from botocore.exceptions import BotoCoreError, ClientError

from contract.house import Catalog
from simulator.catalog.checks import INGESTION_UNKNOWN, read_items
from simulator.catalog.items import CatalogItems
from simulator.catalog.notifications import Notifications
from simulator.catalog.report import LINK_LIFE_S, Reports
from simulator.catalog.upload_bodies import UploadBodies
from simulator.clock import Clock
from simulator.errors import CatalogRefusal, StorageFailed
from simulator.faults import Faults, Where
from simulator.portal.accounts import Account
from simulator.seed import Seed
from simulator.storage.key_values import KeyValueStore

Status = Literal["INQUEUE", "INPROGRESS", "DONE", "CANCELLED", "FATAL"]
_UNDER_WAY = ("INQUEUE", "INPROGRESS")
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 300.0
"""Platform seconds between two tries of a notification."""
_log = logging.getLogger("simulator.catalog")


class Order(NamedTuple):
    """What a call asks for: to upload the items in its body, or to archive the SKUs in it in all of these stores."""

    body: bytes
    archive_in: tuple[str, ...] = ()


@dataclass
class Ingestion:
    """One accepted call; its body is stored elsewhere until it is processed."""

    id: str
    account_id: str
    retailer: str
    archive_in: tuple[str, ...] = ()
    faults: dict[str, float] = field(default_factory=dict)
    status: Status = "INQUEUE"
    tell_at: datetime | None = None
    told: bool = False


class CatalogStorage(NamedTuple):
    """Where items, the bodies of accepted calls, and ingestions are kept."""

    items: CatalogItems
    bodies: UploadBodies
    ingestions: KeyValueStore[Ingestion]


class Ingestions:
    """All ingestions; `resume` it when the platform starts, and `close` it when it stops."""

    def __init__(
        self,
        storage: CatalogStorage,
        reports: Reports,
        notifications: Notifications,
        faults: Faults,
        *,
        rules: Catalog,
        clock: Clock,
        seed: Seed,
    ) -> None:
        self._items, self._bodies, self._storage = storage
        self._faults = faults
        self._reports = reports
        self._notifications = notifications
        self._rules = rules
        self._clock = clock
        self._seed = seed
        self._ingestions = self._storage.all()
        self._number = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()

    async def resume(self) -> None:
        """Continue the ingestions that were under way when the platform stopped."""
        waiting = {one.id for one in self._ingestions.values() if one.status in _UNDER_WAY}
        await asyncio.to_thread(self._bodies.sweep, waiting)
        for ingestion in self._ingestions.values():
            if ingestion.status in _UNDER_WAY:
                ingestion.status = "INQUEUE"
                self._start(self._work_off(ingestion))
            elif not ingestion.told:
                self._start(self._tell(ingestion))

    async def accept(self, account: Account, order: Order, faults: dict[str, float] | None = None) -> str:
        """Start an ingestion and return its id; every call gets a new one, and the ingestion survives a kill."""
        self._number += 1
        number = self._number
        armed = self._faults.strike("ingestion", Where(account=account.id), account.id, number)
        told = self._faults.strike("notification", Where(account=account.id), account.id, number)
        ingestion_id = self._seed.id("ingestion", account.id, number)
        struck = {**armed, **told, **(faults or {})}
        await asyncio.to_thread(self._bodies.keep, ingestion_id, order.body)
        ingestion = Ingestion(ingestion_id, account.id, account.retailer, order.archive_in, struck)
        self._ingestions[ingestion.id] = ingestion
        self._storage.put(ingestion.id, ingestion)
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
        """Stop the ingestions that are under way."""
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
        except (ClientError, BotoCoreError, StorageFailed, OSError):
            _log.exception("ingestion %s could not be kept", ingestion.id)
            ingestion.status = "FATAL"
        late_s = ingestion.faults.get("notification_late", 0.0)
        ingestion.tell_at = self._clock.now() + timedelta(seconds=late_s)
        ingestion.told = "notification_never" in ingestion.faults
        self._storage.put(ingestion.id, ingestion)
        await asyncio.to_thread(self._clear, ingestion.id)
        if not ingestion.told:
            await self._tell(ingestion)

    async def _ended(self, ingestion: Ingestion) -> Status:
        if "ingestion_fatal" in ingestion.faults:
            return "FATAL"
        if "ingestion_cancelled" in ingestion.faults:
            return "CANCELLED"
        body = await asyncio.to_thread(self._bodies.body, ingestion.id)
        if body is None:
            _log.error("the body of ingestion %s is gone", ingestion.id)
            return "FATAL"
        work = partial(_work, Order(body, ingestion.archive_in))
        await self._reports.keep(await asyncio.to_thread(self._items.ingest, ingestion.id, work))
        return "DONE"

    def _clear(self, ingestion_id: str) -> None:
        self._bodies.drop(ingestion_id)
        self._items.delete_report(ingestion_id)

    async def _tell(self, ingestion: Ingestion) -> None:
        if ingestion.tell_at is not None:
            await self._clock.sleep((ingestion.tell_at - self._clock.now()).total_seconds())
        message = await self._published(ingestion)
        if "notification_twice" in ingestion.faults:
            with contextlib.suppress(ClientError, BotoCoreError):  # the doubling is a fault, not a promise
                await self._notifications.publish(ingestion.account_id, message)
        ingestion.told = True
        self._storage.put(ingestion.id, ingestion)

    async def _published(self, ingestion: Ingestion) -> dict[str, str]:
        """Publish a notification and return it; after an error, publish again, with a fresh link."""
        pause_s, link_age_s = _PAUSE_S, 2 * LINK_LIFE_S if "notification_old_link" in ingestion.faults else 0
        while True:
            message = {"ingestionId": ingestion.id, **self._status(ingestion, link_age_s)}
            try:
                await self._notifications.publish(ingestion.account_id, message)
            except (ClientError, BotoCoreError):
                _log.exception("the notification of ingestion %s is tried again in %g s", ingestion.id, pause_s)
            else:
                return message
            await self._clock.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _work(order: Order, items: CatalogItems) -> list[dict[str, Any]]:
    """Upload or archive, and return the rows of the report; runs in a thread."""
    if order.archive_in:
        return [items.archive(sku, order.archive_in) for sku in orjson.loads(order.body)]
    return [items.take(item) for item in read_items(order.body)]
