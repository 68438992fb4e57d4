"""The stores, SQLite in both forms and PostgreSQL: transactions of units of work, and no lost record."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reference_connector.accelerated.checkpoints import ThreadedCheckpoints
from reference_connector.accelerated.waiter import DirectWaiter
from reference_connector.errors import StoreNotOpen, StoreUnavailable
from reference_connector.store import (
    Charge,
    IssuedCode,
    Purchase,
    Records,
    RecordSale,
    RememberAnswer,
    RememberedAnswer,
)
from reference_connector.store.group_commit import GroupCommitStore
from reference_connector.store.leased import AUTHORISATIONS, CHARGES, TRANSFERS, LeasedRows
from reference_connector.store.postgres import PostgresStore
from reference_connector.store.sqlite import SqliteStore

Make = Callable[..., GroupCommitStore]
_MODES = ("journal_mode", "synchronous")
NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
_NAMES = ("one", "refused", "two")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.sqlite3"


@pytest.fixture(params=["sqlite", "accelerated", "postgres"])
def make(request: pytest.FixtureRequest, path: Path) -> Make:
    """Make stores on one database: SQLite in both forms, and PostgreSQL."""
    if request.param == "sqlite":
        return partial(SqliteStore, path)
    if request.param == "postgres":
        return partial(PostgresStore, request.getfixturevalue("postgres_url"))

    def accelerated(**rules: Any) -> SqliteStore:
        return SqliteStore(path, new_waiter=DirectWaiter, checkpoints=ThreadedCheckpoints(path), **rules)

    return accelerated


@pytest.fixture
def store(make: Make) -> Iterator[GroupCommitStore]:
    store = make()
    store.open()
    yield store
    store.close()


def _keep(token: str) -> IssuedCode:
    return IssuedCode(token, "ada", NOW)


def test_failed_work_is_undone_alone(store: GroupCommitStore) -> None:
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


def test_sale_that_the_database_refuses_fails_alone(store: GroupCommitStore) -> None:
    async def run() -> list[object]:
        amounts = (Decimal("1.50"), Decimal(10) ** 20, Decimal("2.50"))  # the second is too large for its column
        sales = [
            RecordSale(_a_purchase(f"trip-{number}"), _a_charge(f"trip-{number}", amount=amount))
            for number, amount in enumerate(amounts)
        ]
        first = [asyncio.create_task(store.insert_sale_if_absent(sale)) for sale in sales]
        return await asyncio.gather(
            *first, store.insert_answer_if_absent(_answer_of("event", b"")), return_exceptions=True
        )

    stored, refused, *others = asyncio.run(run())
    kept = asyncio.run(store.transact(lambda records: records.charges.in_state("pending", 9)))

    assert [stored, *others] == [None] * 3
    assert isinstance(refused, (StoreUnavailable, OverflowError))
    assert [charge.trip_id for charge in kept] == ["trip-0", "trip-2"]


def test_row_that_breaks_a_rule_of_its_table_fails_alone(store: GroupCommitStore) -> None:
    if isinstance(store, PostgresStore):
        rule = "ALTER TABLE purchase ADD CHECK (store_id <> 'refused')"
    else:
        rule = (
            "CREATE TRIGGER refuse BEFORE INSERT ON purchase WHEN NEW.store_id = 'refused'"
            " BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    asyncio.run(store.transact(lambda records: records._execute(rule, ())))  # type: ignore[attr-defined] # noqa: SLF001 - a change of the tables

    async def run() -> list[object]:
        sales = [RecordSale(_a_purchase(f"trip-{name}", store_id=name), None) for name in _NAMES]
        return await asyncio.gather(*map(store.insert_sale_if_absent, sales), return_exceptions=True)

    one, refused, two = asyncio.run(run())
    found = asyncio.run(store.transact(lambda records: [records.find_purchase(f"trip-{name}") for name in _NAMES]))

    assert (one, type(refused), two) == (None, StoreUnavailable, None)
    assert [each and each.store_id for each in found] == ["one", None, "two"]


def _sql(records: Records, statement: str) -> Any:
    return records._execute(statement, ()).fetchone()[0]  # type: ignore[attr-defined] # noqa: SLF001 - a look at the tables


def _codes(make: Make) -> int:
    other = make()
    other.open()
    count = asyncio.run(other.transact(lambda records: _sql(records, "SELECT count(*) FROM code")))
    other.close()
    return int(count)


def test_committed_record_is_visible_to_others_at_once(store: GroupCommitStore, make: Make) -> None:
    asyncio.run(store.transact(lambda records: records.save_code(_keep("kept"))))
    assert _codes(make) == 1


def test_the_file_is_written_in_wal_mode_with_full_sync(path: Path) -> None:
    store = SqliteStore(path)
    store.open()
    modes = [asyncio.run(store.transact(lambda records, name=name: _sql(records, f"PRAGMA {name}"))) for name in _MODES]  # type: ignore[misc] # bound at once
    assert modes == ["wal", 2]
    store.close()


def _answer_of(key: str, body: bytes) -> RememberAnswer:
    return RememberAnswer("identity", key, b"f", NOW, NOW + timedelta(hours=1), 200, body)


def test_first_answer_of_each_key_in_a_batch_is_stored(store: GroupCommitStore) -> None:
    async def keep(turn: bytes, keys: range) -> list[RememberedAnswer | None]:
        answers = [_answer_of(f"event-{key % 150}", b"%s %d" % (turn, key)) for key in keys]
        return await asyncio.gather(*(store.insert_answer_if_absent(answer) for answer in answers))

    async def run() -> tuple[list[RememberedAnswer | None], ...]:
        await store.transact(lambda records: records.drop_answer("identity", "event-3"))
        return await keep(b"first", range(0, 100, 2)), await keep(b"second", range(300))

    first, second = asyncio.run(run())
    assert first == [None] * 50
    bodies = [found and found.body for found in second]
    news = [key for key, body in enumerate(bodies) if body is None]
    assert news == [key for key in range(150) if key >= 100 or key % 2]
    assert all(bodies[key] == b"first %d" % key for key in range(0, 100, 2))
    assert all(bodies[key + 150] == (bodies[key] or b"second %d" % key) for key in range(150))


def test_close_commits_jobs_of_the_current_turn(make: Make) -> None:
    async def run() -> object:
        store = make()
        store.open()
        kept = asyncio.create_task(store.transact(lambda records: records.save_code(_keep("kept"))))
        await asyncio.sleep(0)
        store.close()
        with pytest.raises(StoreNotOpen):
            await store.transact(print)
        return await asyncio.wait_for(kept, 10)

    assert asyncio.run(run()) is None
    assert _codes(make) == 1


@pytest.mark.parametrize("checkpoints", [None, ThreadedCheckpoints], ids=["plain", "accelerated"])
def test_log_is_copied_into_the_database(path: Path, checkpoints: type[ThreadedCheckpoints] | None) -> None:
    store = SqliteStore(path, checkpoints=checkpoints and checkpoints(path))
    for start in (0, 2000):  # a store that is opened again does so again
        store.open()
        before = path.stat().st_size

        async def remember(start: int = start) -> None:
            for first in range(start, start + 2000, 200):
                answers = (_answer_of(f"event-{number}", b"x" * 9000) for number in range(first, first + 200))
                await asyncio.gather(*(store.insert_answer_if_absent(answer) for answer in answers))

        asyncio.run(remember())
        end = time.monotonic() + 10
        while path.stat().st_size == before and time.monotonic() < end:
            time.sleep(0.01)
        assert path.stat().st_size > before, "the log was not written back"
        store.close()


def test_close_commits_all_that_waits(make: Make) -> None:
    store = make()
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
    assert _codes(make) == 500


def test_closed_store_accepts_nothing(make: Make) -> None:
    store = make()
    with pytest.raises(StoreNotOpen):
        asyncio.run(store.transact(lambda records: records.find_code("any")))
    store.open()
    store.close()
    store.close()
    with pytest.raises(StoreNotOpen):
        asyncio.run(store.transact(lambda records: records.find_code("any")))


def test_locked_database_is_an_error_and_recovers(make: Make) -> None:
    store, other = make(busy_timeout_s=0.05), make()
    store.open()
    other.open()
    held, let_go = threading.Event(), threading.Event()

    def hold(_records: Records) -> None:
        held.set()
        let_go.wait(10)

    async def run() -> None:
        holding = asyncio.create_task(other.transact(hold))
        assert await asyncio.to_thread(held.wait, 10)
        with pytest.raises(StoreUnavailable):
            await store.transact(lambda records: records.save_code(_keep("one")))
        let_go.set()
        await holding
        await store.transact(lambda records: records.save_code(_keep("one")))

    asyncio.run(run())
    store.close()
    other.close()


def test_units_of_work_of_two_stores_never_overlap(store: GroupCommitStore, make: Make) -> None:
    other = make()
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


def test_expired_answers_are_deleted(store: GroupCommitStore) -> None:
    def save(records: Records) -> None:
        for number in range(5):
            at = NOW + timedelta(hours=number)
            records.overwrite_answer(RememberAnswer("identity", str(number), b"", at, at, 200, b"{}"))
        records.overwrite_answer(RememberAnswer("order", "trip", b"", NOW, NOW + timedelta(days=900), 201, b"{}"))

    asyncio.run(store.transact(save))
    assert asyncio.run(store.transact(lambda records: _sql(records, "SELECT count(*) FROM answer"))) == 2


def test_expired_answers_are_deleted_under_load(store: GroupCommitStore) -> None:
    def keep(records: Records, turn: int, count: int) -> None:
        now, over = NOW + timedelta(minutes=turn), NOW + timedelta(minutes=3 if not turn else 900)
        records.insert_answers_if_absent(
            [RememberAnswer("identity", f"{turn} {n}", b"f", now, over, 200, b"{}") for n in range(count)]
        )

    for turn in range(12):
        asyncio.run(store.transact(lambda records, turn=turn: keep(records, turn, 1500)))  # type: ignore[misc] # bound at once

    assert asyncio.run(store.transact(lambda records: _sql(records, "SELECT count(*) FROM answer"))) == 11 * 1500


@pytest.mark.parametrize("text", ["plain", "nul \0 inside", "escape \x1b0 \x1b", "\N{SHOPPING TROLLEY}", "'; --"])
def test_any_text_is_stored_unchanged(store: GroupCommitStore, text: str) -> None:
    asyncio.run(store.transact(lambda records: records.save_code(IssuedCode(text, text, NOW))))
    assert asyncio.run(store.transact(lambda records: records.find_code(text))) == IssuedCode(text, text, NOW)


def _a_purchase(trip: str, **members: Any) -> Purchase:
    return Purchase(trip, "id", "one", "ada", "priced", "card", b"{}", b"", b"", NOW)._replace(**members)


def _a_charge(trip: str, **members: Any) -> Charge:
    return Charge(trip, "ada", Decimal("1.50"), "USD", "tok_approved", "pending", NOW)._replace(**members)


def test_charge_is_leased_to_one_worker_until_the_lease_ends(store: GroupCommitStore) -> None:
    later = NOW + timedelta(seconds=30)

    def take(owner: str, now: datetime) -> list[str]:
        return asyncio.run(
            store.transact(
                lambda records: [
                    charge.trip_id
                    for charge in records.charges.take(owner, now=now, lease_until=now + timedelta(30), limit=9)
                ]
            )
        )

    asyncio.run(store.transact(lambda records: records.charges.save(_a_charge("t1"))))
    asyncio.run(store.transact(lambda records: records.charges.save(_a_charge("t2", due_at=later))))
    assert (take("one", NOW), take("two", NOW)) == (["t1"], [])
    assert take("two", later) == ["t2"]
    done = _a_charge("t1", state="captured")
    assert asyncio.run(store.transact(lambda records: records.charges.update(done, "two"))) is False
    assert asyncio.run(store.transact(lambda records: records.charges.update(done, "one"))) is True
    assert asyncio.run(store.transact(lambda records: records.charges.find("t1"))) == done
    assert take("three", later + timedelta(31)) == ["t2"]


def test_only_declined_charges_are_a_debt(store: GroupCommitStore) -> None:
    def save(records: Records) -> Decimal:
        for trip, state in (("a", "declined"), ("b", "captured"), ("c", "declined"), ("d", "stuck")):
            records.charges.save(_a_charge(trip, state=state))
        records.charges.save(_a_charge("e", state="declined", shopper_id="ben"))
        return records.debt_of("ada")

    assert asyncio.run(store.transact(save)) == Decimal("3.00")


def test_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="cannot open"):
        SqliteStore(tmp_path / "no" / "such.sqlite3").open()


def test_looking_for_work_reads_no_whole_table(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "store.sqlite3")
    store.open()
    store.close()
    with closing(sqlite3.connect(tmp_path / "store.sqlite3")) as database:
        plans: list[str] = []

        def explained(statement: str, values: Sequence[Any] = ()) -> Any:
            plans.extend(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {statement}", values))
            return database.execute(statement, values)

        for table in (CHARGES, AUTHORISATIONS, TRANSFERS):
            rows: LeasedRows[Any] = LeasedRows(explained, table)
            rows.take("a-worker", now=NOW, lease_until=NOW, limit=1)
            assert (rows.open(), rows.stuck()) == (0, 0)
    assert len(plans) >= 9
    assert [plan for plan in plans if "INDEX" not in plan and "TEMP B-TREE" not in plan] == []
