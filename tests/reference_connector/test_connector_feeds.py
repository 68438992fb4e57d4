"""The connector's books after a day at the real platform, through real queues and files, with faults."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import boto3
import httpx
import pytest

from conformance.retailer_clients.addresses import Addresses
from conformance.retailer_clients.command import ClientRun
from conformance.retailer_clients.feed_jobs import feed_jobs
from conformance.retailer_clients.files import FileInput
from conformance.steps import feed_consumer
from reference_connector.feeds import __main__ as command
from reference_connector.feeds.aws import SqsQueue
from reference_connector.platform_calls.caller import PlatformCaller
from reference_connector.platform_calls.settings import PlatformAccess
from reference_connector.telemetry import system_clock
from simulator.app import create_app
from simulator.settings import PlatformSettings
from tests.reference_connector.amazon_shop import ACCESS, retailer_file
from tests.reference_connector.conftest import Connector
from tests.simulator.conftest import _running as running_app
from tests.simulator.in_process import KEY

PORTAL = "/portal/merchants/corner-retail"
QUARTER_S = 900
ARN = "arn:aws:sqs:us-east-1:123456789012:{}"
AMAZON, CHECKOUT, OWN = "STORE-001", "TEST_STORE_001", "sample-store-id"


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


class Day:
    """A platform with its own clock, which stands still, and the calls of a day at it."""

    def __init__(self, url: str, connector: Connector) -> None:
        self._http = httpx.Client(base_url=url, trust_env=False, timeout=20)
        self.connector = connector

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self._http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def set_up(self, names: dict[str, str]) -> None:
        for store in (AMAZON, CHECKOUT, OWN):
            setup = {
                "retailer": "corner-retail",
                "gates": [f"gate-of-{store}"],
                "methods": ["card"],
                "strategy": "none",
            }
            self.call("PUT", f"/portal/stores/{store}", {**setup, "connector": {"url": self.connector.url}})
        key = {"accessKeyId": KEY.access_key_id, "secretAccessKey": KEY.secret_access_key}
        self.call("PUT", "/portal/accounts/123456789012", {"retailer": "corner-retail", **key})
        self.call("PUT", f"{PORTAL}/intra-day", {"queueArn": ARN.format(names["files"])})
        self.call("PUT", f"{PORTAL}/event-feed", {"queueArn": ARN.format(names["events"])})

    def order(self, store: str, *skus: str, fault: str = "", state: str = "") -> str:
        """Let a shopper buy some items, and wait until the charge has a state; return the trip's id."""
        trip = str(self.call("POST", f"/gates/gate-of-{store}/cards", {"instrument": "card-1"})["shoppingTripId"])
        if fault:
            self.call("POST", "/faults", {"name": fault, "where": {"trip": trip}})
        for sku in skus:
            self.call("POST", f"/trips/{trip}/pick", {"sku": sku})
        self.call("POST", f"/trips/{trip}/leave")
        wait_for(lambda: self.call("GET", f"/deliveries?tripId={trip}&state=delivered"))
        wait_for(lambda: not state or any(each["shoppingTripId"] == trip for each in self._charges(state)))
        return trip

    def _charges(self, state: str) -> list[dict[str, Any]]:
        return list(self.connector.operator_get(f"/ops/charges/{state}").json()["charges"])

    def refund(self, trip: str, amount: str) -> None:
        refund = {"refundRequestId": "3b241101-e2bb-4255-8caf-000000000001", "shoppingTripId": trip, "amount": amount}
        self.connector.operator_post("/ops/refunds", json=refund)
        wait_for(lambda: self.connector.operator_get("/ops/transfers/done").json()["transfers"])

    def end_quarter(self) -> None:
        """Move the clock by a quarter of an hour, and wait until its file is announced."""
        files = self.call("GET", f"{PORTAL}/intra-day")["files"]
        self.call("PUT", "/clock", {"advanceS": QUARTER_S})
        wait_for(lambda: self.call("GET", f"{PORTAL}/intra-day")["files"] > files)

    def close(self) -> None:
        self._http.close()


def play(day: Day) -> dict[str, str]:
    """Play a day with repeated files, and orders of each kind; return their trips."""
    day.call("POST", "/faults", {"name": "file_repeated"})
    trips = {
        "split": day.order(AMAZON, "SKU-001", "SKU-002", fault="order_split", state="captured"),
        "repeated": day.order(CHECKOUT, "SKU-002", "SKU-002", fault="order_repeated", state="captured"),
    }
    day.refund(trips["split"], "0.10")
    day.end_quarter()
    trips["empty"] = day.order(AMAZON, state="released")
    trips["own"] = day.order(OWN, "SKU-001")
    day.end_quarter()
    trips["late"] = day.order(CHECKOUT, "SKU-001", state="captured")
    day.end_quarter()
    return trips


def wait_for(found: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 20
    while not found():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def left(queues: dict[str, Any], kind: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    url = queues["feeds"][f"{kind}_queue_url"]
    found = queues["sqs"].get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def test_day_of_three_payment_models_is_booked_to_the_cent(
    aws_url: str, queues: dict[str, Any], start: Callable[..., Connector], tmp_path: Path
) -> None:
    start_at = datetime(2026, 2, 9, 11, 50, tzinfo=UTC)
    own: dict[str, Any] = {"clock_start": start_at, "clock_speed": 0.0, "aws_endpoint_url": aws_url, "seed": 7}
    with running_app(lambda url: create_app(PlatformSettings(base_url=url, **own))) as url:
        access = PlatformAccess(endpoint=url, **ACCESS)
        caller = PlatformCaller(access, block_amazon=True, clock=system_clock)
        retailer = retailer_file(tmp_path, {AMAZON: "amazon", CHECKOUT: "checkout"})
        more = {"retailer_files": (retailer,), "platform": access, "feeds": queues["feeds"]}
        with closing(Day(url, start(parts={"platform": caller}, payments={"poll_s": 0.02}, **more))) as day:
            day.set_up(queues["names"])
            trips, connector = play(day), day.connector
            wait_for(lambda: left(queues, "files") == 0)
            wait_for(lambda: day.call("GET", f"{PORTAL}/event-feed")["waiting"] == 0)
            wait_for(lambda: left(queues, "events") == 0)
    queues["sqs"].send_message(QueueUrl=queues["feeds"]["files_queue_url"], MessageBody="poison")
    wait_for(lambda: connector.operator_get("/ops/feeds").json()["deadLetters"] == 1)

    books = {kind: connector.operator_get(f"/ops/books/{trip}").json() for kind, trip in trips.items()}
    totals = {kind: connector.receipt(trip)["total"] for kind, trip in trips.items()}
    shown = {kind: (book["order"]["captured"], book["order"]["refunded"]) for kind, book in books.items()}
    assert shown == {
        "split": (totals["split"], "0.10"),
        "repeated": (totals["repeated"], "0.00"),
        "late": (totals["late"], "0.00"),
        "empty": ("0.00", "0.00"),
        "own": ("0.00", "0.00"),
    }
    assert len(books["split"]["order"]["files"]) == len(books["repeated"]["order"]["files"]) == 2
    assert books["empty"]["order"]["isCancelled"]
    assert all(book["order"]["purchaseId"] == book["sale"]["purchaseId"] for book in books.values())
    found = connector.operator_get("/ops/books").json()
    assert (found["sales"], found["orders"], found["wholeOrders"]) == (5, 5, 5)
    captured = str(sum(Decimal(totals[kind]) for kind in ("split", "repeated", "late")))
    assert Decimal(captured) > 1
    own_sums = {"ownCaptured": "0.00", "ownRefunded": "0.00"}
    assert found["sums"]["USD"] == own_sums | {
        "captured": captured,
        "refunded": "0.10",
        "fileCaptured": captured,
        "fileRefunded": "0.10",
        "eventCaptured": captured,
        "eventRefunded": "0.10",
    }
    assert (found["differenceCounts"], found["differences"]) == ({}, [])
    assert books["late"]["order"]["orderId"]
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


def test_hidden_message_comes_again_after_its_pause(queues: dict[str, Any]) -> None:
    url = queues["feeds"]["files_queue_url"]
    queues["sqs"].send_message(QueueUrl=url, MessageBody="a notification")
    queue = SqsQueue(queues["sqs"], url, at_once=1, wait_s=1)
    [message] = queue.receive()

    queue.hide(message.handle, 0)

    [again] = queue.receive()
    assert (again.body, again.receives) == ("a notification", 2)


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
        command.main()
        return ClientRun(0, "", 0.0)

    runner: Any = SimpleNamespace(run=run_here)
    with feed_jobs(addresses, runner) as run:
        job = run("book a day of files", tmp_path)

    checks = feed_consumer._MATCHES  # noqa: SLF001 - each claim of the cases FEED-X
    assert {name: check(job) for name, check in checks.items()} == dict.fromkeys(checks)
