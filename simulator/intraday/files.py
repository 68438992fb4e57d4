"""Writes the intra-day files of each retailer by the platform's clock, and announces them.

A row is stored when it happens and deleted after its file is announced. If the platform dies in between, the row comes
again, in the same file or in the next one: a consumer must count each `recordId` once.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import NamedTuple

import orjson

from jwo_contract.house_retailer_calls import IntraDay
from jwo_contract.values import format_instant, parse_instant
from jwo_toolkit.json_types import JsonObject
from simulator.aws import AWS_ERRORS
from simulator.catalog.notifications import checked_queue_arn
from simulator.clock import Clock
from simulator.errors import NotKnown
from simulator.faults import Faults, Where
from simulator.intraday.announcement import StoredFile, s3_event
from simulator.intraday.delivery import FileDelivery
from simulator.intraday.rows import LINE, Row, rows_of, to_csv
from simulator.journal import Entry, Journal
from simulator.portal.stores import Stores
from simulator.seed import Seed
from simulator.storage.files import Storage
from simulator.storage.key_values import KeyValueStore

_MOST_MISSED_FILES = 96
"""Files that one round writes for a retailer, so that a long pause does not become thousands of empty files."""
_RETRY_AFTER_S = 1.0
_log = logging.getLogger("simulator.intraday")


class Subscription(NamedTuple):
    """The queue of a retailer, and the end of the time that its last file covers."""

    queue_arn: str
    subscription_arn: str
    last_run: datetime
    files: int = 0


class IntraDayFiles:
    """The files of all retailers; `receive` takes journal entries, and `run` writes files until it is cancelled."""

    def __init__(  # noqa: PLR0913 - the composition root hands in each part by name
        self,
        *,
        delivery: FileDelivery,
        stores: Stores,
        rules: IntraDay,
        clock: Clock,
        seed: Seed,
        faults: Faults,
        journal: Journal,
        storage: Storage,
    ) -> None:
        self._delivery = delivery
        self._stores = stores
        self.every = timedelta(hours=1) / rules.files_an_hour
        self._rules = rules
        self._clock = clock
        self._seed = seed
        self._faults = faults
        self._journal = journal
        self._storage = storage
        self._row_storages: dict[str, KeyValueStore[Row]] = {}
        self._subscription_storage = storage.key_values("intra-day subscription", Subscription)
        self._subscriptions = self._subscription_storage.all()
        self._rows = {retailer: self._row_storage(retailer).all() for retailer in self._subscriptions}
        self._subscribed = asyncio.Event()
        self._failures: dict[str, str] = {}

    async def subscribe(self, retailer: str, queue_arn: str) -> JsonObject:
        """Announce a retailer's files to a queue from now on. Raises NotNow on a platform without AWS."""
        arn = checked_queue_arn(queue_arn)
        before = self._subscriptions.get(retailer)
        subscription_arn = await self._delivery.subscribe(retailer, arn)
        if before and before.subscription_arn != subscription_arn:
            await self._delivery.unsubscribe(before.subscription_arn)
        last_run = before.last_run if before else self._boundary(self._clock.now())
        files = before.files if before else 0
        self._keep(retailer, Subscription(arn, subscription_arn, last_run, files))
        self._rows.setdefault(retailer, {})
        self._subscribed.set()
        return self.show(retailer)

    def show(self, retailer: str) -> JsonObject:
        """Return a retailer's subscription and its state. Raises NotKnown if there is no subscription."""
        if retailer not in self._subscriptions:
            raise NotKnown("intra-day subscription", retailer)
        found = self._subscriptions[retailer]
        return {
            "retailer": retailer,
            "queueArn": found.queue_arn,
            "topicArn": self._delivery.topic_arn,
            "bucket": self._delivery.bucket,
            "files": found.files,
            "waitingRows": len(self._rows[retailer]),
            "lastRun": format_instant(found.last_run),
            "nextRun": format_instant(found.last_run + self.every),
            "failure": self._failures.get(retailer, ""),
        }

    def has(self, retailer: str) -> bool:
        """Return whether a retailer has a queue."""
        return retailer in self._subscriptions

    def retailers(self) -> list[str]:
        """Return the retailers with a queue."""
        return list(self._subscriptions)

    def waiting(self, retailer: str) -> list[dict[str, str]]:
        """Return the rows that wait for the next files of a retailer."""
        return [row.columns for row in self._rows.get(retailer, {}).values()]

    async def written(self, retailer: str) -> list[dict[str, str]]:
        """Return the rows of all files of a retailer. Raises the errors of the AWS client."""
        return await self._delivery.rows(f"intra-day/{retailer}/")

    def receive(self, entry: Entry) -> None:
        """Store the rows of a journal entry for the next file of its retailer."""
        if not self._subscriptions or not (rows := rows_of(entry)):
            return
        store = self._stores.find(entry["storeId"])
        if store is None or store.retailer not in self._subscriptions:
            return
        place = Where(store=store.id, trip=entry["tripId"])
        faults = self._faults.trigger("intraday", place, entry["tripId"], entry["kind"])
        at = parse_instant(entry["at"])
        later = [row["recordType"] == LINE and "order_split" in faults for row in rows]
        first = [Row(at + self.every if late else at, row) for row, late in zip(rows, later, strict=True)]
        again = [Row(at + 2 * self.every, row) for row in rows] if "order_repeated" in faults else []
        for number, row in enumerate((*first, *again)):
            self._add_row(store.retailer, self._seed.id("intra-day row", entry["seq"], number), row)

    async def run(self) -> None:
        """Write the files that are due, until cancelled."""
        while True:
            self._subscribed.clear()
            if not self._subscriptions:
                await self._subscribed.wait()
                continue
            if not await self.write_due():
                await asyncio.sleep(_RETRY_AFTER_S)
                continue
            now = self._clock.now()
            await self._clock.sleep((self._boundary(now) + self.every - now).total_seconds())

    async def write_due(self) -> bool:
        """Write all files up to now; returns whether AWS took all of them."""
        until = self._boundary(self._clock.now())
        done = [await self._write_missing(retailer, until) for retailer in list(self._subscriptions)]
        return all(done)

    async def _write_missing(self, retailer: str, until: datetime) -> bool:
        earliest = until - _MOST_MISSED_FILES * self.every
        end = max(self._subscriptions[retailer].last_run, earliest) + self.every
        while end <= until:
            try:
                await self._write(retailer, end)
            except AWS_ERRORS as error:
                self._failures[retailer] = type(error).__name__
                _log.warning("the intra-day file of %s for %s waits: %s", retailer, format_instant(end), error)
                return False
            self._failures.pop(retailer, None)
            end += self.every
        return True

    async def _write(self, retailer: str, end: datetime) -> None:
        """Write and announce the file of a time that ends at `end`, then delete its rows."""
        rows = {key: row for key, row in self._rows[retailer].items() if row.at < end}
        if rows or self._rules.empty_files:
            key = f"intra-day/{retailer}/{end:%Y-%m-%d}/{end:%H-%M}.csv"
            file = await self._delivery.store(key, to_csv(row.columns for row in rows.values()))
            await self._announce(retailer, file, end, len(rows))
        subscription = self._subscriptions[retailer]
        self._keep(retailer, subscription._replace(last_run=end, files=subscription.files + 1))
        self._row_storage(retailer).delete(*rows)
        for row_id in rows:
            del self._rows[retailer][row_id]

    async def _announce(self, retailer: str, file: StoredFile, end: datetime, rows: int) -> None:
        faults = self._faults.trigger("intraday_file", Where(), retailer, file.key)
        request_id = self._seed.id("intra-day file", file.key)
        event = s3_event(file, region=self._delivery.region, at=end, request_id=request_id)
        for _ in range(2 if "file_repeated" in faults else 1):
            await self._delivery.announce(retailer, self._rules.subject, orjson.dumps(event).decode())
            entry = {"retailer": retailer, "bucket": file.bucket, "key": file.key, "rows": rows}
            self._journal.add("intra_day_file", entry)

    def _boundary(self, now: datetime) -> datetime:
        """Return the last time of the cadence, counted from midnight in UTC."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return midnight + (now - midnight) // self.every * self.every

    def _row_storage(self, retailer: str) -> KeyValueStore[Row]:
        if retailer not in self._row_storages:
            self._row_storages[retailer] = self._storage.key_values(f"intra-day row for {retailer}", Row)
        return self._row_storages[retailer]

    def _add_row(self, retailer: str, row_id: str, row: Row) -> None:
        self._row_storage(retailer).put(row_id, row)
        self._rows[retailer][row_id] = row

    def _keep(self, retailer: str, subscription: Subscription) -> None:
        self._subscription_storage.put(retailer, subscription)
        self._subscriptions[retailer] = subscription
