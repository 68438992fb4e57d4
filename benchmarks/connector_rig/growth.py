"""The cost of a claim while the store grows: the same writer as the connector's, filled by its own works."""

from __future__ import annotations

import argparse
import asyncio
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from reference_connector.idempotency import Answer, Claim, answer_once, fingerprint
from reference_connector.store import Records
from reference_connector.store.sqlite import SqliteStore

_BODY = b'{"purchaseId":"11111111-2222-3333-4444-555555555555"}'
_NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
_MARK = fingerprint({"any": "cart"})
_BATCH, _SAMPLE = 64, 4000


def _claim() -> Claim:
    return Claim("order", str(uuid.uuid4()), _MARK, _NOW, None, (201,))


def _decide(_records: Records) -> Answer:
    return Answer(201, _BODY)


def curve(folder: Path, given: argparse.Namespace, console: Console) -> None:
    """Fill a store step by step, and measure claims at each step, in batches as a busy connector makes them."""
    steps = [1_000, 10_000, 100_000, 1_000_000] + ([10_000_000] if given.full else [])
    table = Table("stored trips", "us a claim", "CPU us a claim", "file MiB")
    store = SqliteStore(folder / "growth.sqlite3", batch_max=_BATCH)
    store.open()
    stored = 0
    for step in steps:
        asyncio.run(_fill(store, step - stored))
        wall, cpu = asyncio.run(_measure(store))
        stored = step + _SAMPLE
        size = sum(file.stat().st_size for file in folder.glob("growth.sqlite3*")) / 2**20
        table.add_row(f"{step:,}", f"{wall:.1f}", f"{cpu:.1f}", f"{size:,.0f}")
    store.close()
    console.print(table)


async def _fill(store: SqliteStore, count: int) -> None:
    for start in range(0, max(0, count), 20_000):
        size = min(20_000, count - start)
        await store.transact(lambda records, size=size: [answer_once(records, _claim(), _decide) for _ in range(size)])  # type: ignore[misc] # bound at once


async def _measure(store: SqliteStore) -> tuple[float, float]:
    claims = [_claim() for _ in range(_SAMPLE)]
    wall, cpu = time.perf_counter(), time.process_time()
    for start in range(0, _SAMPLE, _BATCH):
        batch = claims[start : start + _BATCH]
        await asyncio.gather(
            *(store.transact(lambda records, claim=claim: answer_once(records, claim, _decide)) for claim in batch)  # type: ignore[misc] # bound at once
        )
    return (time.perf_counter() - wall) / _SAMPLE * 1e6, (time.process_time() - cpu) / _SAMPLE * 1e6
