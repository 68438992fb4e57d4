"""The connector's books after a day at the real platform, through real queues and files, with faults."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import pytest

from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.command import ClientRun
from conformance.retailer_clients.feed_jobs import feed_jobs
from conformance.retailer_clients.files import FileInput
from conformance.steps import feed_consumer
from reference_connector.feeds import __main__ as books
from tests.reference_connector.conftest import Connector
from tests.simulator.in_process import GATE, RETAILER, STORE, InProcess, in_process

PORTAL = f"/portal/merchants/{RETAILER}"
QUARTER_S = 900
ARN = "arn:aws:sqs:us-east-1:123456789012:{}"


@pytest.fixture
def queues(aws_url: str) -> Iterator[dict[str, Any]]:
    """Two queues: their clients and addresses, as settings of feeds, and their names."""
    key = {"aws_access_key_id": "r", "aws_secret_access_key": "r", "region_name": "us-east-1"}
    sqs = boto3.client("sqs", endpoint_url=aws_url, **key)
    names = {kind: f"{kind}-{uuid4()}" for kind in ("events", "files")}
    urls = {f"{kind}_queue_url": sqs.create_queue(QueueName=name)["QueueUrl"] for kind, name in names.items()}
    access = {"aws_endpoint_url": aws_url, "access_key_id": "r", "secret_access_key": "r"}
    yield {"sqs": sqs, "names": names, "feeds": {**urls, **access, "wait_s": 1, "retry_s": 0.05, "overdue_s": 0}}
    sqs.close()


def order(platform: InProcess, *skus: str) -> str:
    """Let a shopper buy some items; return the trip's id once the cart is delivered."""
    trip = platform.enter()
    for sku in skus:
        platform.post(f"/trips/{trip}/pick", {"sku": sku})
    platform.post(f"/trips/{trip}/leave")
    for _ in range(500):
        if platform.get(f"/deliveries?tripId={trip}&state=delivered"):
            return trip
        platform.wait(0.005)
    raise AssertionError("the cart was not delivered")


def end_quarter(platform: InProcess) -> None:
    """Move the clock by a quarter of an hour, and wait until its file is announced."""
    files = platform.get(f"{PORTAL}/intra-day")["files"]
    platform.put("/clock", {"advanceS": QUARTER_S})
    for _ in range(500):
        if platform.get(f"{PORTAL}/intra-day")["files"] > files:
            return
        platform.wait(0.005)
    raise AssertionError("a file is missing")


def call(platform: InProcess, path: str, trip: str, amount: str = "", **more: str) -> None:
    money = {"amount": {"amount": float(amount), "code": "USD"}} if amount else {}
    body = {"storeId": STORE, "shoppingTripId": trip, **money, **more}
    assert platform.signed(path, body).status_code == 200


def play_day(platform: InProcess, connector: Connector, names: dict[str, str]) -> dict[str, str]:
    """Play a day with a split, a repeated, an empty and a late order, and repeated files; return the trips by kind."""
    setup = {"retailer": RETAILER, "gates": [GATE], "methods": ["card"], "strategy": "none"}
    platform.put(f"/portal/stores/{STORE}", {**setup, "connector": {"url": connector.url}})
    platform.put(f"{PORTAL}/intra-day", {"queueArn": ARN.format(names["files"])})
    platform.put(f"{PORTAL}/event-feed", {"queueArn": ARN.format(names["events"])})
    platform.post("/faults", {"name": "file_repeated"})
    trips = {}
    platform.post("/faults", {"name": "order_split"})
    trips["split"] = order(platform, "SKU-001", "SKU-002")
    platform.post("/faults", {"name": "order_repeated"})
    trips["repeated"] = order(platform, "SKU-003", "SKU-003")
    call(platform, "/v1/capture/charge", trips["split"], "12.3")
    call(platform, "/v1/refund", trips["split"], "2.35", refundRequestId=str(uuid4()), refundReasonCode="OTHER")
    end_quarter(platform)
    trips["empty"] = order(platform)
    call(platform, "/v1/cancel/charge", trips["empty"])
    call(platform, "/v1/capture/charge", trips["repeated"], "0.1")
    end_quarter(platform)
    trips["late"] = order(platform, "SKU-004")
    call(platform, "/v1/capture/charge", trips["split"], "12.3")
    end_quarter(platform)
    return trips


def wait_for(found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not found():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def left(queues: dict[str, Any], kind: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = queues["feeds"][f"{kind}_queue_url"]
    found = queues["sqs"].get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_day_with_repeated_files_and_split_orders_is_booked_to_the_cent(
    aws_url: str, queues: dict[str, Any], start: Callable[..., Connector]
) -> None:
    connector = start(feeds=queues["feeds"])
    clock: dict[str, Any] = {
        "own_clock": True,
        "clock_start": datetime(2026, 2, 9, 11, 50, tzinfo=UTC),
        "clock_speed": 0.0,
    }
    with in_process(aws_endpoint_url=aws_url, **clock) as platform:
        trips = play_day(platform, connector, queues["names"])
        wait_for(lambda: left(queues, "files") == 0)
        platform.wait(0.2)
        wait_for(lambda: left(queues, "events") == 0)
    queues["sqs"].send_message(QueueUrl=queues["feeds"]["files_queue_url"], MessageBody="poison")
    wait_for(lambda: connector.operator_get("/ops/feeds").json()["deadLetters"] == 1)

    books = {kind: connector.operator_get(f"/ops/books/{trip}").json() for kind, trip in trips.items()}
    shown = {
        kind: (book["order"]["captured"], book["order"]["refunded"], book["order"]["linesSeen"], book["order"]["lines"])
        for kind, book in books.items()
    }
    assert shown == {
        "split": ("12.30", "2.35", 2, 2),
        "repeated": ("0.10", "0.00", 1, 1),
        "empty": ("0.00", "0.00", 0, 0),
        "late": ("0.00", "0.00", 1, 1),
    }
    assert len(books["split"]["order"]["files"]) == 3
    assert books["empty"]["order"]["isCancelled"]
    assert all(book["order"]["purchaseId"] == book["sale"]["purchaseId"] for book in books.values())
    found = connector.operator_get("/ops/books").json()
    assert (found["sales"], found["orders"], found["wholeOrders"]) == (4, 4, 4)
    assert found["sums"]["USD"] == {
        "captured": "0.00",
        "refunded": "0.00",
        "ownCaptured": "0.00",
        "ownRefunded": "0.00",
        "fileCaptured": "12.40",
        "fileRefunded": "2.35",
        "eventCaptured": "12.40",
        "eventRefunded": "2.35",
    }
    assert found["differenceCounts"] == {"other_amount": 2}  # the retailer's own store must have no charges there
    [letter] = connector.operator_get("/ops/feeds/dead_letters").json()["deadLetters"]
    assert (letter["body"], letter["queue"]) == ("poison", "files")
    assert connector.operator_post(f"/ops/feeds/dead_letters/{letter['id']}/retry").json()["isRead"] is False
    assert "jwo_connector_dead_letters 1.0" in connector.operator_get("/metrics").text
    assert connector.operator_post(f"/ops/feeds/dead_letters/{letter['id']}/drop").status_code == 200
    assert connector.operator_get("/ops/feeds/dead_letters").json() == {"deadLetters": []}


def test_refusals_of_operators_calls_name_the_fix(start: Callable[..., Connector]) -> None:
    connector = start()
    answers = {
        "/ops/books/no-such-trip": 404,
        "/ops/books?since=yesterday": 400,
        "/ops/books?overdue_after_s=-1": 422,
        "/ops/books?since=2026-02-09T00:00:00Z&until=2026-02-10T00:00:00%2B01:00": 200,
    }
    assert {path: connector.operator_get(path).status_code for path in answers} == answers
    assert connector.operator_post("/ops/feeds/dead_letters/none/retry").status_code == 404
    assert connector.operator_get("/ops/feeds").json() == {"queues": [], "deadLetters": 0, "files": []}


@pytest.mark.slow
def test_command_books_the_queues_and_is_certified_as_a_feed_consumer(
    aws_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = Addresses("http://127.0.0.1:9", aws_url, "us-east-1")

    def run_here(given: FileInput) -> ClientRun:
        variables = {
            "FEEDS__FILES_QUEUE_URL": given.account.queue_url,
            "FEEDS__AWS_ENDPOINT_URL": aws_url,
            "FEEDS__ACCESS_KEY_ID": "r",
            "FEEDS__SECRET_ACCESS_KEY": "r",
            "FEEDS__WAIT_S": "1",
            "STORE__PATH": str(tmp_path / "books.sqlite3"),
        }
        for name, value in variables.items():
            monkeypatch.setenv(f"JWO_CONNECTOR_{name}", value)
        monkeypatch.setattr(sys, "argv", ["feeds", "--report", str(given.result_file)])
        books.main()
        return ClientRun(0, "", 0.0)

    runner: Any = SimpleNamespace(run=run_here)
    with feed_jobs(addresses, runner) as run:
        job = run("book a day of files", tmp_path)

    checks = feed_consumer._MATCHES  # noqa: SLF001 - each claim of the cases FEED-X
    assert {name: check(job) for name, check in checks.items()} == dict.fromkeys(checks)
