"""Measures the cost of a claim while the store grows: fills the connector's store in bulk, step by step."""

from __future__ import annotations

import argparse
import asyncio
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from connector_rig.aims import Aim
from connector_rig.bodies import a_uuid
from reference_connector.accelerated.checkpoints import ThreadedCheckpoints
from reference_connector.store import Purchase, RecordSale, RememberAnswer
from reference_connector.store.sqlite import SqliteStore

T = TypeVar("T")
_ANSWER = b'{"visitorDetails":{"id":"shopper-uuid-001","type":"SHOPPER"}}'
_STEPS = (1_000, 10_000, 100_000, 1_000_000)
_FULL_STEPS = (*_STEPS, 10_000_000)
_NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
_RECEIPT = b'{"lines":[%s]}' % b",".join([b'{"sku":"BENCH-0001","quantity":"1.0","total":"1.00"}'] * 10)
_BATCH, _SAMPLE, _SAMPLES, _CHUNK = 64, 3200, 7, 1_000_000
_FILLS = {
    "purchase": """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO purchase
  (key, trip_id, purchase_id, store_id, shopper_id, status, payer, receipt, cart, fingerprint, made_at)
SELECT randomblob(16) AS key, 'filled', '', 'STORE-001', '', 'priced', 'platform', x'7b7d', x'5b5d', x'00', 0
FROM n ORDER BY key""",
    "answer": """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
INSERT INTO answer (key, status, body, fingerprint, owner, lease_until, forget_at)
SELECT randomblob(16) AS key, 200, x'7b7d', x'00', '', NULL, 4000000000000 + i FROM n ORDER BY key""",
}


def curve(folder: Path, given: argparse.Namespace, console: Console) -> list[Aim]:
    """Fill a store step by step, and measure both claims at each step, in batches like those of a busy connector.

    The growth has no aim. Each claim changes a random page of the key's index. The more pages there are, the fewer of
    them change twice between two commits.
    """
    table = Table("stored, of each", "us a sale", "CPU us a sale", "us an answer", "CPU us an answer", "file MiB")
    path, costs = folder / "growth.sqlite3", list[tuple[float, float]]()
    store = SqliteStore(path, batch_max=_BATCH, checkpoints=ThreadedCheckpoints(path))
    store.open()
    for step in _FULL_STEPS if given.full else _STEPS:
        _fill_up_to(path, step)
        sale, sale_cpu = _best(store.insert_sale_if_absent, _a_sale)
        answer, answer_cpu = _best(store.insert_answer_if_absent, _an_answer)
        costs.append((sale_cpu, answer_cpu))
        figures = (f"{figure:.1f}" for figure in (sale, sale_cpu, answer, answer_cpu))
        table.add_row(f"{step:,}", *figures, f"{path.stat().st_size / 2**20:,.0f}")
    store.close()
    console.print(table)
    for name, first, last in zip(("a sale", "an identity answer"), costs[0], costs[-1], strict=True):
        console.print(f"the CPU of {name} at the last step is {last / first:.2f} times that of the first")
    return []


def _fill_up_to(path: Path, count: int) -> None:
    """Add rows until each table has `count` rows; these rows need no durability."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("PRAGMA cache_size=-200000")
    for table, fill in _FILLS.items():
        (stored,) = database.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - a table name of this module
        while stored < count:
            size = min(_CHUNK, count - stored)
            database.execute(fill, (size,))
            stored += size
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    os.sync()


def _best(keep: Callable[[T], Awaitable[object]], make: Callable[[], T]) -> tuple[float, float]:
    """Return the least wall and the least CPU microseconds of the samples, which other processes disturbed least."""
    walls, cpus = zip(*(asyncio.run(_measure(keep, make)) for _ in range(_SAMPLES)), strict=True)
    return min(walls), min(cpus)


async def _measure(keep: Callable[[T], Awaitable[object]], make: Callable[[], T]) -> tuple[float, float]:
    entries = [make() for _ in range(_SAMPLE)]
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, _SAMPLE, _BATCH):
        await asyncio.gather(*(keep(entry) for entry in entries[start : start + _BATCH]))
    return (time.perf_counter() - wall) / _SAMPLE * 1e6, (time.process_time() - cpu) / _SAMPLE * 1e6


def _a_sale() -> RecordSale:
    who = a_uuid(), a_uuid(), "STORE-001", ""
    return RecordSale(Purchase(*who, "priced", "platform", _RECEIPT, b"[]", bytes(16), _NOW), None)


def _an_answer() -> RememberAnswer:
    return RememberAnswer("identity", a_uuid(), bytes(16), _NOW, _NOW + timedelta(days=1), 200, _ANSWER)
