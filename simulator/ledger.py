"""The platform's SQLite file: trips and carts, so that neither a restart nor a kill of the platform loses one.

Many activities write at once and each wants to be on the disk before it goes on, so what waits is committed together.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from typing import Any

Statement = tuple[str, tuple[Any, ...]]
_TABLES = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
CREATE TABLE IF NOT EXISTS trip (
    id TEXT PRIMARY KEY, started REAL NOT NULL, body BLOB NOT NULL, ended REAL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hand (
    seq INTEGER PRIMARY KEY, trip_id TEXT NOT NULL, type TEXT NOT NULL, item TEXT NOT NULL, unit TEXT NOT NULL,
    quantity TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS hand_trip ON hand (trip_id);
CREATE TABLE IF NOT EXISTS delivery (
    trip_id TEXT PRIMARY KEY, store_id TEXT NOT NULL, cart BLOB NOT NULL, state TEXT NOT NULL,
    series_start REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, next_at REAL NOT NULL, purchase_id TEXT, reason TEXT);
CREATE INDEX IF NOT EXISTS delivery_state ON delivery (state);
CREATE TABLE IF NOT EXISTS attempt (
    seq INTEGER PRIMARY KEY, trip_id TEXT NOT NULL REFERENCES delivery, request_id TEXT NOT NULL, at TEXT NOT NULL,
    status INTEGER, elapsed_ms INTEGER NOT NULL, outcome TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS attempt_trip ON attempt (trip_id);
"""


class Ledger:
    """One file, or `:memory:`; `close` it when the platform stops."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(_TABLES)
        self._waiting: list[tuple[tuple[Statement, ...], asyncio.Future[int]]] = []
        self._flushing: asyncio.Task[None] | None = None

    def put(self, *statements: Statement) -> asyncio.Future[int]:
        """Queue statements as one transaction; the future is done when they are on the disk, with the first's rowcount.

        What is queued first is committed first.
        """
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((statements, future))
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        return future

    async def settled(self) -> None:
        """Wait until all that was queued before is on the disk."""
        while self._flushing is not None and not self._flushing.done():
            await asyncio.shield(self._flushing)

    async def read(self, sql: str, *values: Any) -> list[sqlite3.Row]:  # noqa: ANN401 - what SQLite takes
        """Query, after all that was queued before."""
        await self.settled()
        return await asyncio.to_thread(self.read_now, sql, *values)

    def read_now(self, sql: str, *values: Any) -> list[sqlite3.Row]:  # noqa: ANN401 - what SQLite takes
        """Query what is on the disk; blocks."""
        with self._lock:
            return self._db.execute(sql, values).fetchall()

    async def close(self) -> None:
        """Finish what is queued and close the file."""
        await self.settled()
        with self._lock:
            self._db.close()

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
