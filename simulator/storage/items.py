"""The storage of the catalog: a row for each item, and the reports that are not yet published.

The changes of an ingestion and its report are one transaction, so a kill between them neither repeats the work nor
loses it. Without a database file, nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from simulator.storage.database import Database, Statement

TABLES = """
CREATE TABLE IF NOT EXISTS item (
    seq INTEGER PRIMARY KEY, store TEXT NOT NULL, sku TEXT NOT NULL, body BLOB NOT NULL, barcodes TEXT NOT NULL,
    archived INTEGER NOT NULL DEFAULT 0, planogram INTEGER NOT NULL DEFAULT 0, UNIQUE (store, sku));
CREATE TABLE IF NOT EXISTS report (ingestion TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""
_ITEM = """
INSERT INTO item (store, sku, body, barcodes) VALUES (?, ?, ?, ?) ON CONFLICT (store, sku) DO UPDATE
SET body = excluded.body, barcodes = excluded.barcodes, archived = 0"""
_STATE = "UPDATE item SET archived = ?, planogram = ? WHERE store = ? AND sku = ?"
_ITEMS = "SELECT seq, store, sku, body, barcodes, archived, planogram FROM item WHERE seq > ? ORDER BY seq LIMIT ?"
_ADD_REPORT = "INSERT OR REPLACE INTO report (ingestion, body) VALUES (?, ?)"
_REPORT = "SELECT body FROM report WHERE ingestion = ?"
_DELETE_REPORT = "DELETE FROM report WHERE ingestion = ?"
_BATCH, _BETWEEN = 50_000, "\n"


class Changes:
    """The changes of one ingestion, collected for one transaction."""

    def __init__(self, *, written: bool) -> None:
        self.statements: list[Statement] = []
        self._written = written

    def item(self, store: str, sku: str, body: bytes, barcodes: Iterable[str]) -> None:
        """Add an inserted or replaced item, which is active: its JSON and its barcodes."""
        if self._written:
            self.statements.append((_ITEM, (store, sku, body, _BETWEEN.join(barcodes))))

    def state(self, store: str, sku: str, *, archived: bool, planogram: bool) -> None:
        """Add a change of an item's state."""
        if self._written:
            self.statements.append((_STATE, (archived, planogram, store, sku)))

    def report(self, report: dict[str, Any]) -> None:
        """Add the report of the ingestion."""
        if self._written:
            self.statements.append((_ADD_REPORT, (report["ingestionId"], orjson.dumps(report))))


class ItemRow(NamedTuple):
    """One item of one store, as JSON, and its state."""

    store: str
    sku: str
    body: bytes
    barcodes: list[str]
    archived: int
    planogram: int


class ItemStorage:
    """Reads and writes items; every method blocks, so callers use a thread."""

    def __init__(self, database: Database | None = None) -> None:
        self._database = database if database and database.is_file else None

    def rows(self) -> Iterable[ItemRow]:
        """Read every item, in the order of first insertion."""
        after = 0
        while self._database:
            found = self._database.read_now(_ITEMS, after, _BATCH)
            for after, store, sku, body, barcodes, archived, planogram in found:  # noqa: B007 - used by the next query
                yield ItemRow(store, sku, body, barcodes.split(_BETWEEN), archived, planogram)
            if len(found) < _BATCH:
                return

    def changes(self) -> Changes:
        """Start to collect changes."""
        return Changes(written=self._database is not None)

    def write(self, changes: Changes) -> None:
        """Write all changes in one transaction."""
        if self._database and changes.statements:
            self._database.write_now(*changes.statements)

    def report(self, ingestion_id: str) -> dict[str, Any] | None:
        """Return the unpublished report of an ingestion that a run of the platform finished, or None."""
        found = self._database.read_now(_REPORT, ingestion_id) if self._database else []
        return dict(orjson.loads(found[0]["body"])) if found else None

    def delete_report(self, ingestion_id: str) -> None:
        """Delete a report that is published."""
        if self._database:
            self._database.write_now((_DELETE_REPORT, (ingestion_id,)))
