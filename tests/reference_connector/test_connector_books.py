"""The books: files and events in any order, repeated, divided or contradictory, lead to the same orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reference_connector.feeds.reconciliation import Period, reconcile
from reference_connector.feeds.rows import read_rows
from reference_connector.store import Charge, Purchase, Records, RecordSale, Transfer
from reference_connector.store.books import BookedOrder, FeedRecord
from simulator.intraday.rows import rows_of, to_csv
from tests.reference_connector.payment_bench import NOW, PaymentBench

AT = "2026-02-09T12:00:00Z"
FOR_EVER = Period(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC), NOW)


def order_rows(trip: str, *quantities: str, purchase: str = "p-1") -> list[dict[str, str]]:
    """The rows of an order, as the platform writes them."""
    items = [
        {"id": f"SKU-{n}", "type": "SKU", "quantity": {"value": value, "unit": "unit"}}
        for n, value in enumerate(quantities)
    ]
    cart = {"cartItems": items, "shoppingTrip": {"endTime": AT}}
    entry = {"kind": "delivery", "outcome": "delivered", "tripId": trip, "storeId": "STORE-001", "at": AT}
    return rows_of({**entry, "request": {"body": cart}, "purchaseId": purchase})


def charge_row(trip: str, operation: str, amount: str = "", refund: str = "", at: str = AT) -> dict[str, str]:
    money = {"amount": {"amount": amount, "code": "USD"}} if amount else {}
    entry = {"kind": "charge", "tripId": trip, "storeId": "STORE-001", "at": at, "operation": operation, **money}
    [row] = rows_of({**entry, **({"refundRequestId": refund} if refund else {})})
    return row


def records_of(*rows: dict[str, str]) -> list[FeedRecord]:
    found = read_rows(to_csv(rows))
    assert not found.problems
    return found.records


def book(bench: PaymentBench, *parts: tuple[str, list[FeedRecord]]) -> None:
    def work(records: Records) -> None:
        for file, part in parts:
            records.books.book(part, file)

    bench.run(bench.store.transact(work))


def order(bench: PaymentBench, trip: str) -> BookedOrder | None:
    return bench.run(bench.store.transact(lambda records: records.books.find(trip)))


_trips = count(1)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_any_order_repetition_and_division_of_files_makes_the_same_books(bench: PaymentBench, data: Any) -> None:
    trips = [f"trip-{next(_trips)}" for _ in range(2)]
    cents = data.draw(st.lists(st.integers(1, 5000), min_size=2, max_size=2), label="refunds in cents")
    rows = [*order_rows(trips[0], "1.0", "0.25"), *order_rows(trips[1]), charge_row(trips[1], "Cancel Charge")]
    rows.append(charge_row(trips[0], "Capture Charge", "123.45"))
    rows += [
        charge_row(trips[0], "Refund Charge", f"{Decimal(amount) / 100:f}", f"refund-{n}-{trips[0]}")
        for n, amount in enumerate(cents)
    ]
    times = data.draw(st.lists(st.integers(1, 2), min_size=len(rows), max_size=len(rows)), label="how often")
    repeated = [row for row, often in zip(rows, times, strict=True) for _ in range(often)]
    shuffled = data.draw(st.permutations(repeated), label="sequence")
    cuts = sorted(data.draw(st.sets(st.integers(1, len(shuffled) - 1), max_size=4), label="where files end"))
    pieces = [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]

    book(bench, *((f"file-{n}", records_of(*piece)) for n, piece in enumerate(pieces)))

    files = [
        tuple(sorted({f"file-{n}" for n, piece in enumerate(pieces) for row in piece if row["shoppingTripId"] == trip}))
        for trip in trips
    ]
    at = datetime(2026, 2, 9, 12, tzinfo=UTC)
    bought = BookedOrder(trips[0], "STORE-001", "p-1", at, 2, 2, "USD", Decimal("123.45"), files=files[0])
    assert order(bench, trips[0]) == bought._replace(refunded=Decimal(sum(cents)).scaleb(-2))
    assert order(bench, trips[1]) == BookedOrder(
        trips[1], "STORE-001", "p-1", at, 0, 0, is_cancelled=True, files=files[1]
    )


def test_contradictory_repetition_counts_once_and_is_visible(bench: PaymentBench) -> None:
    first = charge_row("trip-1", "Capture Charge", "12.30")
    later = charge_row("trip-1", "Capture Charge", "12.31", at="2026-02-09T12:05:00Z")
    same_later = {**first, "recordTime": "2026-02-09T12:07:00Z"}

    book(bench, ("b", records_of(later)), ("c", records_of(same_later)), ("a", records_of(first)))
    book(bench, ("a", records_of(*order_rows("trip-1", "1.0"))))

    found = order(bench, "trip-1")
    assert found is not None
    assert (found.captured, found.contradictions, found.files) == (Decimal("12.30"), 1, ("a", "b", "c"))


def test_record_that_moves_to_another_trip_leaves_no_order_behind(bench: PaymentBench) -> None:
    early = charge_row("trip-1", "Capture Charge", "1.00")
    late = {**early, "shoppingTripId": "trip-2", "recordTime": "2026-02-09T13:00:00Z"}

    book(bench, ("b", records_of(late)), ("a", records_of(early)))

    assert order(bench, "trip-2") is None
    found = order(bench, "trip-1")
    assert found is not None
    assert (found.captured, found.contradictions) == (Decimal("1.00"), 1)


def sell(
    bench: PaymentBench, trip: str, amount: str = "", refunded: str = "", *, purchase: str = "p-1", store: str = "S"
) -> None:
    """Record a sale at the connector, as collected."""

    def work(records: Records) -> None:
        status: Any = "priced" if amount else "empty"
        sold = Purchase(trip, purchase, "STORE-001", "ada", status, "card", b"{}", b"[]", b"", NOW)
        charge = Charge(trip, "ada", Decimal(amount or 0), "USD", "card", "captured", NOW, amazon_store=store)
        records.insert_sales_if_absent([RecordSale(sold, charge if amount else None)])
        if refunded:
            transfer = Transfer(f"refund-of-{trip}", "refund", trip, Decimal(refunded), "USD", "card", "done", NOW)
            records.transfers.save(transfer)

    bench.run(bench.store.transact(work))


DIFFERENCES = {
    "equal": (("12.30", "2.00"), [("Capture Charge", "12.30", ""), ("Refund Charge", "2.00", "r")], []),
    "one cent": (("12.30", ""), [("Capture Charge", "12.31", "")], ["other_amount"]),
    "not refunded there": (("12.30", "2.00"), [("Capture Charge", "12.30", "")], ["other_amount"]),
    "captured and cancelled": (("12.30", ""), [("Cancel Charge", "", "")], ["other_amount"]),
}


@pytest.mark.parametrize("case", DIFFERENCES)
def test_amounts_are_compared_to_the_cent(bench: PaymentBench, case: str) -> None:
    (amount, refunded), charges, kinds = DIFFERENCES[case]
    sell(bench, "trip-1", amount, refunded)
    book(bench, ("a", records_of(*order_rows("trip-1", "1.0"), *(charge_row("trip-1", *each) for each in charges))))

    found = bench.run(reconcile(bench.store, FOR_EVER))

    assert [each.kind for each in found.differences] == kinds
    assert (found.sales, found.orders, found.whole_orders) == (1, 1, 1)
    assert found.sums["USD"].captured == Decimal("12.30")


def test_money_of_the_retailers_provider_is_not_expected_in_the_files(bench: PaymentBench) -> None:
    sell(bench, "trip-1", "12.30", "2.00", store="")
    book(bench, ("a", records_of(*order_rows("trip-1", "1.0"))))

    found = bench.run(reconcile(bench.store, FOR_EVER))

    assert (found.differences, found.sums["USD"].captured) == ([], 0)
    assert (found.sums["USD"].own_captured, found.sums["USD"].own_refunded) == (Decimal("12.30"), Decimal("2.00"))


def test_each_kind_of_difference_is_listed_over_many_pages(
    bench: PaymentBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reference_connector.feeds.reconciliation._PAGE", 2)
    event = FeedRecord("event", "e", "other-event", "STORE-001", "charge", NOW, charge_facts("3.00"))
    for trip in ("missing-there", "lines-missing", "other-event", "equal-1", "equal-2"):
        sell(bench, trip)
    sell(bench, "other-purchase", purchase="p-2")
    lines = order_rows("lines-missing", "1.0", "2.0")[:2]
    ordered = ("missing-here", "other-event", "equal-1", "equal-2", "other-purchase")
    rows = [*lines, *(row for trip in ordered for row in order_rows(trip))]
    book(bench, ("a", records_of(*rows)), ("", [event]))

    found = bench.run(reconcile(bench.store, FOR_EVER))

    assert {each.trip_id: each.kind for each in found.differences} == {
        "missing-here": "missing_here",
        "missing-there": "missing_there",
        "other-purchase": "other_purchase",
        "lines-missing": "lines_missing",
        "other-event": "other_in_events",
    }
    early = FOR_EVER._replace(overdue=NOW - timedelta(seconds=1))
    counts = bench.run(reconcile(bench.store, early)).counts
    assert counts == {"missing_here": 1, "other_purchase": 1}  # a later file may end the others


def charge_facts(amount: str) -> dict[str, str]:
    return {"operation": "Capture Charge", "amount": amount, "currency": "USD"}


BAD_ROWS = {
    "recordType": "REMARK",
    "recordId": "",
    "shoppingTripId": "",
    "recordTime": "yesterday",
    "operation": "Keep Charge",
    "amount": "12.305",
    "currency": "dollars",
}


@pytest.mark.parametrize("column", BAD_ROWS)
def test_bad_row_is_named_and_the_others_are_read(column: str) -> None:
    good = charge_row("trip-1", "Capture Charge", "12.3")
    found = read_rows(to_csv([{**good, column: BAD_ROWS[column]}, good, *order_rows("trip-1", "1.0")]))

    [problem] = found.problems
    assert problem.startswith("line 2: ")
    assert column in problem
    assert (len(found.records), found.rows) == (3, 4)
    assert found.records[0].facts["amount"] == "12.30"


def test_amounts_of_thousands_of_digits_are_refused_and_not_read() -> None:
    found = read_rows(to_csv([charge_row("trip-1", "Capture Charge", "9" * 5000)]))
    assert len(found.problems) == 1
