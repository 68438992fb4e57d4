"""The store in PostgreSQL, for connectors on several nodes.

Nodes insert new answers and sales at the same moment: the key's index decides which was first, and the other waits for
that commit. Each other unit of work is alone, as in SQLite: it reads and then writes several rows, and two of them
could wait for each other for ever. One advisory lock keeps the two apart; inserts share it. A node that dies loses the
lock with its connection; of one that is cut off the server ends the transaction, after the time that the others wait.
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
from reference_connector.store.group_commit import GroupCommitStore, Waiter, new_future
from reference_connector.store.records import FORGET_AT_ONCE, SqlRecords
from reference_connector.store.tables import TABLES, VERSION

_LOCK = 0x4A574F  # "JWO"; advisory locks are told apart by number
_LINE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 15_000}
"""How soon a line that is cut is noticed, by libpq's names: seconds, a count, milliseconds; the URL may differ."""
_CUT_OFF_AFTER = 4
"""A node that does nothing in its transaction is cut off after so many times the wait that the others bear."""
_ALONE = "SELECT pg_advisory_xact_lock(%s)"
_BESIDE_OTHERS = "SELECT pg_advisory_xact_lock_shared(%s)"
_SOME_OVER = "SELECT key FROM answer WHERE forget_at<=? LIMIT ? FOR UPDATE SKIP LOCKED"
"""Passes over what another node has in hand."""
_OVER_INDEX = b"CREATE INDEX IF NOT EXISTS answer_forget_at ON answer (forget_at)"


class _WholeText(StrDumper):
    """Writes any text: PostgreSQL keeps no NUL, while an id that the platform sends may hold one."""

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
        new_waiter: Callable[[asyncio.AbstractEventLoop], Waiter] = new_future,
    ) -> None:
        super().__init__(batch_max=batch_max, new_waiter=new_waiter)
        self._url = url
        self._busy_timeout_s = busy_timeout_s

    def connect(self) -> PostgresDatabase:
        """Connect, and make the tables where they are missing."""
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
            _prepare(database, connection)
        except (psycopg.Error, StoreUnavailable):
            connection.close()
            raise
        return database


class PostgresDatabase:
    """A connection as the writer uses it."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection
        connection.prepared_max = STATEMENTS
        connection.adapters.register_dumper(str, _WholeText)
        connection.adapters.register_loader("text", _WholeTextLoader)
        self.records = SqlRecords(self._execute, returning_keys, self._forget)

    def _forget(self, now_ms: int) -> None:
        self._execute(f"DELETE FROM answer WHERE key IN ({_SOME_OVER})", (now_ms, FORGET_AT_ONCE))  # noqa: S608 - our own words

    def _execute(self, statement: str, values: tuple[Any, ...]) -> psycopg.Cursor[Any]:
        return self._connection.execute(_translated(statement), values)

    def begin(self, *, alone: bool) -> None:
        """Start a transaction, and wait for other nodes where this transaction or theirs must be alone.

        READ COMMITTED, as each statement must see what the others committed during that wait. A stricter level sees
        the database as it was before the wait.
        """
        self._connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED")  # the server's default may be another
        self._connection.execute(_ALONE if alone else _BESIDE_OTHERS, (_LOCK,))
        self.records.alone = alone

    def commit(self) -> None:
        """Write and sync."""
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo; a connection that is gone has undone it by itself."""
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


def _prepare(database: PostgresDatabase, connection: psycopg.Connection[Any]) -> None:
    database.begin(alone=True)
    connection.execute("CREATE TABLE IF NOT EXISTS jwo_version (version INTEGER NOT NULL)")
    found = connection.execute("SELECT version FROM jwo_version").fetchone()
    if found is not None and found[0] != VERSION:
        raise StoreUnavailable(
            f"the database is of version {found[0]}, this connector writes version {VERSION}",
            hint="give another database in JWO_DATABASE_URL",
        )
    for statement in TABLES:
        connection.execute(statement.format(bytes="BYTEA").encode())
    connection.execute(_OVER_INDEX)
    if found is None:
        connection.execute("INSERT INTO jwo_version VALUES (%s)", (VERSION,))
    database.commit()
