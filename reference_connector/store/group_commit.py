"""Group commit: one writer thread runs all waiting jobs, and commits them in one transaction.

A commit waits for the disk, and takes as long for a hundred rows as for one. So the jobs that arrive during a commit
share the next one: they are a batch. Jobs of one kind run in one statement, as a statement of many rows costs little
more than a statement of one.

When a job fails, the store undoes the batch and runs it again with a savepoint for each job, so that this job alone
fails. When the database itself fails, the whole batch fails.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from reference_connector.errors import MustBeAlone, StoreNotOpen, StoreUnavailable
from reference_connector.store import Purchase, Records, RecordSale, RememberAnswer, RememberedAnswer

P = ParamSpec("P")
T = TypeVar("T")
Kind = Callable[[Records, list[Any]], list[Any]]
"""A kind of job: a function that runs all waiting jobs of the kind. It maps their entries to their results."""
Outcome = tuple[Any, Exception | None]
"""A job's result, or its error."""
OnUpgrade = Callable[[int, int], None]
"""Is called after an upgrade, with the old and the new version of the database."""


def no_report(_old: int, _new: int) -> None:
    """Report no upgrade."""


class Waiter(Protocol):
    """What the caller of a job awaits on the event loop, such as a future of asyncio."""

    def done(self) -> bool:
        """Whether there is a result or an error, or the caller was cancelled."""

    def set_result(self, result: Any, /) -> None:  # noqa: ANN401 - each kind of job has its own
        """Resume the caller with a result."""

    def set_exception(self, error: Any, /) -> None:  # noqa: ANN401 - as asyncio's future declares it
        """Resume the caller with an error."""

    def __await__(self) -> Generator[Any, Any, Any]:
        """Wait for the result, or raise the error."""


class Job(NamedTuple):
    """One command or unit of work, and the waiter of its caller."""

    kind: Kind
    entry: Any
    waiter: Waiter


Turn = tuple[asyncio.AbstractEventLoop, list[Job]]
"""An event loop, and the jobs that it submitted in one turn."""


def new_future(loop: asyncio.AbstractEventLoop) -> Waiter:
    """Make the plain waiter."""
    return loop.create_future()


class Database(Protocol):
    """A connection to a database, used by one thread; each method raises one of `failures` if the database fails."""

    @property
    def records(self) -> Records:
        """The records, while a transaction is open."""

    def begin(self, *, alone: bool) -> None:
        """Start a transaction.

        A transaction that is alone overlaps no other one. One that is not alone may overlap others of its sort, and its
        records raise MustBeAlone if a change needs more.
        """

    def commit(self) -> None:
        """Make it durable."""

    def rollback(self) -> None:
        """Undo the transaction; raises nothing."""

    def savepoint(self, statement: str) -> None:
        """Run SAVEPOINT, ROLLBACK TO or RELEASE of the savepoint `work`."""

    def close(self) -> None:
        """Disconnect."""


def _insert_sales(records: Records, sales: list[RecordSale]) -> list[Purchase | None]:
    return records.insert_sales_if_absent(sales)


def _insert_answers(records: Records, answers: list[RememberAnswer]) -> list[RememberedAnswer | None]:
    return records.insert_answers_if_absent(answers)


def _run_works(records: Records, works: list[tuple[Callable[..., Any], Any, Any]]) -> list[Any]:
    return [work(records, *arguments, **named) for work, arguments, named in works]


_KINDS: tuple[Kind, ...] = (_insert_sales, _insert_answers, _run_works)
"""The order of the kinds within a transaction.

All nodes lock rows in this order, so no two nodes wait for each other. Answers come after sales, as they end by
deleting old answers, and a transaction must wait for no row after that.
"""


class GroupCommitStore(ABC):
    """A store on a `Database`; subclasses define how to connect, and the errors of the database's driver.

    `failures` are all errors of the driver. `data_errors` are those of them that one job's data causes.
    """

    failures: tuple[type[Exception], ...] = ()
    data_errors: tuple[type[Exception], ...] = ()

    def __init__(
        self, *, batch_max: int = 256, new_waiter: Callable[[asyncio.AbstractEventLoop], Waiter] = new_future
    ) -> None:
        self._batch_max = batch_max
        self._new_waiter = new_waiter
        self._gathered: dict[asyncio.AbstractEventLoop, list[Job]] = {}
        self._turns: SimpleQueue[Turn | None] = SimpleQueue()
        self._ahead: Turn | None = None
        self._submitted_count = self._taken_count = 0
        self._lock = threading.Lock()
        self._writer: threading.Thread | None = None

    @abstractmethod
    def connect(self) -> Database:
        """Connect and set up; raises StoreUnavailable when that fails."""

    @property
    def waiting(self) -> int:
        """The number of jobs that wait for the writer."""
        return self._submitted_count - self._taken_count

    def open(self) -> None:
        """Connect, make the tables or upgrade them, and start the writer thread."""
        database = self.connect()
        self._writer = threading.Thread(target=self._write, args=(database,), name="store-writer", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Commit all that waits, then disconnect."""
        with self._lock:
            writer = self._writer
            if writer is not None:
                for loop in list(self._gathered):
                    self._put(loop)
                self._turns.put(None)
            self._writer = None
        if writer is not None:
            writer.join()

    async def insert_answer_if_absent(self, answer: RememberAnswer) -> RememberedAnswer | None:
        """Store an answer unless its key has one; return the earlier answer, or None if this one was stored."""
        earlier: RememberedAnswer | None = await self._submit(_insert_answers, answer)
        return earlier

    async def insert_sale_if_absent(self, sale: RecordSale) -> Purchase | None:
        """Store a sale unless its trip has a purchase; return the earlier purchase, or None if this one was stored."""
        earlier: Purchase | None = await self._submit(_insert_sales, sale)
        return earlier

    async def transact(self, work: Callable[Concatenate[Records, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `work(records, ...)` as a unit of work and return its result; an error undoes it and is raised.

        The work may run twice, so it must have no effect but on the records.
        """
        result: T = await self._submit(_run_works, (work, args, kwargs))
        return result

    def _submit(self, kind: Kind, entry: Any) -> Waiter:  # noqa: ANN401 - each kind has its own
        """Add a job to those of this turn of the event loop, and return its waiter.

        The writer gets them at the end of the turn, all at once. Otherwise its next batch would have the first job
        only.
        """
        loop = asyncio.get_running_loop()
        waiter = self._new_waiter(loop)
        with self._lock:
            if self._writer is None:
                raise StoreNotOpen("the store is not open", hint="serve the app with its lifespan")
            jobs = self._gathered.get(loop)
            if jobs is None:
                jobs = self._gathered[loop] = []
                loop.call_soon(self._end_turn, loop)
            jobs.append(Job(kind, entry, waiter))
        return waiter

    def _end_turn(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the writer the jobs of this turn."""
        with self._lock:
            self._put(loop)

    def _put(self, loop: asyncio.AbstractEventLoop) -> None:
        jobs = self._gathered.pop(loop, [])
        self._submitted_count += len(jobs)
        for start in range(0, len(jobs), self._batch_max):
            self._turns.put((loop, jobs[start : start + self._batch_max]))

    def _write(self, database: Database) -> None:
        """Run as the writer thread, until the store closes."""
        connected: Database | None = database
        last = False
        while not last:
            turns, last = self._next_turns()
            if turns:
                connected = self._commit(connected, turns)
        if connected is not None:
            connected.close()

    def _next_turns(self) -> tuple[list[Turn], bool]:
        """Wait for a turn; return it and further turns, up to the size of a batch, and whether the store is closing."""
        turns, size = list[Turn](), 0
        turn = self._ahead or self._turns.get()
        self._ahead = None
        while turn is not None:
            if turns and size + len(turn[1]) > self._batch_max:
                self._ahead = turn
                break
            turns.append(turn)
            size += len(turn[1])
            try:
                turn = self._turns.get_nowait()
            except Empty:
                break
        self._taken_count += size
        return turns, turn is None

    def _commit(self, database: Database | None, turns: list[Turn]) -> Database | None:
        """Run the jobs and resume their callers; return the connection, or None if it is broken."""
        batch = [job for _, jobs in turns for job in jobs]
        try:
            database = database or self.connect()
            outcomes = self._run(database, batch)
        except Exception as error:  # noqa: BLE001 - whatever broke, the callers must get an error
            failure = StoreUnavailable(f"the database did not store the record: {error}")
            _wake(turns, [(None, failure)] * len(batch))
            self._drop(database)
            return None
        _wake(turns, outcomes)
        return database

    def _run(self, database: Database, batch: list[Job]) -> list[Outcome]:
        """Run the jobs together, or each in a savepoint of its own when one of them fails."""
        try:
            results = self._run_together(database, batch)
        except Exception as error:
            if self._is_failure(error):
                raise
            database.rollback()
            return self._run_apart(database, batch)
        return [(result, None) for result in results]

    def _is_failure(self, error: Exception) -> bool:
        """Whether the database itself failed, and not one job."""
        return isinstance(error, self.failures) and not isinstance(error, self.data_errors)

    def _run_together(self, database: Database, batch: list[Job]) -> list[Any]:
        kinds = {job.kind for job in batch}
        database.begin(alone=_run_works in kinds)
        try:
            results = _by_kind(database.records, batch, kinds)
        except MustBeAlone:
            database.rollback()
            database.begin(alone=True)
            results = _by_kind(database.records, batch, kinds)
        database.commit()
        return results

    def _run_apart(self, database: Database, batch: list[Job]) -> list[Outcome]:
        database.begin(alone=True)
        outcomes = [self._apply(database, job) for job in batch]
        database.commit()
        return outcomes

    def _apply(self, database: Database, job: Job) -> Outcome:
        database.savepoint("SAVEPOINT work")
        outcome: Outcome
        try:
            outcome = (job.kind(database.records, [job.entry])[0], None)
        except Exception as error:
            if self._is_failure(error):
                raise
            database.savepoint("ROLLBACK TO SAVEPOINT work")
            outcome = (None, self._error_of_job(error))
        database.savepoint("RELEASE SAVEPOINT work")
        return outcome

    def _error_of_job(self, error: Exception) -> Exception:
        """Return the error for the caller of the job: its own one, or StoreUnavailable for one of the driver."""
        if isinstance(error, self.failures):
            return StoreUnavailable(f"the database refuses the record: {type(error).__name__}")
        return error

    def _drop(self, database: Database | None) -> None:
        if database is not None:
            with suppress(*self.failures):
                database.rollback()
            with suppress(*self.failures):
                database.close()


def _by_kind(records: Records, batch: list[Job], kinds: set[Kind]) -> list[Any]:
    """Run the jobs, those of one kind together, and return their results in the order of the batch."""
    if len(kinds) == 1:
        return batch[0].kind(records, [job.entry for job in batch])
    results: list[Any] = [None] * len(batch)
    for kind in sorted(kinds, key=_KINDS.index):
        numbers = [number for number, job in enumerate(batch) if job.kind is kind]
        found = kind(records, [batch[number].entry for number in numbers])
        for number, result in zip(numbers, found, strict=True):
            results[number] = result
    return results


def _wake(turns: list[Turn], outcomes: list[Outcome]) -> None:
    """Hand each event loop all outcomes of a turn in one call: one call for each would cost more than the job."""
    start = 0
    for loop, jobs in turns:
        end = start + len(jobs)
        with suppress(RuntimeError):  # the loop is closed, so none of its tasks waits
            loop.call_soon_threadsafe(_settle, jobs, outcomes[start:end])
        start = end


def _settle(jobs: list[Job], outcomes: list[Outcome]) -> None:
    """Run on the event loop: give each waiter its outcome."""
    for (_, _, waiter), (result, failure) in zip(jobs, outcomes, strict=True):
        if waiter.done():
            continue  # the caller was cancelled
        if failure is None:
            waiter.set_result(result)
        else:
            waiter.set_exception(failure)
