"""Key-value stores: small values that must survive a restart, such as the set-up, by subject and key.

A changed value is written at once, and survives a kill. Without a database file, nothing is written, because no later
start could read it.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from simulator.errors import StorageUnreadable
from simulator.storage.database import Database

T = TypeVar("T")

TABLES = """
CREATE TABLE IF NOT EXISTS fact (
    seq INTEGER PRIMARY KEY, subject TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, UNIQUE (subject, key));
"""
_PUT = """
INSERT INTO fact (subject, key, value) VALUES (?, ?, ?)
ON CONFLICT (subject, key) DO UPDATE SET value = excluded.value"""
_DELETE = "DELETE FROM fact WHERE subject = ? AND key = ?"
_ALL = "SELECT key, value FROM fact WHERE subject = ? ORDER BY seq"


class KeyValueStore(Generic[T]):
    """The values of one subject, each of the type `T`; without a database file, it stores no value."""

    def __init__(self, subject: str, shape: type[T], database: Database | None = None) -> None:
        self._subject = subject
        self._shape: TypeAdapter[T] = TypeAdapter(shape)
        self._database = database if database and database.is_file else None

    def put(self, key: str, value: T) -> None:
        """Store a value; it replaces an earlier one with this key."""
        if self._database:
            self._database.write_now((_PUT, (self._subject, key, self._shape.dump_json(value))))

    def delete(self, *keys: str) -> None:
        """Delete the values of these keys."""
        if self._database and keys:
            self._database.write_now(*((_DELETE, (self._subject, key)) for key in keys))

    def all(self) -> dict[str, T]:
        """Return all values, oldest key first. Raises StorageUnreadable if a value does not fit `T`."""
        rows = self._database.read_now(_ALL, self._subject) if self._database else []
        return {row["key"]: self._read(row["key"], row["value"]) for row in rows}

    def _read(self, key: str, value: bytes) -> T:
        try:
            return self._shape.validate_json(value)
        except ValidationError as error:
            problem = f"this version cannot read the {self._subject} {key!r} in the database"
            raise StorageUnreadable(problem) from error
