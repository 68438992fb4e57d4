"""The store in one SQLite file: WAL, and synchronous FULL.

`synchronous=NORMAL` would lose the last commits with the power, and a lost claim means a second purchase.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

from reference_connector.errors import StoreUnavailable
from reference_connector.store.bulk import STATEMENTS, Execute, counting_rows
from reference_connector.store.group_commit import GroupCommitStore, Waiter, new_future
from reference_connector.store.records import FORGET_AT_ONCE, SqlRecords
from reference_connector.store.tables import TABLES, VERSION

_CACHE_KIB = 16_384
_LOG_PAGES = 4_000
"""At this length, 16 MB, SQLite writes its log back within a commit: seldom, as a page that changed twice is written
once, and not later, as the commit takes longer then."""


class Checkpoints(Protocol):
    """Writes SQLite's log back into the database at moments of its own; without it SQLite does so within commits."""

    def start(self) -> None:
        """Begin."""

    def stop(self) -> None:
        """End."""

    def prepare(self, database: sqlite3.Connection) -> None:
        """Set up the writer's connection."""

    def after_commit(self, database: sqlite3.Connection) -> None:
        """Take note of a commit on the writer's connection."""


class SqliteStore(GroupCommitStore):
    """Runs units of work one after the other; several processes may share the file."""

    failures = (sqlite3.Error,)
    data_errors = (sqlite3.DataError, sqlite3.IntegrityError)

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout_s: float = 5.0,
        batch_max: int = 256,
        new_waiter: Callable[[asyncio.AbstractEventLoop], Waiter] = new_future,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        super().__init__(batch_max=batch_max, new_waiter=new_waiter)
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._checkpoints = checkpoints

    def open(self) -> None:
        """Connect, and start the writer and the checkpoints."""
        super().open()
        if self._checkpoints is not None:
            self._checkpoints.start()

    def close(self) -> None:
        """Commit what waits, and let go of the file."""
        super().close()
        if self._checkpoints is not None:
            self._checkpoints.stop()

    def connect(self) -> SqliteDatabase:
        """Open the file, and make the tables where they are missing."""
        with ExitStack() as on_failure:
            try:
                database = sqlite3.connect(
                    self._path,
                    timeout=self._busy_timeout_s,
                    isolation_level=None,
                    check_same_thread=False,
                    cached_statements=STATEMENTS,
                )
                on_failure.callback(database.close)
                _prepare(database, self._busy_timeout_s)
                if self._checkpoints is not None:
                    self._checkpoints.prepare(database)
            except sqlite3.Error as error:
                raise StoreUnavailable(
                    f"cannot open {self._path}: {error}",
                    hint="check the setting store.path: its folder must exist and be writable",
                ) from error
            on_failure.pop_all()
        return SqliteDatabase(database, self._checkpoints)


class SqliteDatabase:
    """A connection as the writer uses it; BEGIN IMMEDIATE keeps the transactions of all processes apart."""

    def __init__(self, database: sqlite3.Connection, checkpoints: Checkpoints | None = None) -> None:
        self._database = database
        self._checkpoints = checkpoints
        self.records = SqlRecords(database.execute, counting_rows, _Sweep(database.execute))

    def begin(self, *, alone: bool) -> None:  # noqa: ARG002 - SQLite knows no other way
        """Start a transaction, waiting for other processes."""
        self._database.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Write and sync."""
        self._database.execute("COMMIT")
        if self._checkpoints is not None:
            self._checkpoints.after_commit(self._database)

    def rollback(self) -> None:
        """Undo."""
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")

    def savepoint(self, statement: str) -> None:
        """Run a statement on a savepoint."""
        self._database.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self._database.close()


class _Sweep:
    """Forgets answers whose time is over, some rows at a time, from the first to the last and then anew.

    An index of their times would find them at once, and cost each claim a microsecond.
    """

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._swept = self._newest = 0

    def __call__(self, now_ms: int) -> None:
        """Sweep some rows; what has come since the first of them was swept waits for the next time round."""
        if self._swept >= self._newest:
            self._swept, self._newest = 0, self._rowid("SELECT max(rowid) FROM answer")
        some = "SELECT max(rowid) FROM (SELECT rowid FROM answer WHERE rowid>? ORDER BY rowid LIMIT ?)"
        last = self._rowid(some, self._swept, FORGET_AT_ONCE)
        over = "DELETE FROM answer WHERE rowid>? AND rowid<=? AND forget_at<=?"
        self._execute(over, (self._swept, last, now_ms))
        self._swept = last

    def _rowid(self, question: str, *values: int) -> int:
        """Return the row that is asked for; none is 0, before the first."""
        rowid: int | None = self._execute(question, values).fetchone()[0]
        return rowid or 0


def _prepare(database: sqlite3.Connection, patience_s: float) -> None:
    """Set the file up, or recognise one that was; StoreUnavailable when it is of another version."""
    _switch_to_wal(database, time.monotonic() + patience_s)
    database.execute("PRAGMA synchronous=FULL")
    database.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    database.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")
    version = _version(database)
    if version == VERSION:
        return
    database.execute("BEGIN IMMEDIATE")
    if _version(database) not in (0, VERSION):
        raise StoreUnavailable(
            f"the database is of version {version}, this connector writes version {VERSION}",
            hint="give another file in the setting store.path",
        )
    for statement in TABLES:
        database.execute(statement.format(bytes="BLOB"))
    database.execute(f"PRAGMA user_version={VERSION}")
    database.execute("COMMIT")


def _version(database: sqlite3.Connection) -> Any:  # noqa: ANN401 - sqlite3 gives rows of any
    return database.execute("PRAGMA user_version").fetchone()[0]


def _switch_to_wal(database: sqlite3.Connection, deadline: float) -> None:
    """Change the journal mode, trying again when two processes start at once: SQLite does not wait here by itself."""
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
