"""The catalog's own SQLite file: a row for each item, and the reports that are made and not yet published.

What an ingestion changed and its report are one transaction, so that a platform that is killed in between neither does
the work twice nor forgets that it was done. Without a file nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import orjson

from simulator.ledger import Ledger, Statement

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
_ROWS = "SELECT seq, store, sku, body, barcodes, archived, planogram FROM item WHERE seq > ? ORDER BY seq LIMIT ?"
_REPORT = "INSERT OR REPLACE INTO report (ingestion, body) VALUES (?, ?)"
_BATCH, _BETWEEN = 50_000, "\n"


class Changes:
    """What came of an ingestion, to be written where there is a file; items come as JSON, with their barcodes."""

    def __init__(self, *, written: bool) -> None:
        self.statements: list[Statement] = []
        self._written = written

    def item(self, store: str, sku: str, body: bytes, barcodes: Iterable[str]) -> None:
        """Add an item that was inserted or replaced, and so is active."""
        if self._written:
            self.statements.append((_ITEM, (store, sku, body, _BETWEEN.join(barcodes))))

    def state(self, store: str, sku: str, *, archived: bool, planogram: bool) -> None:
        """Add an item whose state is another."""
        if self._written:
            self.statements.append((_STATE, (archived, planogram, store, sku)))

    def report(self, report: dict[str, Any]) -> None:
        """Add the report that tells of all this."""
        if self._written:
            self.statements.append((_REPORT, (report["ingestionId"], orjson.dumps(report))))


class Row(NamedTuple):
    """One item of one store, as JSON, and its state."""

    store: str
    sku: str
    body: bytes
    barcodes: list[str]
    archived: int
    planogram: int


class CatalogFile:
    """Reads and writes rows; everything blocks, and so is done in a thread."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger if ledger and ledger.is_file else None

    def rows(self) -> Iterable[Row]:
        """Read every row, in the order in which they came first."""
        after = 0
        while self._ledger:
            found = self._ledger.read_now(_ROWS, after, _BATCH)
            for after, store, sku, body, barcodes, archived, planogram in found:  # noqa: B007 - used by the next query
                yield Row(store, sku, body, barcodes.split(_BETWEEN), archived, planogram)
            if len(found) < _BATCH:
                return

    def changes(self) -> Changes:
        """Begin to collect what changes."""
        return Changes(written=self._ledger is not None)

    def keep(self, changes: Changes) -> None:
        """Write what changed, all or nothing."""
        if self._ledger and changes.statements:
            self._ledger.put_now(*changes.statements)

    def report(self, ingestion_id: str) -> dict[str, Any] | None:
        """Return the report of an ingestion whose work was done before the platform stopped."""
        found = self._ledger.read_now("SELECT * FROM report WHERE ingestion = ?", ingestion_id) if self._ledger else []
        return dict(orjson.loads(found[0]["body"])) if found else None

    def published(self, ingestion_id: str) -> None:
        """Forget a report that others keep now."""
        if self._ledger:
            self._ledger.put_now(("DELETE FROM report WHERE ingestion = ?", (ingestion_id,)))
