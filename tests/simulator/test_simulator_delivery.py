"""Delivery: the table of outcomes, the waits, the dead-letter list, and what a restart keeps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from jwo_contract.gate import NoAnswer
from jwo_contract.house import Delivery, House
from simulator.connector import Exchange
from simulator.delivery import backoff_s, judge

NOW = datetime(2026, 2, 5, 12, 0, 0, tzinfo=UTC)


def an_exchange(status: int | None, body: Any = b"", failure: NoAnswer | None = None, **headers: str) -> Exchange:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Exchange("Create Purchases", "", {}, b"", status, named, content, failure, 5)


GOOD = {"purchaseId": "p"}


@pytest.mark.parametrize(
    ("exchange", "outcome", "retry", "purchase_id"),
    [
        (an_exchange(201, GOOD), "delivered", False, "p"),
        (an_exchange(200, GOOD), "delivered", False, "p"),
        (an_exchange(202, GOOD), "refused", False, None),
        (an_exchange(201, {"purchaseId": ""}), "malformed_answer", True, None),
        (an_exchange(201, {"purchaseId": None}), "malformed_answer", True, None),
        (an_exchange(201, {"purchaseId": "x" * 256}), "malformed_answer", True, None),
        (an_exchange(201, b"<html>"), "malformed_answer", True, None),
        (an_exchange(204), "malformed_answer", True, None),
        (an_exchange(429), "rate_limited", True, None),
        (an_exchange(500), "server_error", True, None),
        (an_exchange(599), "server_error", True, None),
        (an_exchange(302), "refused", False, None),
        (an_exchange(400), "refused", False, None),
        (an_exchange(409), "refused", False, None),
        (an_exchange(None, failure=NoAnswer.TIMED_OUT), "timed_out", True, None),
        (an_exchange(None, failure=NoAnswer.NO_CONNECTION), "no_connection", True, None),
    ],
)
def test_outcome_table(exchange: Exchange, outcome: str, *, retry: bool, purchase_id: str | None) -> None:
    verdict = judge(exchange, empty_cart=False, house=House(), now=NOW)
    assert (verdict.outcome, verdict.retry, verdict.purchase_id) == (outcome, retry, purchase_id)


def test_empty_id_is_usable_for_an_empty_cart_only() -> None:
    answer = an_exchange(201, {"purchaseId": ""})
    assert judge(answer, empty_cart=True, house=House(), now=NOW).purchase_id == ""
    assert judge(answer, empty_cart=False, house=House(), now=NOW).retry


@pytest.mark.parametrize(
    ("text", "wait"),
    [("7", 7.0), ("Thu, 05 Feb 2026 12:00:30 GMT", 30.0), ("Thu, 05 Feb 2026 11:00:00 GMT", 0.0), ("soon", 0.0)],
)
def test_retry_after_counts_on_429(text: str, wait: float) -> None:
    assert judge(an_exchange(429, retry_after=text), empty_cart=False, house=House(), now=NOW).retry_after_s == wait
    assert judge(an_exchange(500, retry_after=text), empty_cart=False, house=House(), now=NOW).retry_after_s == 0
    off = House(delivery=Delivery(honour_retry_after=False))
    assert judge(an_exchange(429, retry_after=text), empty_cart=False, house=off, now=NOW).retry_after_s == 0


def test_waits_double_up_to_five_minutes() -> None:
    waits = [backoff_s(tries, Delivery()) for tries in range(1, 12)]
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert backoff_s(100_000, Delivery()) == 300


def leave(platform: Any, trip: str) -> None:
    assert platform.http.post(f"/trips/{trip}/pick", json={"sku": "SKU-1"}).status_code == 200
    assert platform.http.post(f"/trips/{trip}/leave").status_code == 200


def test_same_cart_is_sent_again_with_a_new_request_id(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    connector.purchases = [(500, {}), (503, b""), (201, b"{"), (201, {"purchaseId": "late"})]
    trip = steady.enter()
    leave(steady, trip)
    result = steady.delivery(trip)
    sent = connector.bodies("purchases")
    ids = [body.pop("requestId") for body in sent]
    assert len(set(ids)) == len(ids) == 4
    assert sent == [sent[0]] * 4
    assert sent[0]["idempotentShoppingTripId"] == trip
    assert [attempt["requestId"] for attempt in result["attempts"]] == ids
    assert [(attempt["status"], attempt["outcome"]) for attempt in result["attempts"]] == [
        (500, "server_error"),
        (503, "server_error"),
        (201, "malformed_answer"),
        (201, "delivered"),
    ]
    assert (result["purchaseId"], result["reason"]) == ("late", None)


def test_refused_cart_is_a_dead_letter_at_once_and_can_be_redriven(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    connector.purchases = [(400, {"errorMsg": "no"}), (201, {"purchaseId": "p"})]
    trip = steady.enter()
    leave(steady, trip)
    dead = steady.delivery(trip, "dead_letter")
    assert "400" in dead["reason"]
    assert len(dead["attempts"]) == 1
    assert steady.http.post(f"/deliveries/{trip}/redrive").status_code == 202
    alive = steady.delivery(trip)
    assert alive["purchaseId"] == "p"
    assert len({attempt["requestId"] for attempt in alive["attempts"]}) == 2
    assert steady.http.post(f"/deliveries/{trip}/redrive").status_code == 409
    assert steady.http.post("/deliveries/none/redrive").status_code == 404


def test_cart_is_a_dead_letter_after_the_time_window(start_platform: Any, connector: Any) -> None:
    platform = start_platform(delivery={"backoff_first_s": 60, "window_h": 0.01})
    platform.set_up_store(connector)
    connector.purchases = [(500, {})]
    trip = platform.enter()
    leave(platform, trip)
    dead = platform.delivery(trip, "dead_letter")
    assert "server_error" in dead["reason"]


def test_wait_follows_the_platforms_clock(start_platform: Any, connector: Any) -> None:
    platform = start_platform(delivery={"backoff_first_s": 300})
    platform.set_up_store(connector)
    connector.purchases = [(500, {}), (201, {"purchaseId": "p"})]
    trip = platform.enter()
    leave(platform, trip)
    pending = platform.delivery(trip, "pending")
    assert pending["purchaseId"] is None
    platform.clock.ahead = timedelta(seconds=301)
    assert len(platform.delivery(trip)["attempts"]) == 2


@pytest.mark.parametrize(("status", "honoured"), [(429, True), (503, False)])
def test_throttled_cart_waits_for_the_connectors_retry_after(
    start_real: Any, connector: Any, status: int, *, honoured: bool
) -> None:
    platform = start_real(clock_speed=60)
    platform.set_up_store(connector)
    connector.purchases = [(status, {}, {"headers": {"Retry-After": "40"}}), (201, {"purchaseId": "p"})]
    trip = platform.enter()
    leave(platform, trip)
    first, second = (datetime.fromisoformat(attempt["at"]) for attempt in platform.delivery(trip)["attempts"])
    assert (second - first >= timedelta(seconds=39)) is honoured


def test_time_out_is_retried(start_platform: Any, connector: Any) -> None:
    platform = start_platform(delivery={"backoff_first_s": 0.05, "order_timeout_s": 0.2})
    platform.set_up_store(connector)
    connector.purchases = [(201, {"purchaseId": "p"}, {"delay_s": 0.5}), (201, {"purchaseId": "p"})]
    trip = platform.enter()
    leave(platform, trip)
    outcomes = [attempt["outcome"] for attempt in platform.delivery(trip)["attempts"]]
    assert outcomes == ["timed_out", "delivered"]


def test_restart_keeps_pending_carts(start_platform: Any, connector: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sqlite3")
    before = start_platform(database_path=path, delivery={"backoff_first_s": 300, "backoff_max_s": 300})
    before.set_up_store(connector)
    connector.purchases = [(500, {}), (201, {"purchaseId": "p"})]
    trip = before.enter()
    leave(before, trip)
    before.delivery(trip, "pending")
    before.stop()
    after = start_platform(database_path=path)
    after.set_up_store(connector)
    after.clock.ahead = timedelta(seconds=301)
    result = after.delivery(trip)
    assert [attempt["outcome"] for attempt in result["attempts"]][-1] == "delivered"
    trips = {body["idempotentShoppingTripId"] for body in connector.bodies("purchases")}
    assert trips == {trip}


def test_journal_finds_deliveries_by_trip(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    trip = steady.enter()
    leave(steady, trip)
    steady.delivery(trip)
    kinds = [entry["kind"] for entry in steady.http.get("/journal", params={"trip": trip}).json()]
    assert kinds == ["exchange", "gate_decision", "exit", "delivery"]
