"""SQLite's log: a thread copies it into the database, and it starts again at its beginning."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jwo_toolkit import wal_checkpoints
from reference_connector.accelerated import checkpoints
from reference_connector.store import IssuedCode
from reference_connector.store.sqlite import SqliteStore

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)


def test_log_restarts_during_commits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The thread reports a long log and copies nothing, so that the writer copies all of it."""

    def pretend(_of_the_thread: sqlite3.Connection) -> tuple[int, int]:
        return wal_checkpoints.LONG_LOG_PAGES, 0

    monkeypatch.setattr(wal_checkpoints, "write_back", pretend)
    monkeypatch.setattr(checkpoints, "_PAUSE_S", 0.005)
    store, log = _a_store(tmp_path / "store.sqlite3"), tmp_path / "store.sqlite3-wal"

    async def commits_until_the_log_is_new(most: int) -> int:
        await store.transact(lambda records: records.save_code(IssuedCode("0", "ada", NOW)))
        first, count = _salt(log), 1
        while _salt(log) == first and count < most:
            await store.transact(lambda records, token=f"{count}": records.save_code(IssuedCode(token, "ada", NOW)))  # type: ignore[misc] # bound at once
            count += 1
        return count

    store.open()
    count = asyncio.run(commits_until_the_log_is_new(2000))
    store.close()

    assert count < 2000, "at 16,000 pages, of two a commit, SQLite would see to it itself"


def _a_store(path: Path) -> SqliteStore:
    return SqliteStore(path, checkpoints=checkpoints.ThreadedCheckpoints(path))


def _salt(log: Path) -> bytes:
    """Return the part of the log's header that SQLite changes when the log starts again."""
    with log.open("rb") as file:
        return file.read(24)[16:]
