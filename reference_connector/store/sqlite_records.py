"""The tables in SQLite, and the records as one transaction sees them; instants are milliseconds since 1970."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime, timedelta

from reference_connector.errors import StoreUnavailable
from reference_connector.store import IssuedCode, Purchase, PurchaseStatus, Recorded, Scope

_VERSION = 1
_FORGET_AT_ONCE = 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TABLES = """
CREATE TABLE IF NOT EXISTS answer (
  scope TEXT NOT NULL, key TEXT NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL, fingerprint TEXT NOT NULL,
  forget_at INTEGER, PRIMARY KEY (scope, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answer_forget_at ON answer (forget_at) WHERE forget_at IS NOT NULL;
CREATE TABLE IF NOT EXISTS code (
  token TEXT PRIMARY KEY, shopper_id TEXT NOT NULL, issued_at INTEGER NOT NULL, used_by TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS purchase (
  trip_id TEXT PRIMARY KEY, purchase_id TEXT NOT NULL, store_id TEXT NOT NULL, shopper_id TEXT NOT NULL,
  status TEXT NOT NULL, receipt BLOB NOT NULL, cart BLOB NOT NULL, made_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS purchase_shopper ON purchase (shopper_id, made_at);
"""


def prepare(database: sqlite3.Connection, patience_s: float) -> None:
    """Set the file up, or recognise one that was; StoreUnavailable when it is of another version."""
    _switch_to_wal(database, time.monotonic() + patience_s)
    database.execute("PRAGMA synchronous=FULL")
    database.execute("BEGIN IMMEDIATE")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version not in (0, _VERSION):
        raise StoreUnavailable(
            f"the database is of version {version}, this connector writes version {_VERSION}",
            hint="give another file in the setting store.path",
        )
    for statement in filter(str.strip, _TABLES.split(";")):
        database.execute(statement)
    database.execute(f"PRAGMA user_version={_VERSION}")
    database.execute("COMMIT")


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


class SqliteRecords:
    """Records on a connection that is in a transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def find_answer(self, scope: Scope, key: str, now: datetime) -> Recorded | None:
        """Find an answer that is remembered still."""
        row = self._database.execute(
            "SELECT status, body, fingerprint FROM answer"
            " WHERE scope=? AND key=? AND (forget_at IS NULL OR forget_at>?)",
            (scope, key, _to_ms(now)),
        ).fetchone()
        return Recorded(*row) if row else None

    def save_answer(
        self, scope: Scope, key: str, recorded: Recorded, *, now: datetime, forget_at: datetime | None
    ) -> None:
        """Remember an answer, and forget a few whose time is over, so that the table does not grow for ever."""
        self._database.execute(
            "DELETE FROM answer WHERE (scope, key) IN (SELECT scope, key FROM answer WHERE forget_at<=? LIMIT ?)",
            (_to_ms(now), _FORGET_AT_ONCE),
        )
        self._database.execute(
            "INSERT OR REPLACE INTO answer VALUES (?, ?, ?, ?, ?, ?)",
            (scope, key, *recorded, None if forget_at is None else _to_ms(forget_at)),
        )

    def find_code(self, token: str) -> IssuedCode | None:
        """Find an issued code by its Recognition Token."""
        row = self._database.execute("SELECT * FROM code WHERE token=?", (token,)).fetchone()
        return IssuedCode(row[0], row[1], _from_ms(row[2]), row[3]) if row else None

    def save_code(self, code: IssuedCode) -> None:
        """Keep a newly issued code."""
        self._database.execute(
            "INSERT INTO code VALUES (?, ?, ?, ?)", (code.token, code.shopper_id, _to_ms(code.issued_at), code.used_by)
        )

    def use_code(self, token: str, event_id: str) -> None:
        """Note which authEvent a code was good for."""
        self._database.execute("UPDATE code SET used_by=? WHERE token=?", (event_id, token))

    def save_purchase(self, purchase: Purchase) -> None:
        """Keep a purchase; there is one a shopping trip."""
        self._database.execute(
            "INSERT INTO purchase VALUES (?, ?, ?, ?, ?, ?, ?, ?)", (*purchase[:-1], _to_ms(purchase.made_at))
        )

    def find_purchase(self, trip_id: str) -> Purchase | None:
        """Find the purchase of a shopping trip."""
        row = self._database.execute("SELECT * FROM purchase WHERE trip_id=?", (trip_id,)).fetchone()
        return _purchase(row) if row else None

    def purchases_of(self, shopper_id: str) -> list[Purchase]:
        """List a shopper's purchases, the newest first."""
        rows = self._database.execute(
            "SELECT * FROM purchase WHERE shopper_id=? ORDER BY made_at DESC, trip_id", (shopper_id,)
        )
        return [_purchase(row) for row in rows]


def _purchase(row: tuple[str, str, str, str, PurchaseStatus, bytes, bytes, int]) -> Purchase:
    return Purchase(*row[:-1], _from_ms(row[-1]))


def _to_ms(instant: datetime) -> int:
    return (instant - _EPOCH) // timedelta(milliseconds=1)


def _from_ms(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)
