"""Databases of earlier versions: they are upgraded once and as a whole, and answer as before."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import re
import signal
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reference_connector.errors import StoreUnavailable
from reference_connector.store import Records, migrations
from reference_connector.store.migrations import STEPS, VERSION, Step
from tests.reference_connector.conftest import Connector, both_databases
from tests.reference_connector.payment_bench import PaymentBench
from tests.reference_connector.upgrades import (
    BOOKS,
    OLD,
    REMOVED_BOOKS,
    Storage,
    opened_and_closed,
    run_sql,
    statements_of,
    store_of,
)

FORMS = ("version_3_first", "version_3_last")
NOW = datetime(2026, 2, 9, 12, 0, tzinfo=UTC)
ENDLESS = "UPDATE answer SET forget_at = NULL"


@pytest.fixture(params=FORMS)
def calls(request: pytest.FixtureRequest, storage: Storage) -> list[dict[str, Any]]:
    """Make a database as an earlier connector left it; return the calls that it answered."""
    if "store" in storage and "database_url" not in storage:
        run_sql(storage, "PRAGMA journal_mode=WAL")
    run_sql(storage, *statements_of(request.param))
    if request.param == "version_3_first":
        run_sql(storage, ENDLESS)
    return list(json.loads((OLD / f"{request.param}.json").read_text()))


@both_databases
def test_repeated_calls_get_their_answers_after_the_upgrade(
    calls: list[dict[str, Any]], start: Callable[..., Connector], storage: Storage
) -> None:
    run_sql(storage, "DELETE FROM code")  # so that the codes cannot be judged again
    connector = start()
    for call in calls:
        repeated = dict(call["body"])
        if "requestId" in repeated:
            repeated["requestId"] = "b2b2c3d4-e5f6-7890-abcd-ef1234567890"
        answer = connector.http.post(call["path"], content=json.dumps(repeated))  # type: ignore[call-arg]
        assert (answer.status_code, answer.json()) == (call["status"], call["answer"]), call
    assert not connector.events("identity_key_changed")
    assert not connector.events("cart_changed")


@both_databases
def test_records_of_an_earlier_version_are_used(
    calls: list[dict[str, Any]], start: Callable[..., Connector], tmp_path: Path
) -> None:
    purchase_ids = [call["answer"]["purchaseId"] for call in calls if "purchaseId" in call["answer"]]
    extra = tmp_path / "prices.csv"
    extra.write_text(
        "item_sku,item_name,product_id,product_id_type,store_id,standard_price\n"
        "NOT-SOLD-YET,Pear,036000291452,UPC,STORE-001,0.75\n"
    )
    connector = start(price_lists=(extra,))

    receipts = [connector.receipt(trip) for trip in ("trip-priced", "trip-empty", "trip-bad", "trip-declined")]
    assert [receipt["purchaseId"] for receipt in receipts] == purchase_ids
    assert [receipt["status"] for receipt in receipts] == ["priced", "empty", "parked", "priced"]
    [declined] = connector.operator_get("/ops/charges/declined").json()["charges"]
    assert (declined["shoppingTripId"], declined["amount"]) == ("trip-declined", "1.50")
    [bad_cart] = connector.operator_get("/ops/parked").json()["parked"]
    assert (bad_cart["shoppingTripId"], bad_cart["purchaseId"]) == ("trip-bad", purchase_ids[2])
    assert connector.operator_post("/ops/parked/sell").json() == {"sold": 1, "parked": 0}
    assert connector.receipt("trip-bad")["total"] == "2.30"  # 1.50 without tax, 0.75 and its tax

    used_code = calls[2]["body"]
    other_event = used_code | {"authEvent": used_code["authEvent"] | {"id": "99999999-0000-4000-8000-000000000000"}}
    assert connector.identify(other_event).status_code == 401


OLD_LEDGER = (
    "CREATE TABLE call (key TEXT PRIMARY KEY, times INTEGER NOT NULL) WITHOUT ROWID",
    """CREATE TABLE effect (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, trip_id TEXT NOT NULL, cents INTEGER NOT NULL, currency TEXT NOT NULL)""",
)
_OPEN = "UPDATE charge SET state = '{}', reference = '{}' WHERE trip_id = 'trip-priced'"
_RESERVED = "INSERT INTO effect VALUES ('trip-priced:authorise', 'authorise', 'trip-priced', 300, 'USD')"


@both_databases
@pytest.mark.parametrize("calls", FORMS[-1:], indirect=True)
@pytest.mark.parametrize(
    ("state", "reference", "reserved"),
    [("authorised", "ref-trip-priced:authorise", [_RESERVED]), ("pending", "", [_RESERVED]), ("pending", "", [])],
    ids=["authorised", "authorised but not saved", "pending"],
)
def test_charge_that_was_open_at_the_upgrade_is_captured_once(
    calls: list[dict[str, Any]], storage: Storage, tmp_path: Path, state: str, reference: str, reserved: list[str]
) -> None:
    assert calls
    ledger = tmp_path / "ledger.sqlite3"
    run_sql({"store": {"path": ledger}}, *OLD_LEDGER, *reserved)
    run_sql(storage, _OPEN.format(state, reference))
    store = store_of(storage)
    store.open()
    bench = PaymentBench(store, ledger)
    bench.now = datetime.now(UTC) + timedelta(days=1)
    bench.work()
    charge = bench.charge("trip-priced")
    bench.runner.close()
    store.close()
    bench.provider.close()
    assert (charge.state, charge.collected) == ("captured", Decimal("3.00"))
    assert bench.ledger_lines() == ["authorise 3.00", "capture 3.00"]


def tables_of(storage: Storage) -> list[tuple[Any, ...]]:
    if "database_url" in storage:
        columns = "SELECT table_name, column_name, is_nullable FROM information_schema.columns"
        return run_sql(storage, columns + " WHERE table_schema = current_schema() ORDER BY 1, 2")
    return run_sql(storage, "SELECT type, name, tbl_name FROM sqlite_master ORDER BY 1, 2")


@both_databases
@pytest.mark.parametrize("calls", FORMS, indirect=True)
def test_new_and_upgraded_databases_have_the_same_tables(calls: list[dict[str, Any]], storage: Storage) -> None:
    assert calls
    opened_and_closed(storage)
    upgraded = tables_of(storage)
    tables = ("answer", "code", "purchase", "charge", "authorisation", "transfer", "badge", *BOOKS, *REMOVED_BOOKS)
    run_sql(storage, *(f"DROP TABLE {name}" for name in tables))
    if "database_url" in storage:
        run_sql(storage, "DROP TABLE jwo_version")
    else:
        run_sql(storage, "PRAGMA user_version=0")
    opened_and_closed(storage)

    assert tables_of(storage) == upgraded


@both_databases
def test_nodes_that_start_at_once_upgrade_once(calls: list[dict[str, Any]], storage: Storage) -> None:
    assert calls
    upgrades: list[tuple[int, int]] = []
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: opened_and_closed(storage, on_upgrade=lambda *step: upgrades.append(step)), range(8)))

    assert upgrades == [(3, VERSION)]
    assert run_sql(storage, "PRAGMA user_version") == [(VERSION,)]


def test_nodes_that_start_at_once_make_one_new_file(tmp_path: Path) -> None:
    for number in range(10):
        storage = {"store": {"path": tmp_path / f"{number}.sqlite3"}}
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _, new=storage: opened_and_closed(new), range(6)))  # type: ignore[misc] # bound at once
        assert run_sql(storage, "PRAGMA user_version") == [(VERSION,)]


@both_databases
def test_failed_upgrade_changes_nothing(
    calls: list[dict[str, Any]], storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert calls
    before = run_sql(storage, "SELECT key, body FROM answer ORDER BY key")
    with monkeypatch.context() as patched:
        broken = STEPS | {VERSION: Step(("DELETE FROM answer", "SELECT no_such_column FROM answer"))}
        patched.setattr(migrations, "STEPS", broken)
        with pytest.raises(StoreUnavailable, match="no_such_column"):
            store_of(storage).open()

    assert run_sql(storage, "PRAGMA user_version") == [(3,)]
    assert run_sql(storage, "SELECT key, body FROM answer ORDER BY key") == before
    opened_and_closed(storage)
    assert run_sql(storage, "PRAGMA user_version") == [(VERSION,)]


def upgrade_and_die(storage: Storage) -> None:
    """Upgrade, and die by SIGKILL before the commit."""
    migrations.STEPS[VERSION] = Step(("DELETE FROM answer",))

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    if "database_url" in storage:
        from reference_connector.store.postgres import PostgresDatabase  # noqa: PLC0415 - only in the child

        PostgresDatabase.commit = die  # type: ignore[method-assign]
    else:
        connect = sqlite3.connect

        def traced(*arguments: Any, **rules: Any) -> sqlite3.Connection:
            database = connect(*arguments, **rules)
            database.set_trace_callback(lambda statement: die() if statement == "COMMIT" else None)
            return database

        sqlite3.connect = traced
    store_of(storage).open()


@both_databases
@pytest.mark.parametrize("calls", FORMS[:1], indirect=True)
def test_process_killed_in_an_upgrade_leaves_the_old_database(calls: list[dict[str, Any]], storage: Storage) -> None:
    assert calls
    before = run_sql(storage, "SELECT key, body FROM answer ORDER BY key")
    child = multiprocessing.get_context("spawn").Process(target=upgrade_and_die, args=(storage,))
    child.start()
    child.join(60)

    assert child.exitcode == -signal.SIGKILL
    assert run_sql(storage, "PRAGMA user_version") == [(3,)]
    opened_and_closed(storage)
    assert run_sql(storage, "SELECT key, body FROM answer ORDER BY key") == before


@both_databases
def test_start_waits_while_another_node_upgrades(calls: list[dict[str, Any]], storage: Storage) -> None:
    assert calls
    reports: list[str] = []
    with ThreadPoolExecutor(1) as pool:
        if "database_url" in storage:
            holder = psycopg.connect(storage["database_url"])
            holder.execute("SELECT pg_advisory_xact_lock(%s)", (0x4A574F,))
            release: Callable[[], object] = holder.close
        else:
            file = sqlite3.connect(storage["store"]["path"], isolation_level=None, check_same_thread=False)
            file.execute("BEGIN IMMEDIATE")
            release = file.close
        upgraded = partial(reports.append, "upgraded")
        waiting = pool.submit(opened_and_closed, storage, busy_timeout_s=0.05, on_upgrade=lambda *_: upgraded())
        with pytest.raises(TimeoutError):
            waiting.result(0.25)
        release()
        waiting.result(20)

    assert reports == ["upgraded"]


@both_databases
@pytest.mark.parametrize(
    ("version", "says"),
    [
        (VERSION + 1, f"the database has version {VERSION + 1}, and this connector knows version {VERSION}"),
        (99, "the database has version 99"),
        (2, "the database has version 2, and this connector upgrades databases from version 3 on"),
        (1, "the database has version 1"),
    ],
)
def test_database_that_is_newer_or_too_old_is_refused_and_not_changed(
    storage: Storage, version: int, says: str
) -> None:
    run_sql(storage, f"PRAGMA user_version={version}", "CREATE TABLE answer (other TEXT)")

    with pytest.raises(StoreUnavailable, match=re.escape(says)) as refused:
        store_of(storage).open()

    assert "set another database" in refused.value.hint
    assert run_sql(storage, "PRAGMA user_version") == [(version,)]
    assert run_sql(storage, "SELECT other FROM answer") == []


@both_databases
def test_tables_of_another_program_are_refused(storage: Storage) -> None:
    run_sql(storage, "CREATE TABLE answer (question TEXT)")
    with pytest.raises(StoreUnavailable, match=r"another program|already exists"):
        store_of(storage).open()
    assert run_sql(storage, "SELECT question FROM answer") == []


def test_upgrade_is_logged(storage: Storage, start: Callable[..., Connector]) -> None:
    run_sql(storage, *statements_of(FORMS[1]))
    [upgraded] = start().events("store_upgraded")
    assert (upgraded["fromVersion"], upgraded["toVersion"]) == (3, VERSION)


@both_databases
@pytest.mark.parametrize("calls", FORMS[:1], indirect=True)
def test_answers_without_an_end_stay(calls: list[dict[str, Any]], storage: Storage) -> None:
    assert calls
    store = store_of(storage)
    store.open()

    def count_later(records: Records) -> int:
        records._delete_expired(round((NOW + timedelta(days=9_000)).timestamp() * 1000))  # type: ignore[attr-defined] # noqa: SLF001 - at once
        return int(records._execute("SELECT count(*) FROM answer", ()).fetchone()[0])  # type: ignore[attr-defined] # noqa: SLF001 - a look at the table

    left = asyncio.run(store.transact(count_later))
    store.close()
    assert left == 7
