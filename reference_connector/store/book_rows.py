"""The tables of the books, in SQL that both databases understand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

import orjson

from reference_connector.store.books import (
    BookedFile,
    BookedOrder,
    DeadLetter,
    FeedRecord,
    Pair,
    Sale,
    StoredRecord,
    merged,
    order_of,
)
from reference_connector.store.bulk import Execute, digest, from_ms, to_ms, trip_key, upsert
from reference_connector.store.removed_rows import RemovedRows

_RECORD = "source, id, trip_id, store_id, kind, at, facts, files, contradicted"
_RECORDS = f"key, trip_key, {_RECORD}"
_ORDER = (
    "trip_id, store_id, purchase_id, ordered_at, lines, lines_seen, currency, captured, refunded, cancelled,"
    " checkout_order_id, in_events, event_captured, event_refunded, contradictions, files"
)
_SALE = "key, trip_id, purchase_id, store_id, status, made_at"
_LETTER = "id, queue, reason, body, first_at, times"
_PLACES = """
SELECT key FROM (SELECT key FROM purchase WHERE key>? ORDER BY key LIMIT ?) AS sold
UNION SELECT key FROM (SELECT key FROM feed_order WHERE key>? ORDER BY key LIMIT ?) AS booked
ORDER BY key LIMIT ?"""
_NOTHING = Decimal("0.00")
_CHANGED = 0
"""The value of `quiet_since` of an order that has changed since `note_quiet` was called last."""


class _Money(Protocol):
    """The charges or transfers, of which the books read those of some trips."""

    def read(self, condition: str, values: tuple[Any, ...]) -> list[Any]:
        """List the rows that meet a condition in SQL."""


class BookRows:
    """The books on a connection that is in a transaction; `execute` takes SQL with `?`."""

    def __init__(self, execute: Execute, charges: _Money, transfers: _Money) -> None:
        self._execute = execute
        self._charges = charges
        self._transfers = transfers
        self.removed = RemovedRows(execute)

    def book(self, records: Sequence[FeedRecord], file: str = "") -> list[FeedRecord]:
        """Add records, from a file or from events. Records that the books have already change nothing.

        Return the records that are not booked: those of trips that were removed from the books.
        """
        removed = self.removed.among({trip_key(record.trip_id) for record in records})
        late = [record for record in records if trip_key(record.trip_id) in removed]
        self._book([record for record in records if trip_key(record.trip_id) not in removed], file)
        return late

    def _book(self, records: Sequence[FeedRecord], file: str) -> None:
        new: dict[bytes, StoredRecord] = {}
        for record in records:
            key, at = _key(record), from_ms(to_ms(record.at))  # as the table keeps it
            stored = StoredRecord(record._replace(at=at), (file,) if file else ())
            new[key] = merged(new[key], stored) if key in new else stored
        old = self._stored("key", new)
        both = {key: merged(old[key], stored) if key in old else stored for key, stored in new.items()}
        changed = {key: stored for key, stored in both.items() if stored != old.get(key)}
        if not changed:
            return
        trips = {trip_key(stored.record.trip_id) for stored in (*changed.values(), *old.values())}
        rows = [_record_row(key, stored) for key, stored in sorted(changed.items())]
        upsert(self._execute, "feed_record", _RECORDS, rows)
        self._make_orders(trips)

    def _make_orders(self, trips: set[bytes]) -> None:
        """Make the orders of some trips from their records."""
        of_trips: dict[bytes, list[StoredRecord]] = {}
        for stored in self._stored("trip_key", trips).values():
            of_trips.setdefault(trip_key(stored.record.trip_id), []).append(stored)
        rows = [(*_order_row(trip, order_of(found)), _CHANGED) for trip, found in sorted(of_trips.items())]
        upsert(self._execute, "feed_order", f"key, {_ORDER}, quiet_since", rows)
        for trip in trips - of_trips.keys():  # its only record counts for another trip
            self._execute("DELETE FROM feed_order WHERE key=?", (trip,))

    def note_file(self, file: BookedFile) -> None:
        """Save that a file was read; a repeated file overwrites its earlier row."""
        row = (digest(file.name), file.name, file.rows, file.bad_rows, to_ms(file.booked_at))
        upsert(self._execute, "feed_file", "key, name, row_count, bad_rows, booked_at", [row])

    def files(self, limit: int) -> list[BookedFile]:
        """List the files that were read last, the newest first."""
        found = self._execute(
            "SELECT name, row_count, bad_rows, booked_at FROM feed_file ORDER BY booked_at DESC, name DESC LIMIT ?",
            (limit,),
        )
        return [BookedFile._make((*row[:3], from_ms(row[3]))) for row in found]

    def find(self, trip_id: str) -> BookedOrder | None:
        """Find the order of a shopping trip."""
        return self._orders([trip_key(trip_id)]).get(trip_key(trip_id))

    def records_of(self, trip_id: str) -> list[StoredRecord]:
        """List the records of a shopping trip."""
        found = self._stored("trip_key", [trip_key(trip_id)]).values()
        return sorted(found, key=lambda each: (each.record.source, each.record.id))

    def sale_of(self, trip_id: str) -> Sale | None:
        """Find what the connector itself knows of a shopping trip."""
        return self._sales([trip_key(trip_id)]).get(trip_key(trip_id))

    def pairs_after(self, place: bytes, limit: int) -> list[Pair]:
        """List the trips with a sale or an order, from the first one after a place."""
        rows = self._execute(_PLACES, (place, limit, place, limit, limit))
        places = [bytes(key) for (key,) in rows]
        return self._pairs(places)

    def quiet_pairs(self, until: datetime, limit: int) -> list[Pair]:
        """List some trips with an order that has not changed since an instant, the oldest first."""
        return self._pairs(self.removed.quiet_places(until, limit))

    def _pairs(self, places: Sequence[bytes]) -> list[Pair]:
        sales, orders, removed = self._sales(places), self._orders(places), self.removed.among(places)
        return [Pair(each, sales.get(each), orders.get(each), each in removed) for each in places]

    def keep_letter(self, letter: DeadLetter) -> None:
        """Keep a dead letter; a repeated one counts, and gets the new reason."""
        self._execute(
            f"INSERT INTO dead_letter ({_LETTER}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE"  # noqa: S608 - our own words, as below
            " SET reason=excluded.reason, times=dead_letter.times+1",
            (*letter[:4], to_ms(letter.first_at), letter.times),
        )

    def find_letter(self, letter_id: str) -> DeadLetter | None:
        """Find a dead letter."""
        return next(iter(self._letters("WHERE id=?", (letter_id,))), None)

    def letters(self, limit: int) -> list[DeadLetter]:
        """List dead letters, the oldest first."""
        return self._letters("ORDER BY first_at, id LIMIT ?", (limit,))

    def drop_letter(self, letter_id: str) -> None:
        """Delete a dead letter."""
        self._execute("DELETE FROM dead_letter WHERE id=?", (letter_id,))

    def count_letters(self) -> int:
        """Count the dead letters."""
        return int(self._execute("SELECT count(*) FROM dead_letter", ()).fetchone()[0])

    def _letters(self, condition: str, values: tuple[Any, ...]) -> list[DeadLetter]:
        rows = self._execute(f"SELECT {_LETTER} FROM dead_letter {condition}", values)  # noqa: S608
        return [DeadLetter._make((*row[:4], from_ms(row[4]), row[5])) for row in rows]

    def _stored(self, column: str, keys: Iterable[bytes]) -> dict[bytes, StoredRecord]:
        rows = self._by_keys(f"SELECT key, {_RECORD} FROM feed_record WHERE {column}", keys)  # noqa: S608
        return {bytes(row[0]): _stored_record(row[1:]) for row in rows}

    def _orders(self, keys: Iterable[bytes]) -> dict[bytes, BookedOrder]:
        rows = self._by_keys(f"SELECT key, {_ORDER} FROM feed_order WHERE key", keys)  # noqa: S608
        return {bytes(row[0]): _order(row[1:]) for row in rows}

    def _sales(self, keys: Iterable[bytes]) -> dict[bytes, Sale]:
        """Find sales with their money: what their charges collected, less what was returned."""
        rows = self._by_keys(f"SELECT {_SALE} FROM purchase WHERE key", keys)  # noqa: S608
        sales = {row[1]: Sale(row[1], row[2], row[3], row[4], from_ms(row[5])) for row in rows}
        if not sales:
            return {}
        among = f"trip_id IN ({', '.join('?' * len(sales))})"
        for charge in self._charges.read(among, tuple(sales)):
            sale = sales[charge.trip_id]
            sales[charge.trip_id] = sale._replace(
                captured=charge.collected, currency=charge.currency, is_amazons=bool(charge.amazon_store)
            )
        for refund in self._transfers.read(f"kind='refund' AND state='done' AND {among}", tuple(sales)):
            sale = sales[refund.trip_id]
            sales[refund.trip_id] = sale._replace(refunded=sale.refunded + refund.amount)
        return {trip_key(trip_id): sale for trip_id, sale in sales.items()}

    def _by_keys(self, query: str, keys: Iterable[bytes]) -> list[Any]:
        wanted = tuple(sorted(keys))
        return list(self._execute(f"{query} IN ({', '.join('?' * len(wanted))})", wanted)) if wanted else []


def _key(record: FeedRecord) -> bytes:
    return digest(f"{record.source}\0{record.id}")


def _record_row(key: bytes, stored: StoredRecord) -> tuple[Any, ...]:
    record, files, is_contradicted = stored
    facts = orjson.dumps(record.facts, option=orjson.OPT_SORT_KEYS).decode()
    written = (*record[:5], to_ms(record.at), facts, _list(files), int(is_contradicted))
    return key, trip_key(record.trip_id), *written


def _stored_record(row: Sequence[Any]) -> StoredRecord:
    record = FeedRecord._make((*row[:5], from_ms(row[5]), orjson.loads(row[6])))
    return StoredRecord(record, _texts(row[7]), bool(row[8]))


def _order_row(key: bytes, order: BookedOrder) -> tuple[Any, ...]:
    values: dict[str, Any] = order._asdict()
    values["ordered_at"] = to_ms(values["ordered_at"])
    values["files"] = _list(order.files)
    for name in ("captured", "refunded", "event_captured", "event_refunded"):
        values[name] = int(values[name].scaleb(2))
    for name in ("is_cancelled", "in_events"):
        values[name] = int(values[name])
    return key, *values.values()


def _order(row: Sequence[Any]) -> BookedOrder:
    order = BookedOrder._make(row)
    return order._replace(
        ordered_at=from_ms(row[3]),
        captured=_amount(order.captured),
        refunded=_amount(order.refunded),
        is_cancelled=bool(order.is_cancelled),
        in_events=bool(order.in_events),
        event_captured=_amount(order.event_captured),
        event_refunded=_amount(order.event_refunded),
        files=_texts(row[15]),
    )


def _amount(cents: Any) -> Decimal:  # noqa: ANN401 - a column
    return Decimal(int(cents)).scaleb(-2)


def _list(texts: Sequence[str]) -> str:
    return orjson.dumps(texts).decode() if texts else ""


def _texts(text: str) -> tuple[str, ...]:
    return tuple(orjson.loads(text)) if text else ()
