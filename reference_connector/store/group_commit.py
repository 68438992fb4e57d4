"""Group commit: one writer thread runs the units of work that wait, and commits them in one transaction.

Jobs of one kind run together, as many rows cost little more than one. They run bare; only where one of them fails is
the batch undone and run again with a savepoint around each.
"""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, Protocol, TypeVar

from reference_connector.errors import MustBeAlone, StoreNotOpen, StoreUnavailable
from reference_connector.store import (
    Done,
    NewAnswer,
    Purchase,
    Recorded,
    Records,
    Sale,
    Together,
    keep_answers,
    keep_sales,
    run_works,
)

T = TypeVar("T")
Outcome = tuple[Any, Exception | None]
Job = tuple[Together, Any]
Given = tuple[Job, Done]
Turn = tuple[asyncio.AbstractEventLoop, list[Given]]
"""What one turn of an event loop gave the store to do."""


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


_KINDS: tuple[Together, ...] = (keep_sales, keep_answers, run_works)
"""In their order within a transaction: answers forget old ones at their end, after which nothing is waited for."""


class GroupCommitStore(ABC):
    """A store on a `Database`; subclasses say how to connect and what the database's own errors are."""

    failures: tuple[type[Exception], ...] = ()

    def __init__(self, *, batch_max: int = 256) -> None:
        self._batch_max = batch_max
        self._gathered: dict[asyncio.AbstractEventLoop, list[Given]] = {}
        self._turns: SimpleQueue[Turn | None] = SimpleQueue()
        self._ahead: Turn | None = None
        self._given = self._taken = 0
        self._door = threading.Lock()
        self._writer: threading.Thread | None = None

    @abstractmethod
    def connect(self) -> Database:
        """Connect and set up; StoreUnavailable when that cannot be."""

    @property
    def waiting(self) -> int:
        """How many units of work wait to be run."""
        return self._given - self._taken

    def open(self) -> None:
        """Connect, make the tables where they are missing, and start the writer."""
        database = self.connect()
        self._writer = threading.Thread(target=self._write, args=(database,), name="store-writer", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Commit what waits, then disconnect."""
        with self._door:
            writer = self._writer
            if writer is not None:
                for loop in list(self._gathered):
                    self._put(loop)
                self._turns.put(None)
            self._writer = None
        if writer is not None:
            writer.join()

    async def transact(self, work: Callable[[Records], T]) -> T:
        """Run the work; StoreUnavailable when it could not be committed, StoreNotOpen outside of open and close."""
        result: T = await self.result_of(run_works, work)
        return result

    async def keep_answer(self, answer: NewAnswer) -> Recorded | None:
        """Keep an answer unless its key has one, which is returned then; errors are those of `transact`."""
        earlier: Recorded | None = await self.result_of(keep_answers, answer)
        return earlier

    async def keep_sale(self, sale: Sale) -> Purchase | None:
        """Keep a sale unless its trip has a purchase, which is returned then; errors are those of `transact`."""
        earlier: Purchase | None = await self.result_of(keep_sales, sale)
        return earlier

    def result_of(self, together: Together, entry: Any) -> asyncio.Future[Any]:  # noqa: ANN401 - each kind has its own
        """Do a job; await its result, which is durable then."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self.submit(together, entry, partial(_settle, future))
        return future

    def submit(self, together: Together, entry: Any, done: Done) -> None:  # noqa: ANN401 - as above
        """Do a job together with all others of this turn of the event loop; its errors are those of `transact`."""
        loop = asyncio.get_running_loop()
        with self._door:
            if self._writer is None:
                raise _not_open()
            gathered = self._gathered.get(loop)
            if gathered is None:
                gathered = self._gathered[loop] = []
                loop.call_soon(self._hand_over, loop)
            gathered.append(((together, entry), done))

    def _hand_over(self, loop: asyncio.AbstractEventLoop) -> None:
        """Give the writer what was gathered: it is woken once a turn, as it would begin with the first job else."""
        with self._door:
            self._put(loop)

    def _put(self, loop: asyncio.AbstractEventLoop) -> None:
        given = self._gathered.pop(loop, [])
        self._given += len(given)
        for start in range(0, len(given), self._batch_max):
            self._turns.put((loop, given[start : start + self._batch_max]))

    def _write(self, database: Database) -> None:
        connected: Database | None = database
        last = False
        while not last:
            turns, last = self._next_turns()
            if turns:
                connected = self._commit(connected, turns)
        if connected is not None:
            connected.close()

    def _next_turns(self) -> tuple[list[Turn], bool]:
        """Wait for a turn, and take along those that wait, up to a batch; the flag says that the store is closing."""
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
        self._taken += size
        return turns, turn is None

    def _commit(self, database: Database | None, turns: list[Turn]) -> Database | None:
        """Do the jobs and tell of them; return the connection, or None when it is of no more use."""
        batch = [job for _, given in turns for job, _ in given]
        try:
            database = database or self.connect()
            outcomes = self._run(database, batch)
        except Exception as error:  # noqa: BLE001 - whatever broke, those who wait must hear of it
            trouble = StoreUnavailable(f"the record was not taken: {error}")
            _tell(turns, [(None, trouble)] * len(batch))
            return self._after_failure(database)
        _tell(turns, outcomes)
        return database

    def _run(self, database: Database, batch: list[Job]) -> list[Outcome]:
        try:
            results = self._run_together(database, batch)
        except self.failures:
            raise
        except Exception:  # noqa: BLE001 - a work failed by itself; which one, and with what, shows the second run
            database.rollback()
            return self._run_apart(database, batch)
        return [(result, None) for result in results]

    def _run_together(self, database: Database, batch: list[Job]) -> list[Any]:
        kinds = {together for together, _ in batch}
        database.begin(alone=run_works in kinds)
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
            outcome = (_by_kind(database.records, [job], {job[0]})[0], None)
        except self.failures:
            raise
        except Exception as error:  # noqa: BLE001 - the error belongs to whoever awaits this work, not to the writer
            database.savepoint("ROLLBACK TO SAVEPOINT work")
            outcome = (None, error)
        database.savepoint("RELEASE SAVEPOINT work")
        return outcome

    def _after_failure(self, database: Database | None) -> Database | None:
        if database is not None:
            with suppress(*self.failures):
                database.rollback()
            with suppress(*self.failures):
                database.close()
        return None


def _by_kind(records: Records, batch: list[Job], kinds: set[Together]) -> list[Any]:
    """Run the jobs, those of one kind together, and return their results in the order of the batch.

    The kinds have one order on all nodes, as rows have in their tables, so that no two nodes wait for each other.
    """
    if len(kinds) == 1:
        return batch[0][0](records, [entry for _, entry in batch])
    results: list[Any] = [None] * len(batch)
    for together in sorted(kinds, key=_KINDS.index):
        numbers = [number for number, (kind, _) in enumerate(batch) if kind is together]
        found = together(records, [batch[number][1] for number in numbers])
        for number, result in zip(numbers, found, strict=True):
            results[number] = result
    return results


def _tell(turns: list[Turn], outcomes: list[Outcome]) -> None:
    """Tell each event loop of all outcomes of a turn in one call: a wake-up for each would cost more than the job."""
    start = 0
    for loop, given in turns:
        end = start + len(given)
        with suppress(RuntimeError):  # a loop that is closed has nobody left who waits
            loop.call_soon_threadsafe(_tell_here, given, outcomes[start:end])
        start = end


def _tell_here(given: list[Given], outcomes: list[Outcome]) -> None:
    for (_, done), (result, failure) in zip(given, outcomes, strict=True):
        try:
            done(result, failure)
        except Exception as error:  # noqa: BLE001 - the others want to be told all the same
            found = {"message": "who was told of a job failed", "exception": error}
            asyncio.get_running_loop().call_exception_handler(found)


def _settle(future: asyncio.Future[Any], result: Any, failure: Exception | None) -> None:  # noqa: ANN401 - each kind has its own
    if future.cancelled():
        return
    if failure is None:
        future.set_result(result)
    else:
        future.set_exception(failure)


def _not_open() -> StoreNotOpen:
    return StoreNotOpen("the store is not open", hint="serve the app with its lifespan")
