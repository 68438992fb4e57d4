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
    seq INTEGER PRIMARY KEY, store TEXT NOT NULL, sku TEXT NOT NULL, body BLOB NOT NULL, archived INTEGER NOT NULL,
    planogram INTEGER NOT NULL, UNIQUE (store, sku));
CREATE TABLE IF NOT EXISTS report (ingestion TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""
_ITEM = """
INSERT INTO item (store, sku, body, archived, planogram) VALUES (?, ?, ?, ?, ?) ON CONFLICT (store, sku) DO UPDATE
SET body = excluded.body, archived = excluded.archived, planogram = excluded.planogram"""
_REPORT = "INSERT OR REPLACE INTO report (ingestion, body) VALUES (?, ?)"
_BATCH = 50_000


class Row(NamedTuple):
    """One item of one store, as JSON, and its state."""

    store: str
    sku: str
    body: bytes
    archived: bool
    planogram: bool


class CatalogFile:
    """Reads and writes rows; everything blocks, and so is done in a thread."""

    def __init__(self, ledger: Ledger | None = None) -> None:
        self._ledger = ledger if ledger and ledger.is_file else None

    def rows(self) -> Iterable[Row]:
        """Read every row, in the order in which they came first."""
        after = 0
        while self._ledger:
            found = self._ledger.read_now("SELECT * FROM item WHERE seq > ? ORDER BY seq LIMIT ?", after, _BATCH)
            yield from (Row(one[1], one[2], one[3], bool(one[4]), bool(one[5])) for one in found)
            if len(found) < _BATCH:
                return
            after = found[-1]["seq"]

    def keep(self, rows: Iterable[Row], report: dict[str, Any] | None = None) -> None:
        """Write what changed, and the report that tells of it."""
        if self._ledger:
            statements: list[Statement] = [(_ITEM, row) for row in rows]
            if report:
                statements.append((_REPORT, (report["ingestionId"], orjson.dumps(report))))
            if statements:
                self._ledger.put_now(*statements)

    def report(self, ingestion_id: str) -> dict[str, Any] | None:
        """Return the report of an ingestion whose work was done before the platform stopped."""
        found = self._ledger.read_now("SELECT * FROM report WHERE ingestion = ?", ingestion_id) if self._ledger else []
        return dict(orjson.loads(found[0]["body"])) if found else None

    def published(self, ingestion_id: str) -> None:
        """Forget a report that others keep now."""
        if self._ledger:
            self._ledger.put_now(("DELETE FROM report WHERE ingestion = ?", (ingestion_id,)))
