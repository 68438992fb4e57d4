"""The store on PostgreSQL: durable commits, lost and silent connections, and the isolation of units of work."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from reference_connector.errors import StoreUnavailable
from reference_connector.store import IssuedCode, Records
from reference_connector.store.postgres import PostgresStore

NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)


def _keep(token: str) -> IssuedCode:
    return IssuedCode(token, "ada", NOW)


def _sql(records: Records, statement: str) -> Any:
    return records._execute(statement, ()).fetchone()[0]  # type: ignore[attr-defined] # noqa: SLF001 - a look at the tables


def test_postgresql_commits_wait_for_the_disk(postgres_url: str) -> None:
    store = PostgresStore(postgres_url)
    store.open()
    assert asyncio.run(store.transact(lambda records: _sql(records, "SHOW synchronous_commit"))) == "on"
    store.close()


def test_silent_node_is_disconnected_before_others_give_up(
    postgres_url: str,
) -> None:
    silent = PostgresStore(postgres_url, busy_timeout_s=0.2).connect()
    silent.begin(alone=True)
    other = PostgresStore(postgres_url)
    other.open()
    asyncio.run(other.transact(lambda records: records.save_code(_keep("kept"))))
    with pytest.raises(psycopg.errors.IdleInTransactionSessionTimeout):
        silent.commit()
    silent.close()
    other.close()


@pytest.mark.parametrize(("more", "idle_s"), [("", "10"), ("&keepalives_idle=77", "77")])
def test_broken_connection_is_noticed_in_the_set_time(postgres_url: str, more: str, idle_s: str) -> None:
    database = PostgresStore(postgres_url + more).connect()
    line = database._connection.info.get_parameters()  # noqa: SLF001 - a look at the line
    database.close()
    assert (line["keepalives_idle"], line["tcp_user_timeout"]) == (idle_s, "15000")


def test_lost_connection_gives_one_error_and_a_new_connection(postgres_url: str) -> None:
    store = PostgresStore(postgres_url)
    store.open()
    pid = asyncio.run(store.transact(lambda records: _sql(records, "SELECT pg_backend_pid()")))
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises(StoreUnavailable):
        asyncio.run(store.transact(lambda records: records.save_code(_keep("one"))))
    asyncio.run(store.transact(lambda records: records.save_code(_keep("two"))))
    store.close()


def test_default_isolation_of_the_server_does_not_matter(postgres_url: str) -> None:
    serializable = f"{postgres_url}%20-cdefault_transaction_isolation%3Dserializable"
    first, second = PostgresStore(serializable), PostgresStore(serializable)
    first.open()
    second.open()
    holding, end = threading.Event(), threading.Event()

    def hold(records: Records) -> None:
        records.save_code(_keep("one"))
        holding.set()
        assert end.wait(10)

    async def run() -> IssuedCode | None:
        held = asyncio.create_task(first.transact(hold))
        assert await asyncio.to_thread(holding.wait, 10)
        waiting = asyncio.create_task(second.transact(lambda records: records.find_code("one")))
        await asyncio.sleep(0.2)
        end.set()
        await held
        return await waiting

    assert asyncio.run(run()) == _keep("one")
    first.close()
    second.close()


def test_missing_server_is_an_error_without_its_address() -> None:
    with pytest.raises(StoreUnavailable, match="cannot connect") as refused:
        PostgresStore("postgresql://ada:hush@127.0.0.1:1/none").open()
    assert "hush" not in str(refused.value)
