"""Many rows in one statement: a database takes a row of a batch for a fraction of what a statement of its own costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

Execute = Callable[[str, tuple[Any, ...]], Any]
Row = tuple[Any, ...]
_LARGEST = 64


class NewRows:
    """Inserts rows whose key the table does not have yet; `key` is the first of `columns`."""

    def __init__(self, table: str, columns: str) -> None:
        self._into = f"INSERT INTO {table} ({columns}) VALUES "  # noqa: S608 - names only
        self._row = f"({', '.join('?' * (columns.count(',') + 1))})"
        self._unless = " ON CONFLICT (key) DO NOTHING RETURNING key"
        self._statement = cache(self._of_size)

    def insert(self, execute: Execute, rows: Sequence[Row]) -> list[bool]:
        """Insert, and say of each row whether it is in the table now; of two rows of one key the first is.

        In the order of keys: a node that waits for a row of another's has no row for which that other could wait.
        """
        taken: set[bytes] = set()
        for some in _pieces(sorted(rows, key=_key)):
            cursor = execute(self._statement(len(some)), tuple(chain.from_iterable(some)))
            taken.update(key for (key,) in cursor.fetchall())
        if len(taken) == len(rows):
            return [True] * len(rows)
        return [_first(row[0], taken) for row in rows]

    def _of_size(self, count: int) -> str:
        return self._into + ", ".join([self._row] * count) + self._unless


def _key(row: Row) -> bytes:
    key: bytes = row[0]
    return key


def _first(key: bytes, taken: set[bytes]) -> bool:
    if key not in taken:
        return False
    taken.discard(key)
    return True


def _pieces(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Cut into pieces whose sizes are powers of two, so that few statements serve any number of rows."""
    start, size = 0, _LARGEST
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        yield rows[start : start + size]
        start += size
