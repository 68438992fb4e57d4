"""The store in one SQLite file: WAL, and synchronous FULL.

With `synchronous=NORMAL`, a power cut would lose the last commits, and a lost record means a second purchase.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from reference_connector.errors import StoreUnavailable
from reference_connector.store.bulk import STATEMENTS, Execute, counting_rows
from reference_connector.store.group_commit import GroupCommitStore, OnUpgrade, Waiter, new_future, no_report
from reference_connector.store.migrations import VERSION, statements
from reference_connector.store.records import DELETED_AT_ONCE, SqlRecords

_CACHE_KIB = 16_384
_LOG_PAGES = 4_000
"""The length, 16 MB, at which SQLite copies its log into the database during a commit.

In a longer log more pages change twice and are copied once. In a shorter log each copy delays a commit for less time.
"""


class Checkpoints(Protocol):
    """Copies SQLite's log into the database between commits; without it SQLite does so during commits."""

    def start(self) -> None:
        """Start."""

    def stop(self) -> None:
        """Stop."""

    def prepare(self, database: sqlite3.Connection) -> None:
        """Set up the writer's connection."""

    def after_commit(self, database: sqlite3.Connection) -> None:
        """React to a commit on the writer's connection."""


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
        upgrade_wait_s: float = 600.0,
        on_upgrade: OnUpgrade = no_report,
        new_waiter: Callable[[asyncio.AbstractEventLoop], Waiter] = new_future,
        checkpoints: Checkpoints | None = None,
    ) -> None:
        super().__init__(batch_max=batch_max, new_waiter=new_waiter)
        self._path = path
        self._upgrade_wait_s = upgrade_wait_s
        self._on_upgrade = on_upgrade
        self._busy_timeout_s = busy_timeout_s
        self._checkpoints = checkpoints

    def open(self) -> None:
        """Connect, and start the writer and the checkpoints."""
        super().open()
        if self._checkpoints is not None:
            self._checkpoints.start()

    def close(self) -> None:
        """Commit all that waits, and close the file."""
        super().close()
        if self._checkpoints is not None:
            self._checkpoints.stop()

    def connect(self) -> SqliteDatabase:
        """Open the file, and make its tables or upgrade them. Raises StoreUnavailable if it is newer."""
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
                _configure(database, self._busy_timeout_s)
                _upgrade(database, self._upgrade_wait_s, self._on_upgrade)
                database.execute(f"PRAGMA busy_timeout={round(self._busy_timeout_s * 1000)}")
                if self._checkpoints is not None:
                    self._checkpoints.prepare(database)
            except sqlite3.Error as error:
                raise StoreUnavailable(
                    f"cannot open {self._path}: {error}",
                    hint="check JWO_CONNECTOR_STORE__PATH: the folder must exist, be writable and have room",
                ) from error
            on_failure.pop_all()
        return SqliteDatabase(database, self._checkpoints)


class SqliteDatabase:
    """A connection, used by the writer thread; with BEGIN IMMEDIATE no transactions of two processes overlap."""

    def __init__(self, database: sqlite3.Connection, checkpoints: Checkpoints | None = None) -> None:
        self._database = database
        self._checkpoints = checkpoints
        self.records = SqlRecords(database.execute, counting_rows, _Sweep(database.execute))

    def begin(self, *, alone: bool) -> None:  # noqa: ARG002 - in SQLite each one is alone
        """Start a transaction; wait for those of other processes."""
        self._database.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Write and sync."""
        self._database.execute("COMMIT")
        if self._checkpoints is not None:
            self._checkpoints.after_commit(self._database)

    def rollback(self) -> None:
        """Undo the transaction."""
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")

    def savepoint(self, statement: str) -> None:
        """Run a statement on a savepoint."""
        self._database.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self._database.close()


class _Sweep:
    """Deletes expired answers: looks at some rows at a time, from the first to the last, and then from the first again.

    An index of the times would find them at once, but would add a microsecond to each insert.
    """

    def __init__(self, execute: Execute) -> None:
        self._execute = execute
        self._swept = self._newest = 0

    def __call__(self, now_ms: int) -> None:
        """Look at some rows, and delete the expired ones. Rows that are inserted during a sweep wait for the next."""
        if self._swept >= self._newest:
            self._swept, self._newest = 0, self._rowid("SELECT max(rowid) FROM answer")
        some = "SELECT max(rowid) FROM (SELECT rowid FROM answer WHERE rowid>? ORDER BY rowid LIMIT ?)"
        last = self._rowid(some, self._swept, DELETED_AT_ONCE)
        expired = "DELETE FROM answer WHERE rowid>? AND rowid<=? AND forget_at<=?"
        self._execute(expired, (self._swept, last, now_ms))
        self._swept = last

    def _rowid(self, query: str, *values: int) -> int:
        """Return the row id that a query selects, or 0 if there is no such row."""
        rowid: int | None = self._execute(query, values).fetchone()[0]
        return rowid or 0


def _configure(database: sqlite3.Connection, patience_s: float) -> None:
    _switch_to_wal(database, time.monotonic() + patience_s)
    database.execute("PRAGMA synchronous=FULL")
    database.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
    database.execute(f"PRAGMA wal_autocheckpoint={_LOG_PAGES}")


def _upgrade(database: sqlite3.Connection, wait_s: float, on_upgrade: OnUpgrade) -> None:
    """Make the tables of a new file, or upgrade an old file, in one transaction.

    Another process may do so at the same moment. This one then waits, and finds the work done.
    """
    if _number(database) == VERSION:
        return
    database.execute(f"PRAGMA busy_timeout={round(wait_s * 1000)}")
    database.execute("BEGIN IMMEDIATE")
    version = _version(database)
    for statement in statements("sqlite", version):
        database.execute(statement)
    database.execute(f"PRAGMA user_version={VERSION}")
    database.execute("COMMIT")
    if version is not None and version < VERSION:
        on_upgrade(version, VERSION)


def _number(database: sqlite3.Connection) -> int:
    return int(database.execute("PRAGMA user_version").fetchone()[0])


def _version(database: sqlite3.Connection) -> int | None:
    """Return the number of the file's last step, or None if it is new. A transaction must be open.

    Raises StoreUnavailable if the file belongs to another program.
    """
    version = _number(database)
    if version:
        return version
    if database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreUnavailable(
            "the file of the store is a database of another program", hint="set another file in the setting store.path"
        )
    return None


def _switch_to_wal(database: sqlite3.Connection, deadline: float) -> None:
    """Change the journal mode. When two processes start at once, try again: SQLite does not wait for this statement."""
    while True:
        try:
            database.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return
