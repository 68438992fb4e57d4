"""Old orders leave the books in small batches, and the books still add up."""

from __future__ import annotations

import asyncio
import io
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from reference_connector.errors import StoreUnavailable
from reference_connector.feeds import retention
from reference_connector.feeds.__main__ import _report
from reference_connector.feeds.reconciliation import Reconciliation, reconcile
from reference_connector.feeds.retention import Retention
from reference_connector.feeds.settings import Feeds
from reference_connector.store.books import BookedFile, FeedRecord
from reference_connector.telemetry import EventLog
from simulator.intraday.rows import to_csv
from tests.reference_connector.payment_bench import NOW, PaymentBench
from tests.reference_connector.test_connector_books import (
    FOR_EVER,
    book,
    charge_facts,
    charge_row,
    order,
    order_rows,
    records_of,
    sell,
)
from tests.reference_connector.test_connector_feed_consumer import Reader, SmallBucket, SmallQueue, notice

KEEP_DAYS = 100


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_AT_ONCE", 2)


def sweep(bench: PaymentBench, day: float) -> int:
    """Sweep some days after NOW; return how many orders were removed."""
    log = EventLog(lambda: NOW, io.StringIO())
    rules = Feeds(keep_days=KEEP_DAYS)
    return bench.run(Retention(bench.store, rules, lambda: NOW + timedelta(days=day), log).sweep())


def compare(bench: PaymentBench, **period: Any) -> Reconciliation:
    return bench.run(reconcile(bench.store, FOR_EVER._replace(**period)))


def a_busy_day(bench: PaymentBench) -> None:
    """Book orders of two days, two currencies and each state, and sales that agree or differ."""
    rows = []
    for n in range(5):
        sell(bench, f"equal-{n}", "12.30", "2.00")
        refund = charge_row(f"equal-{n}", "Refund Charge", "2.00", f"refund-{n}")
        rows += [*order_rows(f"equal-{n}", "1.0"), charge_row(f"equal-{n}", "Capture Charge", "12.30"), refund]
    sell(bench, "other-amount", "5.00")
    rows += [*order_rows("other-amount", "1.0"), charge_row("other-amount", "Capture Charge", "5.01")]
    rows += [*order_rows("missing-here", "1.0"), *order_rows("lines-missing", "1.0", "2.0")[:2]]
    euros = charge_facts("3.00") | {"currency": "EUR"}
    event = FeedRecord("event", "e", "event-only", "STORE-001", "charge", NOW - timedelta(days=3), euros)
    book(bench, ("a", records_of(*rows)), ("", [event]))
    read = BookedFile("a", len(rows), 0, NOW)
    bench.run(bench.store.transact(lambda records: records.books.note_file(read)))


def rows_left(bench: PaymentBench) -> list[int]:
    def work(records: Any) -> list[int]:
        tables = ("feed_record", "feed_order", "feed_file")
        return [records._execute(f"SELECT count(*) FROM {table}", ()).fetchone()[0] for table in tables]  # noqa: S608, SLF001

    return bench.run(bench.store.transact(work))


def test_removed_orders_change_no_sum_and_no_count(bench: PaymentBench) -> None:
    a_busy_day(bench)
    before = compare(bench)
    assert [sweep(bench, 0), sweep(bench, KEEP_DAYS - 1)] == [0, 0]
    assert compare(bench) == before
    report = bench.run(_report(bench.store))

    assert sweep(bench, KEEP_DAYS) == 9

    assert rows_left(bench) == [0, 0, 0]
    after = compare(bench)
    assert after == before._replace(removed_orders=before.orders, differences=[])
    assert after.counts == {
        "other_amount": 1,
        "missing_here": 3,
        "lines_missing": 1,
        "missing_there": 1,
        "other_in_events": 1,
    }
    assert after.sums["USD"].file_captured == Decimal("66.51")
    assert bench.run(_report(bench.store)) == report | {"orders": {}}
    assert bench.run(bench.store.transact(lambda records: records.find_purchase("equal-1"))) is not None
    assert sweep(bench, KEEP_DAYS + 1) == 0


def test_removed_day_is_in_a_period_that_has_its_start(bench: PaymentBench) -> None:
    a_busy_day(bench)
    sweep(bench, 0)
    sweep(bench, KEEP_DAYS)
    midnight = NOW.replace(hour=0, minute=0)

    assert compare(bench, since=midnight).removed_orders == 8
    assert "EUR" not in compare(bench, since=midnight).sums
    assert compare(bench, until=midnight).sums["EUR"].event_captured == Decimal("3.00")
    assert compare(bench, since=midnight + timedelta(days=1)).orders == 0


def test_report_about_an_order_keeps_it_for_longer(bench: PaymentBench) -> None:
    a_busy_day(bench)
    sweep(bench, 0)
    book(bench, ("b", records_of(charge_row("equal-0", "Refund Charge", "1.00", "late"))))
    sweep(bench, 50)

    assert sweep(bench, KEEP_DAYS) == 8
    found = order(bench, "equal-0")
    assert found is not None
    assert found.refunded == Decimal("3.00")
    assert sweep(bench, KEEP_DAYS + 50) == 1


def test_time_of_orders_begins_with_the_first_sweep_that_sees_them(bench: PaymentBench) -> None:
    a_busy_day(bench)

    assert [sweep(bench, 10 * KEEP_DAYS), sweep(bench, 11 * KEEP_DAYS - 1), sweep(bench, 11 * KEEP_DAYS)] == [0, 0, 9]


def test_late_report_about_a_removed_order_is_kept_and_counts_once(bench: PaymentBench) -> None:
    a_busy_day(bench)
    sweep(bench, 0)
    sweep(bench, KEEP_DAYS)
    before = compare(bench)
    repeated = to_csv([charge_row("equal-0", "Capture Charge", "12.30"), *order_rows("new", "1.0")])
    reader = Reader(bench, SmallQueue(notice("again")), SmallBucket(again=repeated))

    assert reader.poll() == 1

    [letter] = reader.letters()
    assert "its trip were removed (feeds.keep_days)" in letter.reason
    after = compare(bench)
    assert (after.sums, after.orders) == (before.sums, before.orders + 1)
    assert order(bench, "new") is not None


def test_sweeps_go_on_after_a_failure(bench: PaymentBench, monkeypatch: pytest.MonkeyPatch) -> None:
    a_busy_day(bench)
    sweep(bench, 0)
    for name in ("_FIRST_AFTER_S", "_EVERY_S"):
        monkeypatch.setattr(retention, name, 0)
    attempts, transact = count(), bench.store.transact

    async def fail_once(*given: Any) -> Any:
        if next(attempts) == 0:
            raise StoreUnavailable("full")
        return await transact(*given)

    async def events_until_removed() -> list[Any]:
        later, events = NOW + timedelta(days=KEEP_DAYS), asyncio.Queue[Any]()
        log = EventLog(lambda: later, io.StringIO())
        for name in ("books_wait", "books_removed"):
            log.listen(name, events.put_nowait)
        task = asyncio.create_task(Retention(bench.store, Feeds(keep_days=KEEP_DAYS), lambda: later, log).run())
        async with asyncio.timeout(10):
            found = [await events.get(), await events.get()]
        task.cancel()
        return found

    monkeypatch.setattr(bench.store, "transact", fail_once)
    failed, removed = bench.run(events_until_removed())

    assert (failed["reason"], removed["orders"]) == ("StoreUnavailable", 9)
