"""SQLite's write-ahead log is written back beside the commits, when it is due; the writer does so only when asked."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from jwo_toolkit import wal_checkpoints
from jwo_toolkit.wal_checkpoints import LONG_LOG_PAGES, WalCheckpoints, write_back


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.sqlite3"


@pytest.fixture
def writer(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that writes nothing back within a commit."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("PRAGMA wal_autocheckpoint=0")
        database.execute("CREATE TABLE row (value BLOB)")
        yield database


@pytest.fixture
def start(path: Path) -> Iterator[Callable[..., WalCheckpoints]]:
    started: list[WalCheckpoints] = []

    def make(**rules: Any) -> WalCheckpoints:
        checkpoints = WalCheckpoints(rules.pop("path", path), synchronous="NORMAL", **rules)
        checkpoints.start()
        started.append(checkpoints)
        return checkpoints

    yield make
    for checkpoints in started:
        checkpoints.stop()


def insert(writer: sqlite3.Connection) -> None:
    writer.execute("INSERT INTO row VALUES (randomblob(20000))")


def waits_until(is_so: Callable[[], bool], within_s: float = 10) -> bool:
    end = time.monotonic() + within_s
    while not is_so() and time.monotonic() < end:
        time.sleep(0.005)
    return is_so()


def test_the_log_is_written_back_after_a_commit(path: Path, writer: sqlite3.Connection, start: Any) -> None:
    checkpoints, before = start(), path.stat().st_size
    insert(writer)
    checkpoints.note_commit()
    assert waits_until(lambda: path.stat().st_size > before)


def test_nothing_is_written_back_until_enough_changes_are_committed(
    path: Path, writer: sqlite3.Connection, start: Any
) -> None:
    checkpoints, before = start(due_after=10), path.stat().st_size
    for changes in (4, 5):
        insert(writer)
        checkpoints.note_commit(changes)
    assert not waits_until(lambda: path.stat().st_size > before, within_s=0.2)
    checkpoints.note_commit(1)
    assert waits_until(lambda: path.stat().st_size > before)


def test_commits_within_the_pause_share_a_checkpoint(
    writer: sqlite3.Connection, start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def counted(database: sqlite3.Connection) -> tuple[int, int]:
        pages, left = write_back(database)
        done.append(pages)
        return pages, left

    monkeypatch.setattr(wal_checkpoints, "write_back", counted)
    checkpoints = start(pause_s=0.5)
    for _ in range(5):
        insert(writer)
        checkpoints.note_commit()
    assert waits_until(lambda: bool(done))
    (pages,) = done
    assert pages > 5 * 4, "each row is longer than four pages"


def test_the_writer_is_asked_once_when_a_long_log_is_nearly_written_back(
    start: Any, monkeypatch: pytest.MonkeyPatch, writer: sqlite3.Connection
) -> None:
    found = iter([(LONG_LOG_PAGES, 90), (LONG_LOG_PAGES + 90, 0)])
    looked = threading.Semaphore(0)

    def pretended(_database: sqlite3.Connection) -> tuple[int, int]:
        looked.release()
        return next(found, (0, 0))

    monkeypatch.setattr(wal_checkpoints, "write_back", pretended)
    checkpoints = start()
    insert(writer)
    asked = checkpoints.note_commit()
    assert not asked
    assert all(looked.acquire(timeout=10) for _ in range(2))
    checkpoints.stop()
    assert [checkpoints.note_commit(), checkpoints.note_commit()] == [True, False]


def test_an_error_is_reported_and_the_next_checkpoint_tries_again(tmp_path: Path, start: Any) -> None:
    folder, errors = tmp_path / "later", list[sqlite3.Error]()
    checkpoints = start(path=folder / "rows.sqlite3", on_error=errors.append)
    checkpoints.note_commit()
    assert waits_until(lambda: bool(errors))
    folder.mkdir()
    checkpoints.note_commit()
    assert waits_until((folder / "rows.sqlite3").exists)
    assert len(errors) == 1


def test_checkpoints_that_were_stopped_start_again(path: Path, writer: sqlite3.Connection, start: Any) -> None:
    checkpoints = start()
    checkpoints.stop()
    checkpoints.start()
    before = path.stat().st_size
    insert(writer)
    checkpoints.note_commit()
    assert waits_until(lambda: path.stat().st_size > before)
