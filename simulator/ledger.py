"""The platform's SQLite files, so that neither a restart nor a kill of the platform loses a trip or a cart.

A step of a trip is written at once and not synced, as a gate does not wait for disks: it survives a kill. A final cart
survives a power cut too; many carts want to be sure at once, so what waits is committed together, in a thread.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Coroutine
from typing import Any

from simulator.errors import BrokenMemory

Statement = tuple[str, tuple[Any, ...]]
TRIPS = """
CREATE TABLE IF NOT EXISTS trip (
    id TEXT PRIMARY KEY, started REAL NOT NULL, body BLOB NOT NULL, ended REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hand (
    seq INTEGER PRIMARY KEY, trip_id TEXT NOT NULL, type TEXT NOT NULL, item TEXT NOT NULL, unit TEXT NOT NULL,
    quantity TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS hand_trip ON hand (trip_id);
CREATE TABLE IF NOT EXISTS run (number INTEGER PRIMARY KEY);
"""
FACTS = """
CREATE TABLE IF NOT EXISTS fact (
    seq INTEGER PRIMARY KEY, subject TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, UNIQUE (subject, key));
"""
CARTS = """
CREATE TABLE IF NOT EXISTS delivery (
    trip_id TEXT PRIMARY KEY, store_id TEXT NOT NULL, cart BLOB NOT NULL, state TEXT NOT NULL,
    series_start REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, purchase_id TEXT, reason TEXT);
CREATE INDEX IF NOT EXISTS delivery_state ON delivery (state);
CREATE TABLE IF NOT EXISTS attempt (
    seq INTEGER PRIMARY KEY, trip_id TEXT NOT NULL REFERENCES delivery, request_id TEXT NOT NULL, at TEXT NOT NULL,
    status INTEGER, elapsed_ms INTEGER NOT NULL, outcome TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempt_trip ON attempt (trip_id);
"""
_MEMORY = ":memory:"
_CHECKPOINT_EVERY = 4_000


def beside(path: str, what: str) -> str:
    """Return the path of a second file beside a first one; memory stays memory."""
    return path if path == _MEMORY else f"{path}-{what}"


class Ledger:
    """One file, or `:memory:`; `close` it when the platform stops. With `sync`, what is kept survives a power cut."""

    def __init__(self, path: str, tables: str, *, sync: bool) -> None:
        self._path = path
        self._sync = sync
        self._lock = threading.Lock()
        self.is_file = path != _MEMORY
        self._db = _opened(path, tables, sync=sync)
        self._waiting: list[tuple[tuple[Statement, ...], asyncio.Future[int]]] = []
        self._working: asyncio.Task[None] | None = None
        self._unmoved = 0
        self._checkpointing = threading.Thread()

    def put(self, *statements: Statement) -> asyncio.Future[int]:
        """Run statements as one transaction; the future is done when they are kept, with the first's rowcount.

        What is put first is committed first.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if not self._sync:
            future.set_result(self.put_now(*statements))
            return future
        self._waiting.append((statements, future))
        self._work(self._flush())
        return future

    def put_now(self, *statements: Statement) -> int:
        """Run statements as one transaction, kept when this returns; blocks. Returns the first's rowcount."""
        count = self._commit([statements])[0]
        self._unmoved += len(statements)
        due = self._unmoved >= _CHECKPOINT_EVERY and self.is_file and not self._sync
        if due and not self._checkpointing.is_alive():
            self._unmoved, self._checkpointing = 0, threading.Thread(target=self._checkpoint)
            self._checkpointing.start()
        return count

    async def settled(self) -> None:
        """Wait until all that was put before is kept."""
        while self._waiting or (self._sync and self._working is not None and not self._working.done()):
            assert self._working is not None, "who waits is worked for"
            await asyncio.shield(self._working)

    async def read(self, sql: str, *values: Any) -> list[sqlite3.Row]:  # noqa: ANN401 - what SQLite takes
        """Query, after all that was put before."""
        await self.settled()
        return await asyncio.to_thread(self.read_now, sql, *values)

    def begin_run(self) -> int:
        """Count a start of the platform on this file; returns how many there were before."""
        with self._lock:
            return int(self._db.execute("INSERT INTO run DEFAULT VALUES").lastrowid or 1) - 1

    def read_now(self, sql: str, *values: Any) -> list[sqlite3.Row]:  # noqa: ANN401 - what SQLite takes
        """Query what is kept; blocks."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    async def close(self) -> None:
        """Finish what is under way and close the file."""
        await self.settled()
        if self._working is not None:
            await asyncio.gather(self._working, return_exceptions=True)
        if self._checkpointing.ident is not None:
            await asyncio.to_thread(self._checkpointing.join)
        with self._lock:
            self._db.close()

    def _work(self, work: Coroutine[Any, Any, None]) -> None:
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(work)
        else:
            work.close()

    def _checkpoint(self) -> None:
        """Move what is in the write-ahead log into the file, over a connection of its own, so that nobody waits."""
        other = sqlite3.connect(self._path)
        try:
            other.execute("PRAGMA wal_checkpoint(PASSIVE)")
        finally:
            other.close()

    async def _flush(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                counts = await asyncio.to_thread(self._commit, [statements for statements, _ in batch])
            except sqlite3.Error as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), count in zip(batch, counts, strict=True):
                if not future.done():
                    future.set_result(count)

    def _commit(self, batch: list[tuple[Statement, ...]]) -> list[int]:
        with self._lock, self._db:
            self._db.execute("BEGIN")
            return [self._run(statements) for statements in batch]

    def _run(self, statements: tuple[Statement, ...]) -> int:
        counts = [self._db.execute(sql, values).rowcount for sql, values in statements]
        return counts[0]


def _opened(path: str, tables: str, *, sync: bool) -> sqlite3.Connection:
    """Open a file that only its owner may read, as keys of accounts are in it; BrokenMemory when that cannot be."""
    try:
        _make(path)
        db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
        if not sync:
            db.execute("PRAGMA wal_autocheckpoint = 0")  # it would sync, and a gate would wait
        db.executescript(tables)
    except (OSError, sqlite3.Error) as error:
        raise BrokenMemory(f"the database {path} cannot be opened: {error}") from error
    return db


def _make(path: str) -> None:
    if path != _MEMORY:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


class Claim:
    """Keeps every other platform off the files until `close`; a kill gives them back."""

    def __init__(self, path: str) -> None:
        lock = beside(path, "lock")
        _make(lock)
        self._db = sqlite3.connect(lock, timeout=0, check_same_thread=False, isolation_level=None)
        try:
            self._db.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self._db.close()
            raise BrokenMemory(f"another platform runs on {path}") from error

    def close(self) -> None:
        """Let others have the files."""
        self._db.close()
