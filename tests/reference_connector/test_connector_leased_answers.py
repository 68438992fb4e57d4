"""Leased answers on real databases: a claim never outlives the call that made it, and each event gets one answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from reference_connector.accelerated.waiter import DirectWaiter
from reference_connector.errors import StillClaimed, StoreUnavailable
from reference_connector.idempotency import Attempt, LeasedAnswers, Outcome
from reference_connector.messages import Answer
from reference_connector.store import Records
from reference_connector.store.group_commit import GroupCommitStore
from reference_connector.store.postgres import PostgresStore
from reference_connector.store.sqlite import SqliteStore
from tests.reference_connector.conftest import MovableClock

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
EVENT = Attempt("shopper_auth", "event-1", b"hash", NOW, NOW + timedelta(hours=48))
LEASE_S = 5.0


@pytest.fixture(params=["sqlite", "accelerated", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[GroupCommitStore]:
    """An open store: SQLite with both kinds of waiters, and PostgreSQL."""
    make: dict[str, Callable[[], GroupCommitStore]] = {
        "sqlite": partial(SqliteStore, tmp_path / "store.sqlite3"),
        "accelerated": partial(SqliteStore, tmp_path / "store.sqlite3", new_waiter=DirectWaiter),
        "postgres": lambda: PostgresStore(request.getfixturevalue("postgres_url")),
    }
    opened = make[request.param]()
    opened.open()
    yield opened
    opened.close()


def leased(store: GroupCommitStore, owner: str = "one", *, budget_s: float = 0.5, ahead_s: float = 0) -> LeasedAnswers:
    """Make a worker whose clock is `ahead_s` seconds ahead."""
    clock = MovableClock()
    clock.advance(seconds=ahead_s)
    return LeasedAnswers(store, clock, lambda: owner, lease_s=LEASE_S, budget_s=budget_s)


def deciding(body: bytes) -> Callable[[], Awaitable[Answer]]:
    async def decide() -> Answer:
        return Answer(200, body)

    return decide


@contextmanager
def busy_writer(store: GroupCommitStore) -> Iterator[None]:
    """Keep the writer thread busy."""
    started, end = threading.Event(), threading.Event()

    def work(_records: Records) -> None:
        started.set()
        assert end.wait(10)

    blocking = threading.Thread(target=lambda: asyncio.run(store.transact(work)))
    blocking.start()
    assert started.wait(10)
    try:
        yield
    finally:
        end.set()
        blocking.join()


@contextmanager
def refused_answers(store: GroupCommitStore) -> Iterator[None]:
    """Have the database refuse every answer, and no claim."""
    if isinstance(store, PostgresStore):
        add = "ALTER TABLE answer ADD CONSTRAINT claims_only CHECK (status = 0)"
        remove = "ALTER TABLE answer DROP CONSTRAINT claims_only"
    else:
        add = (
            "CREATE TRIGGER claims_only BEFORE UPDATE ON answer WHEN NEW.status <> 0"
            " BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
        remove = "DROP TRIGGER claims_only"
    asyncio.run(store.transact(_execute, add))
    yield
    asyncio.run(store.transact(_execute, remove))


def _execute(records: Any, statement: str) -> None:
    records._execute(statement, ())  # noqa: SLF001 - the test changes a table


def test_claim_that_times_out_in_the_queue_is_withdrawn(store: GroupCommitStore) -> None:
    async def run() -> Outcome:
        with busy_writer(store), pytest.raises(StillClaimed):
            await leased(store, budget_s=0.05).answer(EVENT, deciding(b"late"))
        return await leased(store, "two").answer(EVENT, deciding(b"second"))

    assert asyncio.run(run()) == Outcome(Answer(200, b"second"))


def test_claim_of_a_cancelled_call_is_withdrawn(store: GroupCommitStore) -> None:
    async def run() -> Outcome:
        with busy_writer(store):
            gone = asyncio.create_task(leased(store).answer(EVENT, deciding(b"gone")))
            await asyncio.sleep(0.1)
            gone.cancel()
        with pytest.raises(asyncio.CancelledError):
            await gone
        return await leased(store, "two").answer(EVENT, deciding(b"second"))

    assert asyncio.run(run()) == Outcome(Answer(200, b"second"))


def test_claim_is_withdrawn_when_its_answer_cannot_be_remembered(store: GroupCommitStore) -> None:
    with refused_answers(store), pytest.raises(StoreUnavailable):
        asyncio.run(leased(store).answer(EVENT, deciding(b"refused")))
    outcome = asyncio.run(leased(store, "two").answer(EVENT, deciding(b"second")))

    assert outcome == Outcome(Answer(200, b"second"))


def test_call_that_times_out_keeps_the_claim_of_another_call(store: GroupCommitStore) -> None:
    async def run() -> Outcome:
        decided = asyncio.Event()

        async def decide() -> Answer:
            await decided.wait()
            return Answer(200, b"first")

        first = asyncio.create_task(leased(store, budget_s=5).answer(EVENT, decide))
        await asyncio.sleep(0.1)
        for _ in range(2):
            with pytest.raises(StillClaimed):
                await leased(store, "two", budget_s=0.1).answer(EVENT, deciding(b"second"))
        decided.set()
        return await first

    assert asyncio.run(run()) == Outcome(Answer(200, b"first"))


def test_nodes_with_different_clocks_give_one_answer(store: GroupCommitStore) -> None:
    async def run() -> tuple[bytes, bytes]:
        decided = asyncio.Event()

        async def decide() -> Answer:
            await decided.wait()
            return Answer(200, b"first")

        first = asyncio.create_task(leased(store, budget_s=5).answer(EVENT, decide))
        await asyncio.sleep(0.1)
        second = await leased(store, "two", ahead_s=LEASE_S).answer(EVENT, deciding(b"second"))
        decided.set()
        return (await first).answer.body, second.answer.body

    assert asyncio.run(run()) == (b"second", b"second")
