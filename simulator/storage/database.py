"""One SQLite file: transactions, queries, and SQLite's errors as StorageFailed.

A write to a file without `sync` happens at once: it survives a kill of the process, and the caller does not wait for
the disk. A write to a file with `sync` also survives a power cut; a thread commits waiting transactions together.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from jwo_toolkit.wal_checkpoints import WalCheckpoints
from simulator.errors import StorageFailed, StorageUnreadable
from simulator.storage.group_commit import GroupCommit

Statement = tuple[str, tuple[Any, ...]]
Transaction = tuple[Statement, ...]
Row = sqlite3.Row
MEMORY = ":memory:"
_CHECKPOINT_EVERY_STATEMENTS = 4_000
_log = logging.getLogger("simulator.storage")


class Database:
    """One file, or `:memory:`. Each method raises StorageFailed if SQLite fails; `close` it when the platform stops."""

    def __init__(self, path: str, tables: str, *, sync: bool) -> None:
        self.is_file = path != MEMORY
        self._lock = threading.Lock()
        self._connection = _opened(path, tables, sync=sync)
        self._group_commit: GroupCommit[Transaction, int] | None = GroupCommit(self._commit) if sync else None
        self._checkpoints = _started_checkpoints(path) if self.is_file and not sync else None

    def write(self, *statements: Statement) -> asyncio.Future[int]:
        """Run statements as one transaction; the future holds the first one's row count once they are committed.

        Transactions are committed in the order of the calls.
        """
        if self._group_commit:
            return self._group_commit.submit(statements)
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        future.set_result(self.write_now(*statements))
        return future

    def write_now(self, *statements: Statement) -> int:
        """Run statements as one transaction and return the first one's row count; blocks until it is committed."""
        count = self._commit([statements])[0]
        if self._checkpoints:
            self._checkpoints.note_commit(len(statements))
        return count

    async def settle(self) -> None:
        """Wait until every earlier `write` is committed."""
        if self._group_commit:
            await self._group_commit.settle()

    async def read(self, sql: str, *values: Any) -> list[Row]:  # noqa: ANN401 - what SQLite takes
        """Query in a thread, after every earlier `write`."""
        await self.settle()
        return await asyncio.to_thread(self.read_now, sql, *values)

    def read_now(self, sql: str, *values: Any) -> list[Row]:  # noqa: ANN401 - what SQLite takes
        """Query what is committed; blocks."""
        try:
            with self._lock:
                return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise StorageFailed(f"the database could not be read: {error}") from error

    async def close(self) -> None:
        """Commit the waiting transactions and close the file."""
        if self._group_commit:
            await self._group_commit.close()
        if self._checkpoints:
            await asyncio.to_thread(self._checkpoints.stop)
        with self._lock:
            self._connection.close()

    def _commit(self, batch: list[Transaction]) -> list[int]:
        """Run a batch of transactions as one; returns the row count of the first statement of each."""
        try:
            with self._lock, self._connection:
                self._connection.execute("BEGIN")
                return [self._run(statements) for statements in batch]
        except sqlite3.Error as error:
            raise StorageFailed(f"the database could not be written: {error}") from error

    def _run(self, statements: Transaction) -> int:
        counts = [self._connection.execute(sql, values).rowcount for sql, values in statements]
        return counts[0]


class DatabaseLock:
    """Prevents other platforms from using the files until `close`. The system frees the lock if the process dies."""

    def __init__(self, path: str) -> None:
        lock = sibling_path(path, "lock")
        try:
            _create(lock)
        except OSError as error:
            raise _cannot_open(lock, error) from error
        self._connection = sqlite3.connect(lock, timeout=0, check_same_thread=False, isolation_level=None)
        try:
            self._connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            self._connection.close()
            if getattr(error, "sqlite_errorcode", None) != sqlite3.SQLITE_BUSY:
                raise _cannot_open(lock, error) from error
            hint = "stop it first, or name another file in JWO_PLATFORM_DATABASE_PATH"
            raise StorageUnreadable(f"another platform runs on {path}", hint=hint) from error

    def close(self) -> None:
        """Let other platforms use the files."""
        self._connection.close()


def sibling_path(path: str, name: str) -> str:
    """Return the path of another file of the same platform; for `:memory:`, this is `:memory:`."""
    return path if path == MEMORY else f"{path}-{name}"


def _opened(path: str, tables: str, *, sync: bool) -> sqlite3.Connection:
    """Open a file. Only its owner may read it, because it holds the accounts' keys.

    Raises StorageUnreadable if the file cannot be opened.
    """
    try:
        _create(path)
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        connection.row_factory = Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
        if not sync:
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # it would sync, and a gate would wait
        connection.executescript(tables)
    except (OSError, sqlite3.Error) as error:
        raise _cannot_open(path, error) from error
    return connection


def _cannot_open(path: str, error: OSError | sqlite3.Error) -> StorageUnreadable:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_NOTADB:
        return StorageUnreadable(f"the database {path} cannot be opened: {error}")
    hint = "JWO_PLATFORM_DATABASE_PATH names the files: the folder must exist and be writable, and its disk have room"
    reason = error.strerror if isinstance(error, OSError) else error
    return StorageUnreadable(f"the database {path} cannot be opened: {reason}", hint=hint)


def _started_checkpoints(path: str) -> WalCheckpoints:
    def log(error: sqlite3.Error) -> None:
        _log.error("the log of %s cannot be checkpointed, and the next checkpoint tries again: %s", path, error)

    checkpoints = WalCheckpoints(Path(path), synchronous="NORMAL", due_after=_CHECKPOINT_EVERY_STATEMENTS, on_error=log)
    checkpoints.start()
    return checkpoints


def _create(path: str) -> None:
    if path != MEMORY:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
