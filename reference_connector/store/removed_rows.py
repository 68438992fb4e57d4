"""The tables of what was removed from the books, in SQL that both databases understand."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson

from reference_connector.store.bulk import Execute, digest, from_ms, to_ms, trip_key, upsert
from reference_connector.store.removed_books import RemovedDay

_DAY = "day, currency, orders, whole_orders, captured, refunded, event_captured, event_refunded, differences"


class RemovedRows:
    """What was removed, on a connection that is in a transaction; `execute` takes SQL with `?`.

    A removed trip leaves its key, 16 bytes. So a file that comes again after years is not booked a second time.
    """

    def __init__(self, execute: Execute) -> None:
        self._execute = execute

    def note_quiet(self, now: datetime, limit: int) -> int:
        """Note the time for some orders that have changed since the last call; return for how many."""
        changed = "SELECT key FROM feed_order WHERE quiet_since=0 LIMIT ?"
        done = self._execute(f"UPDATE feed_order SET quiet_since=? WHERE key IN ({changed})", (to_ms(now), limit))  # noqa: S608 - our own words, as below
        return int(done.rowcount)

    def quiet_places(self, until: datetime, limit: int) -> list[bytes]:
        """List the keys of some orders that have not changed since an instant, the oldest first."""
        found = self._execute(
            "SELECT key FROM feed_order WHERE quiet_since>0 AND quiet_since<=? ORDER BY quiet_since LIMIT ?",
            (to_ms(until), limit),
        )
        return [bytes(key) for (key,) in found]

    def remove(self, places: Sequence[bytes], days: Sequence[RemovedDay]) -> None:
        """Delete the orders of some trips with all their records, and add to the sums of their days."""
        if not places:
            return
        some = f"({', '.join('?' * len(places))})"
        self._execute(f"DELETE FROM feed_record WHERE trip_key IN {some}", tuple(places))  # noqa: S608
        self._execute(f"DELETE FROM feed_order WHERE key IN {some}", tuple(places))  # noqa: S608
        self._execute(
            f"INSERT INTO feed_removed_trip (key) VALUES {', '.join(['(?)'] * len(places))} ON CONFLICT DO NOTHING",  # noqa: S608
            tuple(places),
        )
        keys = tuple(map(_day_key, days))
        earlier = {each[:2]: each for each in self._days(f"WHERE key IN ({', '.join('?' * len(keys))})", keys)}
        new = [earlier[each[:2]].plus(each) if each[:2] in earlier else each for each in days]
        upsert(self._execute, "feed_removed_day", f"key, {_DAY}", [_day_row(each) for each in new])

    def days(self) -> list[RemovedDay]:
        """List the days with removed orders, the first one first."""
        return self._days("ORDER BY day, currency", ())

    def _days(self, condition: str, values: tuple[Any, ...]) -> list[RemovedDay]:
        return [_day(row) for row in self._execute(f"SELECT {_DAY} FROM feed_removed_day {condition}", values)]  # noqa: S608

    def has(self, trip_id: str) -> bool:
        """Return whether the books had this trip, and it was removed."""
        return bool(self.among([trip_key(trip_id)]))

    def among(self, keys: Collection[bytes]) -> set[bytes]:
        """Return those keys of trips that were removed."""
        if not keys:
            return set()
        found = f"SELECT key FROM feed_removed_trip WHERE key IN ({', '.join('?' * len(keys))})"  # noqa: S608
        return {bytes(key) for (key,) in self._execute(found, tuple(keys))}

    def drop_files(self, until: datetime, limit: int) -> int:
        """Delete some of the names of files that were read until an instant; return how many."""
        old = "SELECT key FROM feed_file WHERE booked_at<=? LIMIT ?"
        return int(self._execute(f"DELETE FROM feed_file WHERE key IN ({old})", (to_ms(until), limit)).rowcount)  # noqa: S608


def _day_key(day: RemovedDay) -> bytes:
    return digest(f"removed day\0{to_ms(day.day)}\0{day.currency}")


def _day_row(day: RemovedDay) -> tuple[Any, ...]:
    cents = (int(amount.scaleb(2)) for amount in day[4:8])
    differences = orjson.dumps(day.differences, option=orjson.OPT_SORT_KEYS).decode()
    return _day_key(day), to_ms(day.day), *day[1:4], *cents, differences


def _day(row: Sequence[Any]) -> RemovedDay:
    amounts = (Decimal(int(cents)).scaleb(-2) for cents in row[4:8])
    return RemovedDay._make((from_ms(row[0]), *row[1:4], *amounts, orjson.loads(row[8])))
