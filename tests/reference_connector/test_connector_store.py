"""The SQLite store: one transaction a work, errors undone alone, nothing lost that was promised."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from reference_connector.errors import StoreNotOpen, StoreUnavailable
from reference_connector.store import IssuedCode, Recorded, Records
from reference_connector.store.sqlite import SqliteStore

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    store.open()
    yield store
    store.close()


def _keep(token: str) -> IssuedCode:
    return IssuedCode(token, "ada", NOW)


def test_a_work_that_fails_is_undone_and_its_neighbours_in_the_batch_are_not(store: SqliteStore) -> None:
    gate = threading.Event()

    def hold(_records: Records) -> None:
        gate.wait(10)

    def fail(records: Records) -> None:
        records.save_code(_keep("undone"))
        raise RuntimeError("on purpose")

    async def run() -> tuple[object, ...]:
        tasks = [asyncio.create_task(store.transact(hold))]
        await asyncio.sleep(0)
        tasks += [
            asyncio.create_task(store.transact(lambda records: records.save_code(_keep("one")))),
            asyncio.create_task(store.transact(fail)),
            asyncio.create_task(store.transact(lambda records: records.save_code(_keep("two")))),
        ]
        await asyncio.sleep(0)
        gate.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        found = [
            await store.transact(lambda records, token=token: records.find_code(token))  # type: ignore[misc] # bound at once
            for token in ("one", "undone", "two")
        ]
        return (*results, *found)

    _, one, failed, two, *found = asyncio.run(run())
    assert (one, two, type(failed)) == (None, None, RuntimeError)
    assert found == [_keep("one"), None, _keep("two")]


def test_what_was_promised_is_on_file_before_the_store_closes(store: SqliteStore, path: Path) -> None:
    asyncio.run(store.transact(lambda records: records.save_code(_keep("kept"))))
    other = sqlite3.connect(path)
    assert other.execute("SELECT token FROM code").fetchall() == [("kept",)]
    other.close()


def test_the_file_is_written_in_wal_mode_with_full_sync(store: SqliteStore, path: Path) -> None:
    def modes(records: Records) -> tuple[str, int]:
        database: sqlite3.Connection = records._database  # type: ignore[attr-defined] # noqa: SLF001 - the pragma is the connection's
        return tuple(database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous"))  # type: ignore[return-value] # two of them

    assert path.exists()
    assert asyncio.run(store.transact(modes)) == ("wal", 2)


def test_closing_commits_what_waits(path: Path) -> None:
    store = SqliteStore(path)
    store.open()

    async def run() -> list[None]:
        tasks = [
            asyncio.create_task(store.transact(lambda records, n=n: records.save_code(_keep(f"t{n}"))))  # type: ignore[misc] # bound at once
            for n in range(500)
        ]
        await asyncio.sleep(0)
        store.close()
        return await asyncio.gather(*tasks)

    assert len(asyncio.run(run())) == 500
    database = sqlite3.connect(path)
    assert database.execute("SELECT count(*) FROM code").fetchone() == (500,)
    database.close()


def test_before_the_start_and_after_the_end_nothing_is_taken(path: Path) -> None:
    store = SqliteStore(path)
    with pytest.raises(StoreNotOpen):
        asyncio.run(store.transact(lambda records: records.find_code("any")))
    store.open()
    store.close()
    store.close()
    with pytest.raises(StoreNotOpen):
        asyncio.run(store.transact(lambda records: records.find_code("any")))


def test_a_file_that_another_writer_holds_too_long_gives_an_error_and_recovers(path: Path) -> None:
    store = SqliteStore(path, busy_timeout_s=0.05)
    store.open()
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        asyncio.run(store.transact(lambda records: records.save_code(_keep("one"))))
    blocker.execute("ROLLBACK")
    blocker.close()
    asyncio.run(store.transact(lambda records: records.save_code(_keep("one"))))
    store.close()


def test_works_of_two_stores_on_one_file_never_overlap(store: SqliteStore, path: Path) -> None:
    other = SqliteStore(path)
    other.open()
    reading, overlapped = threading.Event(), threading.Event()

    def first(records: Records) -> bool:
        found = records.find_code("one")
        reading.set()
        overlapping = overlapped.wait(0.2)
        records.save_code(_keep("one"))
        return overlapping or found is not None

    def second(records: Records) -> IssuedCode | None:
        overlapped.set()
        return records.find_code("one")

    async def run() -> tuple[bool, IssuedCode | None]:
        task = asyncio.create_task(store.transact(first))
        assert await asyncio.to_thread(reading.wait, 10)
        found = await other.transact(second)
        return await task, found

    assert asyncio.run(run()) == (False, _keep("one"))
    other.close()


def test_answers_whose_time_is_over_are_deleted_in_the_end(store: SqliteStore, path: Path) -> None:
    def save(records: Records) -> None:
        for number in range(5):
            at = NOW + timedelta(hours=number)
            records.save_answer("identity", str(number), Recorded(200, b"{}", ""), now=at, forget_at=at)
        records.save_answer("order", "trip", Recorded(201, b"{}", ""), now=NOW, forget_at=None)

    asyncio.run(store.transact(save))
    database = sqlite3.connect(path)
    assert database.execute("SELECT key FROM answer ORDER BY key").fetchall() == [("4",), ("trip",)]
    database.close()


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot open"):
        SqliteStore(tmp_path / "no" / "such.sqlite3").open()


def test_a_file_of_another_version_is_refused(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()
    with pytest.raises(StoreUnavailable, match="version 99"):
        SqliteStore(path).open()
