"""Inserts of many rows in one statement, which cost a fraction of a statement for each row; keys and instants."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

Execute = Callable[[str, tuple[Any, ...]], Any]
Row = tuple[Any, ...]
STATEMENTS = 512
"""The number of prepared statements that a connection keeps: each number of rows needs its own, for each table."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LARGEST, _EMPTY = 64, "''"
_key: Callable[[Row], bytes] = itemgetter(0)


class NewRows:
    """Inserts the rows that have a new key. `key` is the first of `columns`; the columns `empty` get an empty text."""

    def __init__(self, table: str, columns: str, *, empty: Sequence[str] = ()) -> None:
        self.table = table
        self._columns = ", ".join((columns, *empty))
        self._row = f"({', '.join(['?'] * (columns.count(',') + 1) + [_EMPTY] * len(empty))})"
        self.statement = cache(self._of_size)

    def insert(self, execute: Execute, rows: Sequence[Row], insert_piece: InsertPiece) -> list[bool]:
        """Insert the rows; return for each row whether it was inserted. Of two rows of one key, the first is.

        The rows are inserted in the order of their keys. All nodes lock keys in this order, so no two nodes wait for
        each other.
        """
        in_order = sorted(rows, key=_key)
        pieces = [in_order[start : start + _LARGEST] for start in range(0, len(rows), _LARGEST)]
        inserted = [(piece, insert_piece(execute, self, piece)) for piece in pieces]
        if all(keys is None for _, keys in inserted):
            return [True] * len(rows)
        new = {key for piece, keys in inserted for key in (map(_key, piece) if keys is None else keys)}
        return [_remove(row[0], new) for row in rows]

    def _of_size(self, count: int, insert: str, after: str) -> str:
        return (
            f"{insert} INTO {self.table} ({self._columns}) VALUES {', '.join([self._row] * count)}"
            f" ON CONFLICT (key) DO NOTHING{after}"
        )


def upsert(execute: Execute, table: str, columns: str, rows: Sequence[Row]) -> None:
    """Insert rows, or replace those of the same key; the key is the first column."""
    if not rows:
        return
    row = f"({', '.join('?' * len(rows[0]))})"
    new = ", ".join(f"{name}=excluded.{name}" for name in columns.split(", ")[1:])
    execute(
        f"INSERT INTO {table} ({columns}) VALUES {', '.join([row] * len(rows))}"  # noqa: S608 - our own words
        f" ON CONFLICT (key) DO UPDATE SET {new}",
        _flat(rows),
    )


InsertPiece = Callable[[Execute, NewRows, Sequence[Row]], set[bytes] | None]
"""Inserts rows in one statement; returns the keys of the new rows, or None if all rows were new."""


def returning_keys(execute: Execute, table: NewRows, rows: Sequence[Row]) -> set[bytes] | None:
    """Insert rows in PostgreSQL, where the statement returns the keys of the new ones."""
    cursor = execute(table.statement(len(rows), "INSERT", " RETURNING key"), _flat(rows))
    return None if cursor.rowcount == len(rows) else {key for (key,) in cursor.fetchall()}


def counting_rows(execute: Execute, table: NewRows, rows: Sequence[Row]) -> set[bytes] | None:
    """Insert rows in SQLite: count the new ones, and read their keys only if some rows were not new.

    A statement that returns keys would cost a step of SQLite for each of them.
    Several rows are inserted OR ROLLBACK: an error then undoes the transaction, and the store runs each job alone.
    Otherwise SQLite would first save each page that the statement changes, to undo this statement alone.
    """
    insert = "INSERT" if len(rows) == 1 else "INSERT OR ROLLBACK"
    cursor = execute(table.statement(len(rows), insert, ""), _flat(rows))
    count = cursor.rowcount
    if count == len(rows):
        return None
    if not count:
        return set()
    placeholders = ", ".join("?" * len(rows))
    newest = f"SELECT key FROM {table.table} WHERE key IN ({placeholders}) AND rowid > ?"  # noqa: S608 - a name of ours
    return {key for (key,) in execute(newest, (*map(_key, rows), cursor.lastrowid - count))}


def digest(name: str) -> bytes:
    """Return the key of a name."""
    return hashlib.blake2b(name.encode(), digest_size=16).digest()


def trip_key(trip_id: str) -> bytes:
    """Return the key of a shopping trip. Its purchase and its booked order have the same one."""
    return digest(f"order\0{trip_id}")


def to_ms(instant: datetime) -> int:
    """Write an instant as milliseconds since 1970."""
    return round(instant.timestamp() * 1000)


def from_ms(milliseconds: int) -> datetime:
    """Read what `to_ms` wrote."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def _flat(rows: Sequence[Row]) -> Row:
    return tuple(chain.from_iterable(rows))


def _remove(key: bytes, keys: set[bytes]) -> bool:
    """Remove a key from a set; return whether it was there."""
    if key not in keys:
        return False
    keys.discard(key)
    return True
