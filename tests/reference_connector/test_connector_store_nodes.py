"""Several nodes on one database insert answers and sales at the same moment, and each key gets one row."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reference_connector.errors import StoreUnavailable
from reference_connector.store import Charge, Purchase, RecordSale, RememberAnswer, RememberedAnswer
from reference_connector.store.group_commit import GroupCommitStore
from reference_connector.store.postgres import PostgresDatabase, PostgresStore
from reference_connector.store.sqlite import SqliteStore

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
Nodes = Callable[..., list[GroupCommitStore]]


@pytest.fixture(params=["sqlite", "postgres"])
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Nodes]:
    """Open some stores on one database, of either kind."""
    with ExitStack() as stack:

        def opened(count: int, **rules: Any) -> list[GroupCommitStore]:
            stores: list[GroupCommitStore] = [make(**rules) for _ in range(count)]
            for each in stores:
                each.open()
                stack.callback(each.close)
            return stores

        if request.param == "sqlite":
            make: Callable[..., GroupCommitStore] = partial(SqliteStore, tmp_path / "s.sqlite3")
        else:
            make = partial(PostgresStore, request.getfixturevalue("postgres_url"))
        yield opened


def a_sale(trip: str, seller: str = "") -> RecordSale:
    purchase = Purchase(trip, f"{trip}-{seller}", "STORE-001", "ada", "priced", "shopper", b"{}", b"", b"f", NOW)
    return RecordSale(purchase, Charge(trip, "ada", Decimal("1.00"), "USD", "tok_approved", "pending", NOW))


def an_answer(key: str, body: bytes = b"", hours: int = 48, *, at: datetime = NOW) -> RememberAnswer:
    return RememberAnswer("identity", key, b"f", at, NOW + timedelta(hours=hours), 200, body)


class SlowCommit:
    """Holds the first commit of a PostgreSQL node until `go`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self._go = threading.Event(), threading.Event()
        commit = PostgresDatabase.commit

        def slow(database: PostgresDatabase) -> None:
            if not self.reached.is_set():
                self.reached.set()
                assert self._go.wait(10)
            commit(database)

        monkeypatch.setattr(PostgresDatabase, "commit", slow)

    def go(self) -> None:
        self._go.set()


@pytest.mark.parametrize("nodes", ["postgres"], indirect=True)
def test_two_nodes_insert_sales_at_the_same_moment(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = nodes(2)
    slow = SlowCommit(monkeypatch)

    async def run() -> None:
        held = asyncio.create_task(first.insert_sale_if_absent(a_sale("trip-1")))
        assert await asyncio.to_thread(slow.reached.wait, 10)
        async with asyncio.timeout(5):
            assert await second.insert_sale_if_absent(a_sale("trip-2")) is None
            assert await second.insert_answer_if_absent(an_answer("event-1")) is None
        assert not held.done()
        slow.go()
        assert await held is None

    asyncio.run(run())


@pytest.mark.parametrize("nodes", ["postgres"], indirect=True)
def test_second_sale_of_a_trip_waits_and_gets_the_first_purchase(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = nodes(2)
    slow = SlowCommit(monkeypatch)

    async def run() -> Purchase | None:
        held = asyncio.create_task(first.insert_sale_if_absent(a_sale("trip-1", "first")))
        assert await asyncio.to_thread(slow.reached.wait, 10)
        waiting = asyncio.create_task(second.insert_sale_if_absent(a_sale("trip-1", "second")))
        done, _ = await asyncio.wait([waiting], timeout=0.2)
        assert not done
        slow.go()
        assert await held is None
        return await waiting

    assert asyncio.run(run()) == a_sale("trip-1", "first").purchase


@pytest.mark.parametrize("nodes", ["postgres"], indirect=True)
def test_unit_of_work_is_alone(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = nodes(2, busy_timeout_s=0.3)
    slow = SlowCommit(monkeypatch)

    async def run() -> None:
        held = asyncio.create_task(first.insert_sale_if_absent(a_sale("trip-1")))
        assert await asyncio.to_thread(slow.reached.wait, 10)
        with pytest.raises(StoreUnavailable):
            await second.transact(lambda records: records.find_purchase("trip-1"))
        slow.go()
        await held
        assert await second.transact(lambda records: records.find_purchase("trip-1"))

    asyncio.run(run())


def test_many_nodes_insert_each_key_once_and_never_deadlock(nodes: Nodes) -> None:
    stores, keys, chance = nodes(3, batch_max=16), [f"key-{n}" for n in range(60)], random.Random(7)  # noqa: S311 - no secret

    async def run() -> tuple[list[Any], list[Any]]:
        sales, answers = [], []
        for _ in range(4):
            for number, store in enumerate(stores):
                for key in chance.sample(keys, len(keys)):
                    sales.append(store.insert_sale_if_absent(a_sale(key, str(number))))
                    answers.append(store.insert_answer_if_absent(an_answer(key, str(number).encode())))
        return await asyncio.gather(*sales), await asyncio.gather(*answers)

    sold, answered = asyncio.run(run())
    assert [sold.count(None), answered.count(None)] == [len(keys), len(keys)]
    ids = {earlier.purchase_id for earlier in sold if earlier is not None}
    assert len(ids) == len(keys), "every repetition got the purchase that was kept"
    charges = asyncio.run(stores[0].transact(lambda records: records.charges.in_state("pending", 1000)))
    assert sorted(charge.trip_id for charge in charges) == sorted(keys)


def test_expired_answer_is_replaced_by_one_new_answer(nodes: Nodes) -> None:
    stores = nodes(2)
    late = NOW + timedelta(hours=3)

    async def run() -> list[RememberedAnswer | None]:
        assert await stores[0].insert_answer_if_absent(an_answer("event", b"old", hours=1)) is None
        again = [
            store.insert_answer_if_absent(an_answer("event", b"new", at=late)) for store in stores for _ in range(5)
        ]
        return await asyncio.gather(*again)

    found = asyncio.run(run())
    assert (found.count(None), {each.body for each in found if each}) == (1, {b"new"})
