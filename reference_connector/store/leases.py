"""The interface of tables of which rows wait for work: workers lease the rows, so that no two do the same work."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol, TypeVar

Row = TypeVar("Row")


class Leased(Protocol[Row]):
    """Rows that wait for work. A worker leases a row, works outside of any transaction, and saves the row's new state.

    The key is the row's first member.
    """

    def save(self, row: Row) -> None:
        """Insert a row. Its key must be new."""

    def find(self, key: str) -> Row | None:
        """Find a row by its key."""

    def in_state(self, state: str, limit: int) -> list[Row]:
        """List the rows in a state, the oldest first."""

    def of_trip(self, trip_id: str) -> list[Row]:
        """List the rows of a shopping trip, the oldest first."""

    def take(self, owner: str, *, now: datetime, lease_until: datetime, limit: int) -> list[Row]:
        """Lease the rows that are due and that no other worker has leased, the oldest first."""

    def claim(self, key: str, owner: str, *, now: datetime, lease_until: datetime) -> bool:
        """Lease one row, due or not; return False if another worker has leased it."""

    def update(self, row: Row, owner: str) -> bool:
        """Save the new state of a leased row, and end the lease; return False if `owner` has lost the lease."""

    def replace(self, row: Row) -> None:
        """Save the new state of a row that no worker has leased."""
