"""The cost of a claim while the store grows: the connector's own store, filled in bulk, and measured at each step."""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from connector_rig.aims import Aim, below
from connector_rig.bodies import a_uuid
from reference_connector.store import Purchase, Sale
from reference_connector.store.sqlite import SqliteStore

_STEPS = (1_000, 10_000, 100_000, 1_000_000)
_FULL_STEPS = (*_STEPS, 10_000_000)
_NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
_RECEIPT = b'{"lines":[%s]}' % b",".join([b'{"sku":"BENCH-0001","quantity":"1.0","total":"1.00"}'] * 10)
_BATCH, _SAMPLE, _SAMPLES, _CHUNK = 64, 3200, 7, 1_000_000
_MOST_GROWTH = 1.25
_FILL = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO purchase
  (key, trip_id, purchase_id, store_id, shopper_id, status, payer, receipt, cart, fingerprint, made_at)
SELECT randomblob(16) AS key, 'filled', '', 'STORE-001', '', 'priced', 'platform', x'7b7d', x'5b5d', x'00', 0
FROM n ORDER BY key"""


def curve(folder: Path, given: argparse.Namespace, console: Console) -> list[Aim]:
    """Fill a store step by step, and measure sales at each step, in batches as a busy connector makes them."""
    table = Table("stored trips", "us a sale", "CPU us a sale", "file MiB")
    path, costs = folder / "growth.sqlite3", []
    store = SqliteStore(path, batch_max=_BATCH)
    store.open()
    for step in _FULL_STEPS if given.full else _STEPS:
        _fill_up_to(path, step)
        wall, cpu = (
            min(figures) for figures in zip(*(asyncio.run(_measure(store)) for _ in range(_SAMPLES)), strict=True)
        )
        costs.append(cpu)
        table.add_row(f"{step:,}", f"{wall:.1f}", f"{cpu:.1f}", f"{path.stat().st_size / 2**20:,.0f}")
    store.close()
    console.print(table)
    return [below("a sale's CPU at the last step, as a multiple of the first", _MOST_GROWTH, costs[-1] / costs[0])]


def _fill_up_to(path: Path, count: int) -> None:
    """Add rows until there are so many; durable or not does not matter for these."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("PRAGMA cache_size=-200000")
    (stored,) = database.execute("SELECT count(*) FROM purchase").fetchone()
    while stored < count:
        size = min(_CHUNK, count - stored)
        database.execute(_FILL, (size,))
        stored += size
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    os.sync()


async def _measure(store: SqliteStore) -> tuple[float, float]:
    sales = [_a_sale() for _ in range(_SAMPLE)]
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, _SAMPLE, _BATCH):
        await asyncio.gather(*(store.keep_sale(sale) for sale in sales[start : start + _BATCH]))
    return (time.perf_counter() - wall) / _SAMPLE * 1e6, (time.process_time() - cpu) / _SAMPLE * 1e6


def _a_sale() -> Sale:
    who = a_uuid(), a_uuid(), "STORE-001", ""
    return Sale(Purchase(*who, "priced", "platform", _RECEIPT, b"[]", bytes(16), _NOW), None)
