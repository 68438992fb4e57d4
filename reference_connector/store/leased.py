"""The tables of rows that wait for work at the payment provider, and the leases on them, in SQL of both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Generic, NamedTuple, TypeVar

import orjson

from reference_connector.store import Authorisation, Charge, Transfer
from reference_connector.store.bulk import Execute, from_ms, to_ms

T = TypeVar("T", bound=tuple[Any, ...])


class Convert(NamedTuple):
    """How a member becomes a column, and a column a member."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


class Table(NamedTuple, Generic[T]):
    """A table of leased rows; `columns` are in the order of the members of `row`, and the first one is the key.

    `waiting` are the groups of states in which a row has work when it is due. Each group needs a partial index with the
    same condition, as SQLite compares the text of the conditions.
    """

    name: str
    row: type[T]
    columns: tuple[str, ...]
    converted: dict[str, Convert]
    waiting: tuple[tuple[str, ...], ...]


def _cents(amount: Decimal) -> int:
    return int(amount.scaleb(2))


def _amount(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _list_text(texts: tuple[str, ...]) -> str:
    return orjson.dumps(texts).decode() if texts else ""


def _texts(text: str) -> tuple[str, ...]:
    return tuple(orjson.loads(text)) if text else ()


_MONEY, _TIME, _TEXTS = Convert(_cents, _amount), Convert(to_ms, from_ms), Convert(_list_text, _texts)
_OPENING = ("shopper_id", "cents", "currency", "method", "state", "due_at", "attempts", "reference", "trouble")
CHARGES = Table(
    "charge",
    Charge,
    (
        "trip_id",
        *_OPENING,
        "authorised",
        "captured",
        "event_ids",
        "other_methods",
        "stuck_in",
        "amazon_store",
        "paid_with",
        "cart",
    ),
    {
        "cents": _MONEY,
        "due_at": _TIME,
        "authorised": _MONEY,
        "captured": _MONEY,
        "event_ids": _TEXTS,
        "other_methods": _TEXTS,
    },
    (
        ("matching", "pending", "adjusting", "adjusted", "authorised", "collecting"),
        ("adjust_at_amazon", "capture_at_amazon", "cancel_at_amazon", "read_at_amazon"),
        ("checkout_at_amazon",),
    ),
)
AUTHORISATIONS = Table(
    "authorisation",
    Authorisation,
    ("event_id", *_OPENING, "trip_id", "amazon_store"),
    {"cents": _MONEY, "due_at": _TIME},
    (("pending", "held", "releasing"), ("cancel_at_amazon",)),
)
TRANSFERS = Table(
    "transfer",
    Transfer,
    (
        *("id", "kind", "trip_id", "cents", "currency", "method", "state", "due_at", "attempts", "trouble", "reason"),
        "amazon_store",
    ),
    {"cents": _MONEY, "due_at": _TIME},
    (("pending",), ("refund_at_amazon",)),
)


def _condition(states: tuple[str, ...]) -> str:
    named = ", ".join(f"'{state}'" for state in states)
    return f"state IN ({named})" if len(states) > 1 else f"state = {named}"


class LeasedRows(Generic[T]):
    """The rows of one table, on a connection that is in a transaction; `execute` takes SQL with `?`."""

    def __init__(self, execute: Execute, table: Table[T]) -> None:
        name, _, columns, converted, groups = table
        key, conditions = columns[0], [_condition(states) for states in groups]
        self._execute = execute
        self._row = table.row
        self._converted = [(columns.index(column), each) for column, each in converted.items()]
        self._selected = selected = f"SELECT {', '.join(columns)} FROM {name}"  # noqa: S608 - our own words, as below
        new = ", ".join(f"{each}=?" for each in columns[1:])
        marks = ", ".join("?" * len(columns))
        self._insert = f"INSERT INTO {name} ({', '.join(columns)}, owner, lease_until) VALUES ({marks}, '', 0)"  # noqa: S608
        self._find = f"{selected} WHERE {key}=?"
        self._in_state = f"{selected} WHERE state=? ORDER BY due_at, {key} LIMIT ?"
        self._of_trip = f"{selected} WHERE trip_id=? ORDER BY due_at, {key}"
        self._due = [
            f"{selected} WHERE {condition} AND due_at<=? AND lease_until<=? ORDER BY due_at, {key} LIMIT ?"
            for condition in conditions
        ]
        self._claim = f"UPDATE {name} SET owner=?, lease_until=? WHERE {key}=? AND lease_until<=?"  # noqa: S608
        self._replace = f"UPDATE {name} SET {new}, owner='', lease_until=0 WHERE {key}=?"  # noqa: S608
        self._update = f"{self._replace} AND owner=?"
        self._open = [f"SELECT count(*) FROM {name} WHERE {each} AND state<>'held'" for each in conditions]  # noqa: S608
        self._stuck = f"SELECT count(*) FROM {name} WHERE state='stuck'"  # noqa: S608
        self._first_due = [f"SELECT min(due_at) FROM {name} WHERE {each} AND state<>'held'" for each in conditions]  # noqa: S608
        self._most_tried = [
            f"{selected} WHERE {each} ORDER BY attempts DESC, due_at LIMIT ?" for each in (*conditions, "state='stuck'")
        ]
        self._attempts, self._due_at = columns.index("attempts"), columns.index("due_at")

    def save(self, row: T) -> None:
        """Insert a row. Its key must be new."""
        self._execute(self._insert, self._written(row))

    def find(self, key: str) -> T | None:
        """Find a row by its key."""
        found = self._read(self._find, (key,))
        return found[0] if found else None

    def in_state(self, state: str, limit: int) -> list[T]:
        """List the rows in a state, the oldest first."""
        return self._read(self._in_state, (state, limit))

    def of_trip(self, trip_id: str) -> list[T]:
        """List the rows of a shopping trip, the oldest first."""
        return self._read(self._of_trip, (trip_id,))

    def read(self, condition: str, values: tuple[Any, ...]) -> list[T]:
        """List the rows that meet a condition in SQL, the oldest first."""
        return self._read(f"{self._selected} WHERE {condition} ORDER BY due_at", values)

    def open(self) -> int:
        """Count the rows that wait for the provider. A pre-authorisation that is held waits for its trip."""
        return sum(int(self._execute(each, ()).fetchone()[0]) for each in self._open)

    def stuck(self) -> int:
        """Count the rows that an operator must take up again."""
        return int(self._execute(self._stuck, ()).fetchone()[0])

    def first_due_at(self) -> datetime | None:
        """Return when the first row that waits for the provider was or will be due; None if no row waits."""
        found = [self._execute(each, ()).fetchone()[0] for each in self._first_due]
        return min((from_ms(due_at) for due_at in found if due_at is not None), default=None)

    def most_tried(self, limit: int) -> list[T]:
        """List the rows that wait or are stuck, those with the most attempts first, and the oldest of equal ones."""
        found = [row for each in self._most_tried for row in self._read(each, (limit,))]
        return sorted(found, key=lambda row: (-row[self._attempts], row[self._due_at]))[:limit]

    def take(self, owner: str, *, now: datetime, lease_until: datetime, limit: int) -> list[T]:
        """Lease the rows that are due and that no other worker has leased, the oldest of each group first."""
        now_ms, until_ms = to_ms(now), to_ms(lease_until)
        due = [row for each in self._due for row in self._read(each, (now_ms, now_ms, limit))]
        for row in due:
            self._execute(self._claim, (owner, until_ms, row[0], now_ms))
        return due

    def claim(self, key: str, owner: str, *, now: datetime, lease_until: datetime) -> bool:
        """Lease one row, due or not; return False if another worker has leased it."""
        done = self._execute(self._claim, (owner, to_ms(lease_until), key, to_ms(now)))
        return int(done.rowcount) == 1

    def update(self, row: T, owner: str) -> bool:
        """Save the new state of a leased row, and end the lease; return False if `owner` has lost the lease."""
        key, *others = self._written(row)
        return int(self._execute(self._update, (*others, key, owner)).rowcount) == 1

    def replace(self, row: T) -> None:
        """Save the new state of a row that no worker has leased."""
        key, *others = self._written(row)
        self._execute(self._replace, (*others, key))

    def _written(self, row: T) -> tuple[Any, ...]:
        values = list(row)
        for position, convert in self._converted:
            values[position] = convert.write(values[position])
        return tuple(values)

    def _read(self, statement: str, given: tuple[Any, ...]) -> list[T]:
        return [self._member(row) for row in self._execute(statement, given)]

    def _member(self, row: Any) -> T:  # noqa: ANN401 - both databases give rows of any
        values = list(row)
        for position, convert in self._converted:
            values[position] = convert.read(values[position])
        return self._row(*values)
