"""The reconciliation: a day that agrees has a difference of 0.00, and each kind of disagreement names its trip."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from jwo_contract.money import Money
from simulator.reconciliation.books import (
    Book,
    Order,
    Posting,
    Purchase,
    book_of_rows,
    postings_of_details,
)
from simulator.reconciliation.comparison import Day, reconcile

EVERYWHERE = ("platform", "files", "feed", "connector")
FILLED, EMPTY, APP = "trip-filled", "trip-empty", "trip-app"
TEN = Money(Decimal("10.10"), "USD")
NOTHING = Money(Decimal("0.00"), "USD")
THREE = Money(Decimal("3.05"), "USD")
POSTINGS = (
    Posting(FILLED, "order", ref="p-1"),
    Posting(EMPTY, "order", ref="p-2"),
    Posting(APP, "order", ref="p-3"),
    Posting(FILLED, "capture", TEN),
    Posting(EMPTY, "cancel"),
    Posting(FILLED, "refund", THREE, "r-1"),
)
ORDERS = (
    Order(FILLED, "p-1", is_empty=False, amazon_charges=True),
    Order(EMPTY, "p-2", is_empty=True, amazon_charges=True),
    Order(APP, "p-3", is_empty=False, amazon_charges=False),
)
PURCHASES = (
    Purchase(FILLED, "p-1", TEN),
    Purchase(EMPTY, "p-2", None),
    Purchase(APP, "p-3", Money(Decimal("7.30"), "USD"), elsewhere=Decimal("5.00"), owed=Decimal("2.30")),
)


def day(**changes: Any) -> Day:
    """Return a day on which all books agree, with changes."""
    books = {name: changes.pop(name, POSTINGS) for name in ("files", "feed", "connector")}
    platform = Book("platform", changes.pop("platform", POSTINGS))
    others = tuple(Book(name, tuple(postings)) for name, postings in books.items())
    return Day(
        orders=changes.pop("orders", ORDERS), platform=platform, others=others,
        purchases=changes.pop("purchases", PURCHASES), **changes,
    )  # fmt: skip


def without(kind: str) -> tuple[Posting, ...]:
    return tuple(one for one in POSTINGS if not (one.kind == kind and one.trip_id in {FILLED, EMPTY}))


def with_capture(amount: str, code: str = "USD") -> tuple[Posting, ...]:
    return (*without("capture"), Posting(FILLED, "capture", Money(Decimal(amount), code)))


def test_day_that_agrees_has_no_difference() -> None:
    result = reconcile(day())
    assert (result.disagreements, str(result.difference)) == ((), "0")
    shown = result.to_json()
    assert (shown["agrees"], shown["difference"]) == (True, "0.00")
    captured = next(row for row in shown["rows"] if row["name"] == "Captured")
    assert captured["books"] == {name: {"count": 1, "money": {"USD": "10.10"}} for name in EVERYWHERE}


def everywhere(postings: tuple[Posting, ...]) -> dict[str, Any]:
    return dict.fromkeys(EVERYWHERE, postings)


@pytest.mark.parametrize(
    ("changes", "trip", "codes", "difference"),
    [
        (everywhere(without("capture")), FILLED, {"missing_capture", "other_total", "refund_above_capture"}, "13.15"),
        (everywhere(without("cancel")), EMPTY, {"missing_cancel"}, "0.00"),
        ({"orders": (*ORDERS[:2], ORDERS[2]._replace(has_hold=True))}, APP, {"open_hold"}, "0.00"),
        (
            {"orders": (*ORDERS[:2], ORDERS[2]._replace(amazon_charges=True))},
            APP,
            {"open_hold"},
            "0.00",
        ),
        (
            {"purchases": (Purchase(EMPTY, "p-2", NOTHING), *PURCHASES[::2]), **everywhere(without("cancel"))},
            EMPTY,
            {"missing_cancel"},
            "0.00",
        ),
        (
            {"platform": (*POSTINGS, Posting(FILLED, "capture", TEN))},
            FILLED,
            {"double_capture_in_platform", "other_total"},
            "20.20",
        ),
        ({"feed": (*POSTINGS, Posting(FILLED, "capture", TEN))}, FILLED, {"double_capture_in_feed"}, "10.10"),
        (everywhere(with_capture("10.11")), FILLED, {"other_total"}, "0.01"),
        (everywhere(with_capture("10.10", "EUR")), FILLED, {"other_currency"}, "20.20"),
        ({"connector": with_capture("10.09")}, FILLED, {"other_amount_in_connector"}, "0.01"),
        ({"connector": with_capture("10.10", "EUR")}, FILLED, {"other_amount_in_connector"}, "20.20"),
        (
            everywhere((*without("cancel"), Posting(EMPTY, "capture", TEN))),
            EMPTY,
            {"capture_of_empty_cart", "other_total"},
            "20.20",
        ),
        (everywhere((*POSTINGS, Posting(FILLED, "cancel"))), FILLED, {"capture_and_cancel"}, "10.10"),
        (
            everywhere((*POSTINGS, Posting(FILLED, "refund", Money(Decimal("7.06"), "USD"), "r-2"))),
            FILLED,
            {"refund_above_capture"},
            "0.01",
        ),
        ({"files": without("order")}, FILLED, {"missing_order_in_files"}, "0.00"),
        ({"files": (*POSTINGS, Posting(FILLED, "order", ref="p-9"))}, FILLED, {"double_order_in_files"}, "0.00"),
        ({"feed": without("capture")}, FILLED, {"missing_capture_in_feed"}, "10.10"),
        ({"feed": without("refund")}, FILLED, {"missing_refund_in_feed"}, "3.05"),
        ({"platform": without("refund")}, FILLED, {"unknown_refund_in_files"}, "9.15"),
        (
            {"connector": (*POSTINGS[1:], Posting(FILLED, "order", ref="p-9"))},
            FILLED,
            {"other_purchase_in_connector"},
            "0.00",
        ),
        ({"orders": ORDERS[1:]}, FILLED, {"capture_without_order"}, "10.10"),
        (
            {"purchases": (*PURCHASES[:2], PURCHASES[2]._replace(owed=Decimal("2.31")))},
            APP,
            {"other_total"},
            "0.01",
        ),
    ],
)
def test_each_disagreement_is_found_and_named(
    changes: dict[str, Any], trip: str, codes: set[str], difference: str
) -> None:
    result = reconcile(day(**changes))
    of_trip = [one for one in result.disagreements if one.trip_id == trip]
    assert codes <= {one.code for one in of_trip}
    shown = result.to_json()
    assert not shown["agrees"]
    assert all(one["says"] for one in shown["trips"])
    assert shown["difference"] == difference


def test_hold_that_is_cancelled_is_no_disagreement() -> None:
    orders = (*ORDERS[:2], ORDERS[2]._replace(has_hold=True))
    assert reconcile(day(orders=orders, **everywhere((*POSTINGS, Posting(APP, "cancel"))))).disagreements == ()


def test_book_in_which_everything_is_double_is_compared_in_linear_time() -> None:
    postings = tuple(Posting(f"trip-{number}", "capture", TEN) for number in range(20_000))
    result = reconcile(Day((), Book("platform", ()), (Book("connector", postings * 2),)))
    doubled = [one.amount for one in result.disagreements if one.code == "double_capture_in_connector"]
    assert (len(doubled), set(doubled)) == (20_000, {TEN.amount})


def test_missing_book_is_named_and_is_no_disagreement() -> None:
    result = reconcile(Day(ORDERS, Book("platform", POSTINGS), missing={"feed": "no queue is set up"}))
    assert result.disagreements == ()
    assert result.to_json()["notReconciled"] == {"feed": "no queue is set up"}


def test_postings_before_a_subscription_may_be_missing() -> None:
    excused = frozenset(one.key for one in POSTINGS if one.trip_id == FILLED)
    book = Book("feed", tuple(one for one in POSTINGS if one.trip_id != FILLED), excused=excused)
    assert reconcile(Day(ORDERS, Book("platform", POSTINGS), (book,))).disagreements == ()


def test_book_of_some_kinds_is_compared_in_these_only() -> None:
    book = Book("connector", tuple(one for one in POSTINGS if one.kind == "order"), kinds=("order",))
    assert reconcile(Day(ORDERS, Book("platform", POSTINGS), (book,))).disagreements == ()


def order_row(**more: str) -> dict[str, str]:
    common = {"recordType": "ORDER", "shoppingTripId": FILLED, "recordId": f"{FILLED}:order", "purchaseId": "p-1"}
    return {**common, "lines": "1", **more}


LINE = {"recordType": "ORDER_LINE", "shoppingTripId": FILLED, "recordId": f"{FILLED}:line:1", "lineNumber": "1"}
REFUND = {
    "recordType": "CHARGE",
    "shoppingTripId": FILLED,
    "recordId": f"{FILLED}:charge:r-1",
    "operation": "Refund Charge",
    "amount": "3.05",
    "currency": "USD",
}


@pytest.mark.parametrize(
    ("rows", "postings", "problems"),
    [
        ([order_row(), LINE, order_row(), LINE], [Posting(FILLED, "order", ref="p-1")], 0),
        ([LINE, order_row()], [Posting(FILLED, "order", ref="p-1")], 0),
        ([order_row()], [Posting(FILLED, "order", ref="p-1")], 1),
        ([order_row(), LINE, order_row(recordId="another")], [Posting(FILLED, "order", ref="p-1")] * 2, 0),
        ([REFUND, REFUND], [Posting(FILLED, "refund", THREE, "r-1")], 0),
    ],
)
def test_rows_of_files_count_once_and_orders_need_all_lines(
    rows: list[dict[str, str]], postings: list[Posting], problems: int
) -> None:
    book = book_of_rows(rows)
    assert list(book.postings) == postings
    assert len(book.problems) == problems


def test_events_of_the_feed_count_once() -> None:
    refund = {"shoppingTripId": FILLED, "event": "CHARGE_REFUNDED", "operation": "Refund Charge"}
    refund |= {"refundRequestId": "r-1", "amount": {"amount": "3.05", "code": "USD"}}
    details: list[dict[str, Any]] = [
        {"shoppingTripId": FILLED, "event": "ORDER_DELIVERED", "purchaseId": "p-1"},
        {"shoppingTripId": FILLED, "event": "ORDER_ATTEMPT_FAILED", "purchaseId": None},
        {"shoppingTripId": FILLED, "event": "CHARGE_ADJUSTED", "operation": "Adjust Charge"},
        {"shoppingTripId": EMPTY, "event": "CHARGE_CANCELLED", "operation": "Cancel Charge"},
        {"shoppingTripId": FILLED, "event": "CHARGE_DECLINED", "operation": "Adjust Charge"},
        {"shoppingTripId": FILLED, "event": "SHOPPER_LEFT"},
    ]
    expected = [POSTINGS[0], Posting(EMPTY, "cancel"), Posting(FILLED, "refund", THREE, "r-1")]
    assert postings_of_details([*details, refund, refund]) == expected
