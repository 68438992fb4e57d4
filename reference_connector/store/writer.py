"""Group commit: one writer thread runs the units of work that wait, and commits them in one transaction.

Jobs of one kind run together, as many rows cost little more than one. They run bare; only where one of them fails is
the batch undone and run again with a savepoint around each.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from reference_connector.errors import MustBeAlone, StoreNotOpen, StoreUnavailable
from reference_connector.store import NewAnswer, Purchase, Recorded, Records, Sale

T = TypeVar("T")
Outcome = tuple[Any, Exception | None]
Together = Callable[[Records, list[Any]], list[Any]]


class Database(Protocol):
    """A connection to a database, used by one thread; each method raises `DatabaseFailed` where the database fails."""

    @property
    def records(self) -> Records:
        """The records, while a transaction is open."""

    def begin(self, *, alone: bool) -> None:
        """Start a transaction that no other overlaps, or none that is alone: its records then raise MustBeAlone."""

    def commit(self) -> None:
        """Make it durable."""

    def rollback(self) -> None:
        """Undo it; to be called when anything failed, never fails itself."""

    def savepoint(self, statement: str) -> None:
        """Run SAVEPOINT, ROLLBACK TO or RELEASE of the savepoint `work`."""

    def close(self) -> None:
        """Let go."""


_Job = tuple[Together, Any, "asyncio.Future[Any]"]


def _run_works(records: Records, works: list[Callable[[Records], Any]]) -> list[Any]:
    return [work(records) for work in works]


def _keep_answers(records: Records, answers: list[NewAnswer]) -> list[Recorded | None]:
    return records.keep_answers(answers)


def _keep_sales(records: Records, sales: list[Sale]) -> list[Purchase | None]:
    return records.keep_sales(sales)


_KINDS: tuple[Together, ...] = (_keep_sales, _keep_answers, _run_works)
"""In their order within a transaction: answers forget old ones at their end, after which nothing is waited for."""


class GroupCommitStore(ABC):
    """A store on a `Database`; subclasses say how to connect and what the database's own errors are."""

    failures: tuple[type[Exception], ...] = ()

    def __init__(self, *, batch_max: int = 256) -> None:
        self._batch_max = batch_max
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._door = threading.Lock()
        self._writer: threading.Thread | None = None

    @abstractmethod
    def connect(self) -> Database:
        """Connect and set up; StoreUnavailable when that cannot be."""

    @property
    def waiting(self) -> int:
        """How many units of work wait to be run."""
        return self._jobs.qsize()

    def open(self) -> None:
        """Connect, make the tables where they are missing, and start the writer."""
        database = self.connect()
        self._writer = threading.Thread(target=self._write, args=(database,), name="store-writer", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Commit what waits, then disconnect."""
        with self._door:
            writer, self._writer = self._writer, None
            if writer is not None:
                self._jobs.put(None)
        if writer is not None:
            writer.join()

    async def transact(self, work: Callable[[Records], T]) -> T:
        """Run the work; StoreUnavailable when it could not be committed, StoreNotOpen outside of open and close."""
        result: T = await self._submit(_run_works, work)
        return result

    async def keep_answer(self, answer: NewAnswer) -> Recorded | None:
        """Keep an answer unless its key has one, which is returned then; errors are those of `transact`."""
        earlier: Recorded | None = await self._submit(_keep_answers, answer)
        return earlier

    async def keep_sale(self, sale: Sale) -> Purchase | None:
        """Keep a sale unless its trip has a purchase, which is returned then; errors are those of `transact`."""
        earlier: Purchase | None = await self._submit(_keep_sales, sale)
        return earlier

    def _submit(self, together: Together, entry: Any) -> asyncio.Future[Any]:  # noqa: ANN401 - each kind has its own
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        with self._door:
            if self._writer is None:
                raise StoreNotOpen("the store is not open", hint="serve the app with its lifespan")
            self._jobs.put((together, entry, future))
        return future

    def _write(self, database: Database) -> None:
        connected: Database | None = database
        last = False
        while not last:
            batch, last = self._next_batch()
            if batch:
                connected = self._commit(connected, batch)
        if connected is not None:
            connected.close()

    def _next_batch(self) -> tuple[list[_Job], bool]:
        """Wait for a job, then take along what else waits; the flag says that the store is closing."""
        batch: list[_Job] = []
        entry = self._jobs.get()
        while entry is not None:
            batch.append(entry)
            if len(batch) == self._batch_max:
                return batch, False
            try:
                entry = self._jobs.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _commit(self, database: Database | None, batch: list[_Job]) -> Database | None:
        """Run a batch and answer it; return the connection, or None when it is of no more use."""
        try:
            database = database or self.connect()
            outcomes = self._run(database, batch)
        except Exception as error:  # noqa: BLE001 - whatever broke, those who wait must hear of it
            trouble = StoreUnavailable(f"the record was not taken: {error}")
            _answer(batch, [(None, trouble)] * len(batch))
            return self._after_failure(database)
        _answer(batch, outcomes)
        return database

    def _run(self, database: Database, batch: list[_Job]) -> list[Outcome]:
        try:
            results = self._run_together(database, batch)
        except self.failures:
            raise
        except Exception:  # noqa: BLE001 - a work failed by itself; which one, and with what, shows the second run
            database.rollback()
            return self._run_apart(database, batch)
        return [(result, None) for result in results]

    def _run_together(self, database: Database, batch: list[_Job]) -> list[Any]:
        alone = any(together is _run_works for together, _, _ in batch)
        database.begin(alone=alone)
        try:
            results = _by_kind(database.records, batch)
        except MustBeAlone:
            database.rollback()
            database.begin(alone=True)
            results = _by_kind(database.records, batch)
        database.commit()
        return results

    def _run_apart(self, database: Database, batch: list[_Job]) -> list[Outcome]:
        database.begin(alone=True)
        outcomes = [self._apply(database, job) for job in batch]
        database.commit()
        return outcomes

    def _apply(self, database: Database, job: _Job) -> Outcome:
        database.savepoint("SAVEPOINT work")
        outcome: Outcome
        try:
            outcome = (_by_kind(database.records, [job])[0], None)
        except self.failures:
            raise
        except Exception as error:  # noqa: BLE001 - the error belongs to whoever awaits this work, not to the writer
            database.savepoint("ROLLBACK TO SAVEPOINT work")
            outcome = (None, error)
        database.savepoint("RELEASE SAVEPOINT work")
        return outcome

    def _after_failure(self, database: Database | None) -> Database | None:
        if database is not None:
            database.rollback()
            database.close()
        return None


def _by_kind(records: Records, batch: list[_Job]) -> list[Any]:
    """Run the jobs, those of one kind together, and return their results in the order of the batch.

    The kinds have one order on all nodes, as rows have in their tables, so that no two nodes wait for each other.
    """
    kinds: dict[Together, list[int]] = {}
    for number, (together, _, _) in enumerate(batch):
        kinds.setdefault(together, []).append(number)
    results: list[Any] = [None] * len(batch)
    for together in sorted(kinds, key=_KINDS.index):
        numbers = kinds[together]
        found = together(records, [batch[number][1] for number in numbers])
        for number, result in zip(numbers, found, strict=True):
            results[number] = result
    return results


def _answer(batch: list[_Job], outcomes: list[Outcome]) -> None:
    """Hand all outcomes to each event loop in one call: a wake-up for each job would cost more than the job."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Outcome]]] = {}
    for (_, _, future), outcome in zip(batch, outcomes, strict=True):
        by_loop.setdefault(future.get_loop(), []).append((future, outcome))
    for loop, settled in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, settled)


def _settle(settled: list[tuple[asyncio.Future[Any], Outcome]]) -> None:
    for future, (result, failure) in settled:
        if future.cancelled():
            continue
        if failure is None:
            future.set_result(result)
        else:
            future.set_exception(failure)
