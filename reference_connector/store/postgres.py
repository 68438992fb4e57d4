"""The store in PostgreSQL, for connectors on several nodes.

Several nodes may insert answers and sales at the same moment. If two insert the same key, the index lets one continue,
and the other waits for its commit. A unit of work is alone, as in SQLite: it reads and then writes several rows, and
two of them could wait for each other for ever. One advisory lock separates the two: inserts share it, and a unit of
work holds it alone.

A node that dies loses the lock with its connection. When a node loses its network during a transaction, the server ends
that transaction after `_CUT_OFF_AFTER` times the busy timeout.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.types.string import StrDumper, TextLoader

from reference_connector.errors import StoreUnavailable
from reference_connector.store.bulk import STATEMENTS, returning_keys
from reference_connector.store.group_commit import GroupCommitStore, OnUpgrade, Waiter, new_future, no_report
from reference_connector.store.migrations import VERSION, statements
from reference_connector.store.records import DELETED_AT_ONCE, SqlRecords

_LOCK = 0x4A574F  # "JWO"; an advisory lock is a number
_LINE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
"""When the driver notices a broken connection, in libpq's names: seconds, a count, milliseconds. The URL overrides."""
_CUT_OFF_AFTER = 4
"""The server disconnects a node that is idle in a transaction after this many times the busy timeout."""
_BEGIN = "BEGIN ISOLATION LEVEL READ COMMITTED"
"""The server's default may be another level."""
_ALONE = "SELECT pg_advisory_xact_lock(%s)"
_BESIDE_OTHERS = "SELECT pg_advisory_xact_lock_shared(%s)"
_SOME_EXPIRED = "SELECT key FROM answer WHERE forget_at<=? LIMIT ? FOR UPDATE SKIP LOCKED"
"""Skips rows that another node has locked."""


class _WholeText(StrDumper):
    """Writes any text: PostgreSQL stores no NUL, and an id that the platform sends may contain one."""

    def dump(self, obj: str) -> bytes | bytearray | memoryview | None:
        """Escape NUL, and the escape."""
        return super().dump(obj.replace("\x1b", "\x1b1").replace("\0", "\x1b0"))


class _WholeTextLoader(TextLoader):
    """Reads what `_WholeText` wrote."""

    def load(self, data: bytes | bytearray | memoryview) -> bytes | str:
        """Undo the escapes."""
        text = super().load(data)
        return text.replace("\x1b0", "\0").replace("\x1b1", "\x1b") if isinstance(text, str) else text


class PostgresStore(GroupCommitStore):
    """Runs units of work one after the other, over all nodes on the same database."""

    failures = (psycopg.Error,)
    data_errors = (psycopg.DataError, psycopg.IntegrityError)

    def __init__(
        self,
        url: str,
        *,
        busy_timeout_s: float = 5.0,
        batch_max: int = 256,
        upgrade_wait_s: float = 600.0,
        on_upgrade: OnUpgrade = no_report,
        new_waiter: Callable[[asyncio.AbstractEventLoop], Waiter] = new_future,
    ) -> None:
        super().__init__(batch_max=batch_max, new_waiter=new_waiter)
        self._url = url
        self._busy_timeout_s = busy_timeout_s
        self._upgrade_wait_s = upgrade_wait_s
        self._on_upgrade = on_upgrade

    def connect(self) -> PostgresDatabase:
        """Connect, and make the tables or upgrade them. Raises StoreUnavailable if the database is newer."""
        try:
            line: dict[str, Any] = {**_LINE, **conninfo_to_dict(self._url)}
            connection = psycopg.connect(
                make_conninfo("", **line), autocommit=True, connect_timeout=max(2, round(self._busy_timeout_s))
            )
        except psycopg.Error as error:
            raise StoreUnavailable(
                f"cannot connect to PostgreSQL: {type(error).__name__}", hint="check JWO_DATABASE_URL"
            ) from error
        try:
            connection.execute("SET synchronous_commit = on")
            patience = sql.Literal(round(self._busy_timeout_s * 1000))
            connection.execute(sql.SQL("SET lock_timeout = {}").format(patience))
            cut_off = sql.Literal(round(_CUT_OFF_AFTER * self._busy_timeout_s * 1000))
            connection.execute(sql.SQL("SET idle_in_transaction_session_timeout = {}").format(cut_off))
            database = PostgresDatabase(connection)
            _upgrade(database, connection, self._upgrade_wait_s, self._on_upgrade)
        except psycopg.Error as error:
            connection.close()
            raise StoreUnavailable(
                f"cannot set up the PostgreSQL database: {type(error).__name__}: {_first_line(error)}",
                hint="check JWO_DATABASE_URL, and that its user may create tables",
            ) from error
        except StoreUnavailable:
            connection.close()
            raise
        return database


class PostgresDatabase:
    """A connection, used by the writer thread."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        connection.prepared_max = STATEMENTS
        connection.adapters.register_dumper(str, _WholeText)
        connection.adapters.register_loader("text", _WholeTextLoader)
        self.records = SqlRecords(self._execute, returning_keys, self._delete_expired)

    def _delete_expired(self, now_ms: int) -> None:
        self._execute(f"DELETE FROM answer WHERE key IN ({_SOME_EXPIRED})", (now_ms, DELETED_AT_ONCE))  # noqa: S608 - our own words

    def _execute(self, statement: str, values: tuple[Any, ...]) -> psycopg.Cursor[Any]:
        return self._connection.execute(_translated(statement), values)

    def begin(self, *, alone: bool) -> None:
        """Start a transaction, and wait for other nodes where this transaction or theirs must be alone.

        READ COMMITTED, as each statement must see what the others committed during that wait. A stricter level sees
        the database as it was before the wait.
        """
        self._connection.execute(_BEGIN)
        self._connection.execute(_ALONE if alone else _BESIDE_OTHERS, (_LOCK,))
        self.records.alone = alone

    def commit(self) -> None:
        """Write and sync."""
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo the transaction; if the connection is lost, the server does so."""
        with suppress(psycopg.Error):
            self._connection.execute("ROLLBACK")

    def savepoint(self, statement: str) -> None:
        """Run a statement on a savepoint."""
        self._connection.execute(statement.encode())

    def close(self) -> None:
        """Disconnect."""
        self._connection.close()


@cache
def _translated(statement: str) -> bytes:
    return statement.replace("?", "%s").encode()


def _upgrade(
    database: PostgresDatabase, connection: psycopg.Connection[Any], wait_s: float, on_upgrade: OnUpgrade
) -> None:
    """Make the tables of a new database, or upgrade an old one, in one transaction.

    Another node may do so at the same moment. This one then waits, and finds the work done.
    """
    if _version(connection) == VERSION:
        return
    connection.execute(_BEGIN)
    connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(round(wait_s * 1000))))
    connection.execute(_ALONE, (_LOCK,))
    version = _version(connection)
    for statement in statements("postgresql", version):
        connection.execute(statement.encode())
    connection.execute("CREATE TABLE IF NOT EXISTS jwo_version (version INTEGER NOT NULL)")
    connection.execute("DELETE FROM jwo_version")
    connection.execute("INSERT INTO jwo_version VALUES (%s)", (VERSION,))
    database.commit()
    if version is not None and version < VERSION:
        on_upgrade(version, VERSION)


def _version(connection: psycopg.Connection[Any]) -> int | None:
    """Return the number of the database's last step, or None if it is new."""
    [table] = connection.execute("SELECT to_regclass('jwo_version')").fetchone() or (None,)
    found = connection.execute("SELECT version FROM jwo_version").fetchone() if table else None
    return int(found[0]) if found else None


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0]
