"""What the platform remembers over a restart beside trips and carts: facts, by subject and key, in the ledger.

A fact is written at once when it changes, and survives a kill. Without a database file nothing is written, as nobody
could read it again.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from simulator.errors import BrokenMemory
from simulator.ledger import Ledger

T = TypeVar("T")

_KEEP = """
INSERT INTO fact (subject, key, value) VALUES (?, ?, ?)
ON CONFLICT (subject, key) DO UPDATE SET value = excluded.value"""
_DROP = "DELETE FROM fact WHERE subject = ? AND key = ?"
_ALL = "SELECT key, value FROM fact WHERE subject = ? ORDER BY seq"


class Facts(Generic[T]):
    """The facts of one subject, each of the shape `T`; without a ledger they are forgotten at once."""

    def __init__(self, subject: str, shape: type[T], ledger: Ledger | None = None) -> None:
        self._subject = subject
        self._shape: TypeAdapter[T] = TypeAdapter(shape)
        self._ledger = ledger if ledger and ledger.is_file else None

    def keep(self, key: str, value: T) -> None:
        """Remember a fact, in the place of an earlier one with this key."""
        if self._ledger:
            self._ledger.put_now((_KEEP, (self._subject, key, self._shape.dump_json(value))))

    def drop(self, *keys: str) -> None:
        """Forget facts."""
        if self._ledger and keys:
            self._ledger.put_now(*((_DROP, (self._subject, key)) for key in keys))

    def all(self) -> dict[str, T]:
        """Return what is remembered, oldest key first; BrokenMemory when another version wrote it otherwise."""
        rows = self._ledger.read_now(_ALL, self._subject) if self._ledger else []
        return {row["key"]: self._read(row["key"], row["value"]) for row in rows}

    def _read(self, key: str, value: bytes) -> T:
        try:
            return self._shape.validate_json(value)
        except ValidationError as error:
            raise BrokenMemory(f"the database holds a {self._subject} {key!r} that cannot be read") from error
