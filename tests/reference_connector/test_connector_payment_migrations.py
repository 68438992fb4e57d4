"""Payments of earlier versions: an upgrade keeps who holds them, and what a stuck one waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tests.reference_connector.conftest import both_databases
from tests.reference_connector.payment_bench import PaymentBench
from tests.reference_connector.upgrades import BOOKS, REMOVED_BOOKS, Storage, opened_and_closed, run_sql, store_of

BACK_TO_10 = (
    "DROP INDEX feed_order_quiet",
    "ALTER TABLE feed_order DROP COLUMN quiet_since",
    *(f"DROP TABLE {table}" for table in REMOVED_BOOKS),
)
BACK_TO_9 = (*BACK_TO_10, "DROP INDEX authorisation_amazon", "ALTER TABLE authorisation DROP COLUMN amazon_store")
BACK_TO_7 = (
    *BACK_TO_9,
    "DROP INDEX charge_checkout",
    *(f"DROP TABLE {table}" for table in BOOKS),
    "DROP INDEX charge_amazon",
    "DROP INDEX transfer_amazon",
    *(f"ALTER TABLE charge DROP COLUMN {column}" for column in ("amazon_store", "paid_with", "cart")),
    "ALTER TABLE transfer DROP COLUMN amazon_store",
)


@contextmanager
def upgraded(storage: Storage, tmp_path: Path) -> Iterator[PaymentBench]:
    """Open a store, which upgrades its database, and yield a bench on it."""
    store = store_of(storage)
    store.open()
    bench = PaymentBench(store, tmp_path / "ledger.sqlite3")
    try:
        yield bench
    finally:
        bench.runner.close()
        store.close()
        bench.provider.close()


@both_databases
def test_open_payments_of_version_7_stay_the_providers(storage: Storage, tmp_path: Path) -> None:
    opened_and_closed(storage)
    run_sql(
        storage,
        *BACK_TO_7,
        "INSERT INTO charge (trip_id, shopper_id, cents, currency, method, state, due_at, attempts, reference, trouble,"
        " owner, lease_until) VALUES ('trip-1', 'ada', 1000, 'USD', 'tok_approved', 'pending', 0, 0, '', '', '', 0)",
        "INSERT INTO transfer (id, kind, trip_id, cents, currency, method, state, due_at, attempts, trouble, reason,"
        " owner, lease_until) VALUES ('refund-1', 'refund', 'trip-1', 400, 'USD', 'tok_approved', 'pending',"
        " 4000000000000, 0, '', 'OTHER', '', 0)",
        "UPDATE jwo_version SET version = 7" if "database_url" in storage else "PRAGMA user_version=7",
    )

    with upgraded(storage, tmp_path) as bench:
        bench.work()
        bench.now = datetime(2100, 1, 1, tzinfo=UTC)
        bench.work()

        assert (bench.charge().state, bench.charge().amazon_store) == ("captured", "")
        assert bench.ledger_lines() == ["authorise 10.00", "capture 10.00", "refund 4.00"]


@both_databases
def test_debt_of_version_9_ends_its_hold_when_it_is_settled(storage: Storage, tmp_path: Path) -> None:
    opened_and_closed(storage)
    run_sql(
        storage,
        *BACK_TO_9,
        "INSERT INTO charge (trip_id, shopper_id, cents, currency, method, state, due_at, attempts, reference, trouble,"
        " owner, lease_until, amazon_store) VALUES"
        " ('trip-1', '', 1000, 'USD', '', 'declined', 0, 0, '', 'adjust_declined', '', 0, 'STORE-001')",
        "INSERT INTO authorisation (event_id, shopper_id, cents, currency, method, state, due_at, attempts, reference,"
        " trouble, trip_id, owner, lease_until) VALUES"
        " ('event-1', 'ada', 2000, 'USD', 'tok_approved', 'held', 0, 0, 'ref', '', '', '', 0)",
        "UPDATE jwo_version SET version = 9" if "database_url" in storage else "PRAGMA user_version=9",
    )

    with upgraded(storage, tmp_path) as bench:
        bench.run(bench.desk.settle("trip-1"))
        hold = bench.authorisation("trip-1:amazon")

        assert (hold.state, hold.amazon_store, hold.trip_id) == ("cancel_at_amazon", "STORE-001", "trip-1")
        assert (bench.authorisation().state, bench.authorisation().amazon_store) == ("held", "")


_STUCK = (
    "INSERT INTO charge (trip_id, authorised, reference, captured, method, shopper_id, cents, currency, state, due_at, "
    "attempts, trouble, owner, lease_until) VALUES ({}, 'ada', 5766, 'USD', 'stuck', 0, 4, 'no_answer', '', 0)"
)


@both_databases
def test_stuck_charge_of_version_6_gets_its_step(storage: Storage) -> None:
    opened_and_closed(storage)
    rows = {
        "no-means": "0, '', 0, ''",
        "pending": "0, '', 0, 'card'",
        "authorised": "0, 'ref', 0, 'card'",
        "adjusting": "2000, 'ref', 0, 'card'",
        "collecting": "2000, 'ref', 2000, 'card'",
    }
    is_postgres = "database_url" in storage
    run_sql(
        storage,
        *BACK_TO_7,
        *(f"DROP INDEX {table}_stuck" for table in ("charge", "authorisation", "transfer")),
        "ALTER TABLE charge DROP COLUMN stuck_in",
        *(_STUCK.format(f"'{trip}', {members}") for trip, members in rows.items()),
        "UPDATE jwo_version SET version = 6" if is_postgres else "PRAGMA user_version=6",
    )

    opened_and_closed(storage)

    found = dict(run_sql(storage, "SELECT trip_id, stuck_in FROM charge"))
    assert found == {trip: "" if trip == "no-means" else trip for trip in rows}
