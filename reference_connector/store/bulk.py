"""Many rows in one statement: a database takes a row of a batch for a fraction of what a statement of its own costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any

Execute = Callable[[str, tuple[Any, ...]], Any]
Row = tuple[Any, ...]
STATEMENTS = 512
"""How many statements a connection keeps ready: each number of rows makes one of its own, for each table."""
_LARGEST, _EMPTY = 64, "''"
_key: Callable[[Row], bytes] = itemgetter(0)


class NewRows:
    """Inserts rows whose key the table does not have yet; `key` is the first of `columns`, `empty` are texts."""

    def __init__(self, table: str, columns: str, *, empty: Sequence[str] = ()) -> None:
        self.table = table
        self._columns = ", ".join((columns, *empty))
        self._row = f"({', '.join(['?'] * (columns.count(',') + 1) + [_EMPTY] * len(empty))})"
        self.statement = cache(self._of_size)

    def insert(self, execute: Execute, rows: Sequence[Row], take: Take) -> list[bool]:
        """Insert, and say of each row whether it is in the table now; of two rows of one key the first is.

        In the order of keys: a node that waits for a row of another's has no row for which that other could wait.
        """
        in_order = sorted(rows, key=_key)
        pieces = [in_order[start : start + _LARGEST] for start in range(0, len(rows), _LARGEST)]
        found = [(piece, take(execute, self, piece)) for piece in pieces]
        if all(taken is None for _, taken in found):
            return [True] * len(rows)
        new = {key for piece, taken in found for key in (map(_key, piece) if taken is None else taken)}
        return [_first(row[0], new) for row in rows]

    def _of_size(self, count: int, insert: str, after: str) -> str:
        return (
            f"{insert} INTO {self.table} ({self._columns}) VALUES {', '.join([self._row] * count)}"
            f" ON CONFLICT (key) DO NOTHING{after}"
        )


Take = Callable[[Execute, NewRows, Sequence[Row]], set[bytes] | None]
"""Inserts rows in one statement, and returns the keys of those that were new, or None when all were."""


def returning_keys(execute: Execute, table: NewRows, rows: Sequence[Row]) -> set[bytes] | None:
    """Have the statement return the keys that it took: for a database that hands them over in one go."""
    cursor = execute(table.statement(len(rows), "INSERT", " RETURNING key"), _flat(rows))
    return None if cursor.rowcount == len(rows) else {key for (key,) in cursor.fetchall()}


def counting_rows(execute: Execute, table: NewRows, rows: Sequence[Row]) -> set[bytes] | None:
    """Count the rows that SQLite took, and ask which only where some are missing: each that is returned costs a step.

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
    marks = ", ".join("?" * len(rows))
    last = f"SELECT key FROM {table.table} WHERE key IN ({marks}) AND rowid > ?"  # noqa: S608 - a name of ours
    return {key for (key,) in execute(last, (*map(_key, rows), cursor.lastrowid - count))}


def _flat(rows: Sequence[Row]) -> Row:
    return tuple(chain.from_iterable(rows))


def _first(key: bytes, taken: set[bytes]) -> bool:
    if key not in taken:
        return False
    taken.discard(key)
    return True
