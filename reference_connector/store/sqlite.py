"""The store in one SQLite file: WAL, synchronous FULL, and one writer thread that commits what waits together.

`synchronous=NORMAL` would lose the last commits with the power, and a lost claim means a second purchase.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from reference_connector.errors import StoreNotOpen, StoreUnavailable
from reference_connector.store import Records
from reference_connector.store.sqlite_records import SqliteRecords, prepare

T = TypeVar("T")


class _Job(NamedTuple):
    work: Callable[[Records], Any]
    future: Future[Any]


class SqliteStore:
    """Runs units of work one after the other; several processes may share the file."""

    def __init__(self, path: Path, *, busy_timeout_s: float = 5.0, batch_max: int = 256) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._batch_max = batch_max
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._door = threading.Lock()
        self._writer: threading.Thread | None = None

    def open(self) -> None:
        """Open the file, make the tables where they are missing, and start the writer."""
        database = self._connect()
        self._writer = threading.Thread(target=self._write, args=(database,), name="sqlite-writer", daemon=True)
        self._writer.start()

    def _connect(self) -> sqlite3.Connection:
        with ExitStack() as on_failure:
            try:
                database = sqlite3.connect(
                    self._path, timeout=self._busy_timeout_s, isolation_level=None, check_same_thread=False
                )
                on_failure.callback(database.close)
                prepare(database, self._busy_timeout_s)
            except sqlite3.Error as error:
                raise StoreUnavailable(
                    f"cannot open {self._path}: {error}",
                    hint="check the setting store.path: its folder must exist and be writable",
                ) from error
            on_failure.pop_all()
        return database

    def close(self) -> None:
        """Commit what waits, then close the file."""
        with self._door:
            writer, self._writer = self._writer, None
            if writer is not None:
                self._jobs.put(None)
        if writer is not None:
            writer.join()

    async def transact(self, work: Callable[[Records], T]) -> T:
        """Run the work; StoreUnavailable when it could not be committed, StoreNotOpen outside of open and close."""
        future: Future[T] = Future()
        with self._door:
            if self._writer is None:
                raise StoreNotOpen("the store is not open", hint="serve the app with its lifespan")
            self._jobs.put(_Job(work, future))
        return await asyncio.wrap_future(future)

    def _write(self, database: sqlite3.Connection) -> None:
        last = False
        while not last:
            batch, last = self._next_batch()
            if batch:
                _commit(database, batch)
        database.close()

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Wait for a job, then take along what else waits; the flag says that the store is closing."""
        batch: list[_Job] = []
        entry = self._jobs.get()
        while entry is not None:
            if entry.future.set_running_or_notify_cancel():
                batch.append(entry)
            if len(batch) == self._batch_max:
                return batch, False
            try:
                entry = self._jobs.get_nowait()
            except Empty:
                return batch, False
        return batch, True


def _commit(database: sqlite3.Connection, batch: list[_Job]) -> None:
    """Run the jobs in one transaction, each undone alone if it fails, and answer them after the commit."""
    records = SqliteRecords(database)
    try:
        database.execute("BEGIN IMMEDIATE")
        outcomes = [_apply(database, records, job.work) for job in batch]
        database.execute("COMMIT")
    except sqlite3.Error as error:
        if database.in_transaction:
            database.execute("ROLLBACK")
        for job in batch:
            job.future.set_exception(StoreUnavailable(f"the record was not taken: {error}"))
        return
    for job, (result, failure) in zip(batch, outcomes, strict=True):
        if failure is None:
            job.future.set_result(result)
        else:
            job.future.set_exception(failure)


def _apply(
    database: sqlite3.Connection, records: SqliteRecords, work: Callable[[Records], Any]
) -> tuple[Any, Exception | None]:
    database.execute("SAVEPOINT work")
    outcome: tuple[Any, Exception | None]
    try:
        outcome = (work(records), None)
    except Exception as error:  # noqa: BLE001 - the error belongs to whoever awaits this work, not to the writer
        database.execute("ROLLBACK TO work")
        outcome = (None, error)
    database.execute("RELEASE work")
    return outcome
