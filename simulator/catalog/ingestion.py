"""Ingestions: each accepted upload or archive call waits, is processed, and ends with a report and a notification.

INQUEUE -> INPROGRESS -> DONE; FATAL if the platform itself fails, and CANCELLED only by a fault. The platform processes
one ingestion at a time, so that rows of two ingestions never mix. The storage keeps accepted calls: after a restart,
the platform processes unfinished ingestions from the start, and sends the missing notifications.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar

import orjson

from jwo_contract.house import Catalog
from simulator.aws import AWS_ERRORS
from simulator.catalog.checks import INGESTION_UNKNOWN, read_items
from simulator.catalog.items import CatalogItems
from simulator.catalog.notifications import Notifications
from simulator.catalog.report import LINK_LIFE_S, Reports
from simulator.catalog.upload_bodies import UploadBodies
from simulator.clock import Clock
from simulator.errors import CatalogRefusal, NotKnown, StorageFailed
from simulator.faults import Faults, Where
from simulator.portal.accounts import Account
from simulator.seed import Seed
from simulator.storage.key_values import KeyValueStore

T = TypeVar("T")
Status = Literal["INQUEUE", "INPROGRESS", "DONE", "CANCELLED", "FATAL"]
_UNDER_WAY = ("INQUEUE", "INPROGRESS")
_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 300.0
"""Platform seconds between two attempts to store a report, or to send a notification."""
_log = logging.getLogger("simulator.catalog")


class CatalogChange(NamedTuple):
    """The change that a call requests: upload the items in its body, or archive the SKUs in it in these stores."""

    body: bytes
    archive_in: tuple[str, ...] = ()
    rows: int = 0
    by_portal: bool = False
    """Whether a person uploaded it in the portal, and not the retailer's client by the API."""


@dataclass
class Ingestion:
    """One accepted call, without its body, which is in UploadBodies until it is processed."""

    id: str
    account_id: str
    retailer: str
    archive_in: tuple[str, ...] = ()
    faults: dict[str, float] = field(default_factory=dict)
    status: Status = "INQUEUE"
    tell_at: datetime | None = None
    """The time of the notification."""
    told: bool = False
    """Whether the notification has been sent, or never will be."""
    rows: int = 0
    rejected: int | None = None
    """How many rows the report rejects; None without a report."""
    by_portal: bool = False
    accepted_at: datetime | None = None
    ended_at: datetime | None = None


class CatalogStorage(NamedTuple):
    """The storage of items, of the bodies of accepted calls, and of ingestions."""

    items: CatalogItems
    bodies: UploadBodies
    ingestions: KeyValueStore[Ingestion]


class Ingestions:
    """All ingestions. Call `resume` when the platform starts, and `close` when it stops."""

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
        """Continue the ingestions that had not ended when the platform stopped."""
        waiting = {one.id for one in self._ingestions.values() if one.status in _UNDER_WAY}
        await asyncio.to_thread(self._bodies.sweep, waiting)
        for ingestion in self._ingestions.values():
            if ingestion.status in _UNDER_WAY:
                ingestion.status = "INQUEUE"
                self._start(self._process(ingestion))
            elif not ingestion.told:
                self._start(self._notify(ingestion))

    async def accept(self, account: Account, change: CatalogChange, faults: dict[str, float] | None = None) -> str:
        """Start an ingestion with a new id, and return the id. The ingestion survives a kill of the platform."""
        self._number += 1
        number = self._number
        armed = self._faults.trigger("ingestion", Where(account=account.id), account.id, number)
        of_notification = self._faults.trigger("notification", Where(account=account.id), account.id, number)
        ingestion_id = self._seed.id("ingestion", account.id, number)
        triggered = {**armed, **of_notification, **(faults or {})}
        await asyncio.to_thread(self._bodies.keep, ingestion_id, change.body)
        ingestion = Ingestion(
            ingestion_id,
            account.id,
            account.retailer,
            change.archive_in,
            triggered,
            rows=change.rows,
            by_portal=change.by_portal,
            accepted_at=self._clock.now(),
        )
        self._ingestions[ingestion.id] = ingestion
        self._storage.put(ingestion.id, ingestion)
        self._start(self._process(ingestion))
        return ingestion.id

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def result(self, ingestion_id: str, retailer: str) -> dict[str, str]:
        """Return the answer to a status call, with a new link if there is a report.

        Raises CatalogRefusal if the retailer has no ingestion with this id.
        """
        ingestion = self._ingestions.get(ingestion_id)
        if ingestion is None or ingestion.retailer != retailer:
            raise CatalogRefusal(INGESTION_UNKNOWN)
        return self._status(ingestion)

    def newest(self, limit: int, retailer: str = "") -> list[Ingestion]:
        """Return the newest ingestions, newest first: of one retailer, or of all."""
        found = [one for one in self._ingestions.values() if retailer in {"", one.retailer}]
        return found[: -limit - 1 : -1]

    def get(self, ingestion_id: str) -> Ingestion:
        """Return an ingestion. Raises NotKnown if there is no such ingestion."""
        if ingestion_id not in self._ingestions:
            raise NotKnown("ingestion", ingestion_id, hint="GET /portal/ingestions lists the newest ones")
        return self._ingestions[ingestion_id]

    async def close(self) -> None:
        """Stop the running ingestions."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _status(self, ingestion: Ingestion, link_age_s: float = 0) -> dict[str, str]:
        link = self._reports.link(ingestion.id, link_age_s) if ingestion.status == "DONE" else ""
        return {"processingStatus": ingestion.status, "reportDownloadLink": link}

    async def _process(self, ingestion: Ingestion) -> None:
        await self._clock.sleep(self._rules.queue_s)
        ingestion.status = "INPROGRESS"
        await self._clock.sleep(self._rules.process_s)
        try:
            async with self._one_at_a_time:
                ended = await self._run(ingestion)
        except (StorageFailed, OSError):
            _log.exception("ingestion %s ends FATAL: its result could not be stored", ingestion.id)
            ended = "FATAL"
        if isinstance(ended, dict):
            keep = partial(self._reports.keep, ended)
            await self._until_done(f"the report of ingestion {ingestion.id}", self._reports, keep)
            ingestion.rejected, ended = ended["summary"]["rejected"], "DONE"
        ingestion.status, ingestion.ended_at = ended, self._clock.now()
        late_s = ingestion.faults.get("notification_late", 0.0)
        ingestion.tell_at = self._clock.now() + timedelta(seconds=late_s)
        ingestion.told = "notification_never" in ingestion.faults
        self._storage.put(ingestion.id, ingestion)
        await asyncio.to_thread(self._clear, ingestion.id)
        if not ingestion.told:
            await self._notify(ingestion)

    async def _run(self, ingestion: Ingestion) -> dict[str, Any] | Status:
        """Process an ingestion; returns its report, or its last status if it has none."""
        if "ingestion_fatal" in ingestion.faults:
            return "FATAL"
        if "ingestion_cancelled" in ingestion.faults:
            return "CANCELLED"
        body = await asyncio.to_thread(self._bodies.body, ingestion.id)
        if body is None:
            _log.error("ingestion %s ends FATAL: its body is missing in the storage", ingestion.id)
            return "FATAL"
        work = partial(_apply, CatalogChange(body, ingestion.archive_in))
        return await asyncio.to_thread(self._items.ingest, ingestion.id, work)

    def _clear(self, ingestion_id: str) -> None:
        self._bodies.drop(ingestion_id)
        self._items.delete_report(ingestion_id)

    async def _notify(self, ingestion: Ingestion) -> None:
        if ingestion.tell_at is not None:
            await self._clock.sleep((ingestion.tell_at - self._clock.now()).total_seconds())
        message = await self._publish_until_sent(ingestion)
        if "notification_twice" in ingestion.faults:
            with contextlib.suppress(*AWS_ERRORS):  # the second notification is a fault, so it needs no retry
                await self._notifications.publish(ingestion.account_id, message)
        ingestion.told = True
        self._storage.put(ingestion.id, ingestion)

    async def _publish_until_sent(self, ingestion: Ingestion) -> dict[str, str]:
        """Publish a notification and return it. Each attempt has a new link."""
        link_age_s = 2 * LINK_LIFE_S if "notification_old_link" in ingestion.faults else 0

        async def publish() -> dict[str, str]:
            message = {"ingestionId": ingestion.id, **self._status(ingestion, link_age_s)}
            await self._notifications.publish(ingestion.account_id, message)
            return message

        return await self._until_done(f"the notification of ingestion {ingestion.id}", self._notifications, publish)

    async def _until_done(self, name: str, service: Reports | Notifications, work: Callable[[], Awaitable[T]]) -> T:
        """Do work in AWS until it succeeds. An emulator that was restarted also needs its bucket or topic again."""
        pause_s, again = _PAUSE_S, False
        while True:
            try:
                if again:
                    await service.start()
                return await work()
            except AWS_ERRORS as error:
                _log.warning("%s waits for AWS (%s); next attempt in %g s", name, error, pause_s)
            await self._clock.sleep(pause_s)
            pause_s, again = min(2 * pause_s, _LONGEST_PAUSE_S), True


def _apply(change: CatalogChange, items: CatalogItems) -> list[dict[str, Any]]:
    """Apply a change to the catalog and return the rows of the report; runs in a thread."""
    if change.archive_in:
        return [items.archive(sku, change.archive_in) for sku in orjson.loads(change.body)]
    return [items.put(item) for item in read_items(change.body)]
