"""The reconciliation over the control API: charges, files and feed of a real day, and what a kill loses comes again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.in_process import GATE, RETAILER, STORE, InProcess, in_process
from tests.simulator.test_simulator_intraday import START, advance, capture, order, wait_for_delivery

FEED = f"/portal/merchants/{RETAILER}/event-feed"
FILES = f"/portal/merchants/{RETAILER}/intra-day"
USD = {"code": "USD"}


@contextmanager
def paying(aws_url: str, connector: Any, bucket: str, **settings: Any) -> Iterator[InProcess]:
    """Run a platform whose store lets Amazon charge cards, with the clock at 10:07."""
    clock = {"own_clock": True, "clock_start": START, "clock_speed": 0.0}
    with in_process(aws_endpoint_url=aws_url, intra_day_bucket=bucket, **clock, **settings) as platform:
        setup = {"retailer": RETAILER, "gates": [GATE], "methods": ["card"], "strategy": "none"}
        platform.put(
            f"/portal/stores/{STORE}", {**setup, "paymentProcessor": "amazon", "connector": {"url": connector.url}}
        )
        yield platform


def refund(platform: InProcess, trip: str, amount: float) -> None:
    ids = {"storeId": STORE, "shoppingTripId": trip, "refundRequestId": "3b241101-e2bb-4255-8caf-4136c566a962"}
    body = {**ids, "amount": {"amount": amount, **USD}, "refundReasonCode": "OTHER"}
    assert platform.signed("/v1/refund", body).status_code == 200


def cancel(platform: InProcess, trip: str) -> None:
    assert platform.signed("/v1/cancel/charge", {"storeId": STORE, "shoppingTripId": trip}).status_code == 200


def rows_of(shown: dict[str, Any]) -> dict[str, dict[str, tuple[int, dict[str, str]]]]:
    """Return count and money by row and book."""
    return {
        row["name"]: {name: (one["count"], one["money"]) for name, one in row["books"].items()} for row in shown["rows"]
    }


def codes(shown: dict[str, Any]) -> dict[str, str]:
    return {one["code"]: one["tripId"] for one in shown["trips"]}


def test_day_agrees_in_charges_files_and_feed(aws_url: str, queue: Any, connector: Any) -> None:
    with paying(aws_url, connector, "reconciled-1") as platform:
        platform.put(FEED, {"queueArn": queue.arn})
        platform.put(FILES, {"queueArn": queue.arn})
        bought, empty = order(platform, "A", "B"), order(platform)
        assert codes(platform.get("/reconciliation")) == {"missing_capture": bought, "missing_cancel": empty}
        capture(platform, bought, 12.3)
        cancel(platform, empty)
        platform.post("/faults", {"name": "charge_declined"})
        refused = order(platform, "A")
        body = {"storeId": STORE, "shoppingTripId": refused, "amount": {"amount": 9.0, **USD}}
        assert platform.signed("/v1/adjust/charge", body).json()["status"] == "DECLINED"
        advance(platform)
        refund(platform, bought, 2.05)
        shown = platform.get("/reconciliation")
        assert (shown["trips"], shown["difference"], shown["agrees"]) == ([], "0.00", True)
        assert list(shown["notReconciled"]) == ["connector"]
        assert shown["notes"] == ["files: 1 rows wait for the next file, and count"]
        everywhere = ("platform", "feed", "files")
        assert rows_of(shown) == {
            "Orders": dict.fromkeys(everywhere, (3, {})),
            "Captured": {name: (1, {"USD": "12.30"}) for name in everywhere},
            "Cancelled": dict.fromkeys(everywhere, (1, {})),
            "Refunded": {name: (1, {"USD": "2.05"}) for name in everywhere},
        }
        purchases = [
            {"tripId": bought, "purchaseId": "purchase-1", "total": {"amount": "12.30", **USD}},
            {"tripId": empty, "purchaseId": "purchase-1"},
            {"tripId": refused, "purchaseId": "purchase-1", "total": {"amount": "9.00", **USD}, "owed": "9.00"},
        ]
        assert codes(platform.post("/reconciliation", {"purchases": purchases})) == {"open_hold": refused}
        cancel(platform, refused)
        book = {"name": "connector", "kinds": ["order"], "postings": [{"tripId": bought, "kind": "order", "ref": "x"}]}
        compared = platform.post("/reconciliation", {"books": [book], "purchases": purchases})
        assert codes(compared) == {"other_purchase_in_connector": bought, "missing_order_in_connector": refused}
        purchases[0]["total"] = {"amount": "12.31", **USD}
        compared = platform.post("/reconciliation?most=1", {"purchases": purchases})
        assert (compared["difference"], codes(compared)) == ("0.01", {"other_total": bought})
        bad = {"purchases": [{**purchases[0], "owed": "NaN"}]}
        assert platform.call("POST", "/reconciliation", bad).status_code == 400


def test_card_of_a_group_that_another_one_pays_for_has_a_hold_until_it_is_cancelled(connector: Any) -> None:
    with in_process() as platform:
        store = {"retailer": RETAILER, "gates": [GATE], "methods": ["app", "card"], "paymentProcessor": "amazon"}
        platform.put(f"/portal/stores/{STORE}", {**store, "connector": {"url": connector.url}, "strategy": "none"})

        def leave(*joining: str) -> str:
            trip = str(platform.post(f"/gates/{GATE}/scans", {"text": "a code"})["shoppingTripId"])
            for card in joining:
                assert platform.post(f"/gates/{GATE}/cards", {"instrument": card, "joins": trip})["opens"]
            platform.post(f"/trips/{trip}/leave")
            wait_for_delivery(platform, trip)
            return trip

        alone = leave()
        group = leave("card-1", "card-2")
        assert platform.get("/reconciliation")["trips"] == [], "the connector shows no purchases"
        price = {"total": {"amount": "3.00", **USD}, "elsewhere": "3.00"}
        purchases = [{"tripId": each, "purchaseId": "purchase-1", **price} for each in (alone, group)]
        [open_hold] = platform.post("/reconciliation", {"purchases": purchases})["trips"]
        assert (open_hold["tripId"], open_hold["code"]) == (group, "open_hold")
        assert open_hold["says"] == "a card of the trip has a hold, and no capture or cancel ends it"
        cancel(platform, group)
        assert platform.post("/reconciliation", {"purchases": purchases})["trips"] == []


def test_platform_without_queues_says_what_is_not_reconciled() -> None:
    with in_process() as platform:
        shown = platform.get("/reconciliation")
    assert set(shown["notReconciled"]) == {"connector", "feed", "files"}
    assert (shown["agrees"], shown["difference"]) == (True, "0.00")


def test_what_happened_before_a_queue_was_there_is_not_missing(aws_url: str, queue: Any, connector: Any) -> None:
    with paying(aws_url, connector, "reconciled-2") as platform:
        capture(platform, order(platform, "A"), 5.0)
        platform.put(FEED, {"queueArn": queue.arn})
        platform.put(FILES, {"queueArn": queue.arn})
        capture(platform, order(platform, "A"), 6.0)
        shown = platform.get("/reconciliation")
        assert shown["trips"] == []
        assert rows_of(shown)["Captured"]["feed"] == (1, {"USD": "6.00"})


def test_order_and_charge_of_a_killed_platform_are_announced_by_the_next_start(
    aws_url: str, queue: Any, connector: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform dies after it has stored the cart's delivery and the capture, before any journal entry."""
    path = str(tmp_path / "platform.sqlite3")
    with paying(aws_url, connector, "reconciled-3", database_path=path) as platform:
        platform.put(FEED, {"queueArn": queue.arn})
        platform.put(FILES, {"queueArn": queue.arn})
        with monkeypatch.context() as patch:
            patch.setattr("simulator.journal.Journal._keep", lambda *_: None)
            trip = order(platform, "A", "B")
            capture(platform, trip, 12.3)
        lost = set(codes(platform.get("/reconciliation")))
        assert {"missing_order_in_feed", "missing_capture_in_feed", "missing_order_in_files"} <= lost
    with paying(aws_url, connector, "reconciled-3", database_path=path) as platform:
        shown = platform.get("/reconciliation")
        assert shown["trips"] == []
        assert rows_of(shown)["Captured"]["files"] == (1, {"USD": "12.30"})
        again = platform.get(f"/journal?trip={trip}")
        assert [entry["kind"] for entry in again] == ["order_recovered", "charge"]


def test_what_a_kill_announces_twice_has_the_same_id(
    aws_url: str, queue: Any, connector: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The platform dies after it has queued event and rows, before it has marked them."""
    path = str(tmp_path / "platform.sqlite3")
    with monkeypatch.context() as patch:
        patch.setattr("simulator.announcements.Announcements.receive", lambda *_: None)
        with paying(aws_url, connector, "reconciled-4", database_path=path) as platform:
            platform.put(FEED, {"queueArn": queue.arn})
            platform.put(FILES, {"queueArn": queue.arn})
            capture(platform, order(platform, "A"), 5.0)
    events: list[dict[str, Any]] = []
    with paying(aws_url, connector, "reconciled-4", database_path=path) as platform:
        assert platform.get("/reconciliation")["trips"] == []
        for _ in range(200):
            platform.wait(0.005)
            events += queue.receive()
            if sum(event["detail"].get("event") == "CHARGE_CAPTURED" for event in events) >= 2:
                break
    twice = Counter(event["id"] for event in events if event["detail-type"] in {"Ordering", "Payment"})
    assert len(twice) == 2
    assert min(twice.values()) >= 2
