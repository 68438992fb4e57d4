"""The intra-day files: their cadence, their rows and announcements, and the test events of the event feed."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import boto3
import orjson
import pytest
from botocore.exceptions import EndpointConnectionError

from jwo_contract.register import register
from simulator.event_families import event_of
from simulator.intraday.announcement import StoredFile
from simulator.intraday.rows import COLUMNS, rows_of
from tests.simulator.in_process import GATE, RETAILER, STORE, InProcess, in_process

START = datetime(2026, 2, 7, 10, 7, tzinfo=UTC)
PATH = f"/portal/merchants/{RETAILER}/intra-day"
QUARTER_S = 900


@pytest.fixture(scope="module")
def s3(aws_url: str) -> Iterator[Any]:
    client = boto3.client(
        "s3", endpoint_url=aws_url, region_name="us-east-1", aws_access_key_id="r", aws_secret_access_key="r"
    )
    yield client
    client.close()


@contextmanager
def reporting(aws_url: str, queue: Any, connector: Any, **settings: Any) -> Iterator[InProcess]:
    """Run a platform of which the clock stands at 10:07, with a subscribed queue."""
    clock = {"own_clock": True, "clock_start": START, "clock_speed": 0.0}
    with in_process(aws_endpoint_url=aws_url, **clock, **settings) as platform:
        setup = {"retailer": RETAILER, "gates": [GATE], "methods": ["card"], "strategy": "none"}
        platform.put(f"/portal/stores/{STORE}", {**setup, "connector": {"url": connector.url}})
        platform.put(PATH, {"queueArn": queue.arn})
        yield platform


def advance(platform: InProcess, seconds: float = QUARTER_S) -> None:
    """Move the clock, and wait until all files of the passed time are announced."""
    platform.put("/clock", {"advanceS": seconds})
    now = platform.get("/clock")["now"]
    for _ in range(500):
        state = platform.get(PATH)
        if state["nextRun"] > now:
            return
        platform.wait(0.005)
    raise AssertionError(f"a file is missing: {state}")


def order(platform: InProcess, *skus: str) -> str:
    """Let a shopper buy some items; returns the trip's id once the cart is delivered."""
    trip = platform.enter()
    for sku in skus:
        platform.post(f"/trips/{trip}/pick", {"sku": sku})
    platform.post(f"/trips/{trip}/leave")
    wait_for_delivery(platform, trip)
    return trip


def wait_for_delivery(platform: InProcess, trip: str) -> None:
    for _ in range(500):
        if platform.get(f"/deliveries?tripId={trip}&state=delivered"):
            return
        platform.wait(0.005)
    raise AssertionError("the cart was not delivered")


def capture(platform: InProcess, trip: str, amount: float) -> None:
    body = {"storeId": STORE, "shoppingTripId": trip, "amount": {"amount": amount, "code": "USD"}}
    assert platform.signed("/v1/capture/charge", body).status_code == 200


def announced(queue: Any) -> list[dict[str, Any]]:
    """Take all notifications out of the queue, ten at a time."""
    found: list[dict[str, Any]] = []
    while batch := queue.receive():
        found += batch
    return found


def files_of(envelopes: list[dict[str, Any]], s3: Any) -> list[tuple[str, list[dict[str, str]]]]:
    """Return the name and the rows of each announced file, in the order of the names."""
    found = []
    for envelope in envelopes:
        (record,) = orjson.loads(envelope["Message"])["Records"]
        key = unquote_plus(record["s3"]["object"]["key"])
        body = s3.get_object(Bucket=record["s3"]["bucket"]["name"], Key=key)["Body"].read()
        assert len(body) == record["s3"]["object"]["size"]
        found.append((key.rpartition("/")[2], list(csv.DictReader(io.StringIO(body.decode())))))
    return sorted(found, key=lambda one: one[0])


def test_orders_and_their_money_come_in_the_file_of_their_quarter(
    aws_url: str, queue: Any, connector: Any, s3: Any
) -> None:
    with reporting(aws_url, queue, connector) as platform:
        trip = order(platform, "A", "B", "B")
        capture(platform, trip, 12.3)
        advance(platform)
        late = order(platform)
        advance(platform)
        envelopes = announced(queue)
    assert {envelope["Subject"] for envelope in envelopes} == {"Amazon S3 Notification"}
    assert {envelope["Type"] for envelope in envelopes} == {"Notification"}
    record = orjson.loads(envelopes[0]["Message"])["Records"][0]
    assert (record["eventVersion"], record["eventName"]) == ("2.1", "ObjectCreated:CompleteMultipartUpload")
    (first, rows), (second, later) = files_of(envelopes, s3)
    assert (first, second) == ("10-15.csv", "10-30.csv")
    assert [(row["recordType"], row["productId"], row["quantity"]) for row in rows] == [
        ("ORDER", "", ""),
        ("ORDER_LINE", "A", "1.0"),
        ("ORDER_LINE", "B", "2.0"),
        ("CHARGE", "", ""),
    ]
    assert {row["shoppingTripId"] for row in rows} == {trip}
    assert (rows[0]["lines"], rows[0]["purchaseId"]) == ("2", "purchase-1")
    assert (rows[3]["amount"], rows[3]["currency"], rows[3]["operation"]) == ("12.3", "USD", "Capture Charge")
    assert [(row["recordType"], row["shoppingTripId"], row["lines"]) for row in later] == [("ORDER", late, "0")]


@pytest.mark.parametrize(("files_an_hour", "expected"), [(4, 96), (1, 24)])
def test_day_has_the_published_number_of_files(
    aws_url: str,
    queue: Any,
    connector: Any,
    monkeypatch: pytest.MonkeyPatch,
    files_an_hour: int,
    expected: int,
) -> None:
    for name, step in {"store": stored_nowhere, "announce": announced_nowhere}.items():
        monkeypatch.setattr(f"simulator.intraday.delivery.FileDelivery.{name}", step)
    with reporting(aws_url, queue, connector, intra_day={"files_an_hour": files_an_hour}) as platform:
        advance(platform, 86_400)
        assert platform.get(PATH)["files"] == expected


def test_quiet_times_have_no_file_on_request(aws_url: str, queue: Any, connector: Any) -> None:
    with reporting(aws_url, queue, connector, intra_day={"empty_files": False, "subject": "Files"}) as platform:
        order(platform, "A")
        advance(platform, 3600)
        (envelope,) = announced(queue)
    assert envelope["Subject"] == "Files"


def test_order_spans_files_and_comes_again_on_request(aws_url: str, queue: Any, connector: Any, s3: Any) -> None:
    with reporting(aws_url, queue, connector) as platform:
        for name in ("order_split", "order_repeated"):
            platform.post("/faults", {"name": name, "where": {"store": STORE}})
        platform.post("/faults", {"name": "file_repeated"})
        order(platform, "A", "B")
        advance(platform, 4 * QUARTER_S)
        files = files_of(announced(queue), s3)
    names = Counter(name for name, _ in files)
    assert names == {"10-15.csv": 2, "10-30.csv": 1, "10-45.csv": 1, "11-00.csv": 1}
    rows = {name: [row["recordType"] for row in rows] for name, rows in files}
    assert rows == {
        "10-15.csv": ["ORDER"],
        "10-30.csv": ["ORDER_LINE", "ORDER_LINE"],
        "10-45.csv": ["ORDER", "ORDER_LINE", "ORDER_LINE"],
        "11-00.csv": [],
    }
    ids = Counter(row["recordId"] for _, found in dict(files).items() for row in found)
    assert set(ids.values()) == {2}


def test_waiting_rows_survive_a_restart(aws_url: str, queue: Any, connector: Any, s3: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sqlite3")
    with reporting(aws_url, queue, connector, database_path=path) as platform:
        trip = order(platform, "A")
        assert platform.get(PATH)["waitingRows"] == 2
    with in_process(aws_endpoint_url=aws_url, own_clock=True, database_path=path) as platform:
        advance(platform)
        ((_, rows),) = files_of(announced(queue), s3)
    assert {row["shoppingTripId"] for row in rows} == {trip}


def test_file_waits_until_aws_answers(
    aws_url: str, queue: Any, connector: Any, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulator.intraday.files._RETRY_AFTER_S", 0.01)
    with reporting(aws_url, queue, connector) as platform:
        order(platform, "A")
        with monkeypatch.context() as patch:
            patch.setattr("simulator.intraday.delivery.FileDelivery.store", unreachable)
            platform.put("/clock", {"advanceS": QUARTER_S})
            platform.wait(0.05)
            state = platform.get(PATH)
            assert (state["failure"], state["waitingRows"]) == ("EndpointConnectionError", 2)
        advance(platform, 0)
        assert platform.get(PATH)["failure"] == ""
        ((_, rows),) = files_of(announced(queue), s3)
    assert len(rows) == 2


async def stored_nowhere(_self: Any, key: str, body: bytes) -> StoredFile:
    return StoredFile("no-bucket", key, len(body), "etag")


async def announced_nowhere(*_given: Any) -> None:
    return None


async def unreachable(*_given: Any) -> None:
    raise EndpointConnectionError(endpoint_url="http://s3")


def test_new_queue_gets_the_next_files(aws_url: str, make_queue: Any, connector: Any) -> None:
    old, new = make_queue(), make_queue()
    with reporting(aws_url, old, connector) as platform:
        platform.put(PATH, {"queueArn": new.arn})
        advance(platform)
    assert (len(announced(old)), len(announced(new))) == (0, 1)


def test_unknown_subscription_and_wrong_queue_are_refused(aws_url: str) -> None:
    with in_process(aws_endpoint_url=aws_url) as platform:
        assert platform.call("GET", PATH, b"").status_code == 404
        assert platform.call("PUT", PATH, {"queueArn": "no-arn"}).status_code == 400
    with in_process() as platform:
        arn = "arn:aws:sqs:us-east-1:123456789012:q"
        assert platform.call("PUT", PATH, {"queueArn": arn}).status_code == 409


def test_feed_sends_a_test_event_of_each_family(aws_url: str, queue: Any) -> None:
    path = f"/portal/merchants/{RETAILER}/event-feed"
    with in_process(aws_endpoint_url=aws_url) as platform:
        assert platform.call("POST", f"{path}/test").status_code == 404
        platform.put(path, {"queueArn": queue.arn})
        ids = platform.post(f"{path}/test")["eventIds"]
        got: list[dict[str, Any]] = []
        for _ in range(200):
            platform.wait(0.005)
            got += queue.receive()
            if len(got) == 3:
                break
    assert sorted(event["id"] for event in got) == sorted(ids)
    assert {event["detail-type"] for event in got} == {"Ordering", "Payment", "Shopper"}
    assert {event["detail"]["event"] for event in got} == {"TEST_EVENT"}


def test_feed_has_carts_payments_and_declined_payments(aws_url: str, queue: Any, connector: Any) -> None:
    with reporting(aws_url, queue, connector) as platform:
        platform.put(f"/portal/merchants/{RETAILER}/event-feed", {"queueArn": queue.arn})
        paid, declined = order(platform, "A"), order(platform, "A")
        capture(platform, paid, 12.3)
        platform.post("/faults", {"name": "charge_declined", "where": {"trip": declined}})
        body = {"storeId": STORE, "shoppingTripId": declined, "amount": {"amount": 61.2, "code": "USD"}}
        assert platform.signed("/v1/adjust/charge", body).json()["status"] == "DECLINED"
        got: list[dict[str, Any]] = []
        for _ in range(200):
            platform.wait(0.005)
            got += queue.receive()
            if len([event for event in got if event["detail-type"] != "Shopper"]) == 4:
                break
    found = sorted((event["detail"]["event"], event["detail"]["shoppingTripId"]) for event in got)
    assert [event for event in found if not event[0].startswith("SHOPPER_")] == sorted(
        [
            ("CHARGE_CAPTURED", paid),
            ("CHARGE_DECLINED", declined),
            ("ORDER_DELIVERED", paid),
            ("ORDER_DELIVERED", declined),
        ]
    )


def test_declined_payment_is_an_event_and_no_row() -> None:
    entry = {"kind": "charge", "effect": "changed", "operation": "Adjust Charge", "status": "DECLINED"}
    full = {**entry, "tripId": "t", "storeId": STORE, "at": "2026-02-07T10:07:00Z"}
    event = event_of(full)
    assert event is not None
    assert (event[0], event[1]["event"]) == ("Payment", "CHARGE_DECLINED")
    assert rows_of(full) == []


def test_rows_have_only_named_columns() -> None:
    entry = {"kind": "charge", "operation": "Refund Charge", "refundRequestId": "r-1", "tripId": "t"}
    amount = {"amount": {"amount": "1.50", "code": "USD"}, "reconciliationId": "id-1"}
    full = {**entry, **amount, "storeId": STORE, "at": "2026-02-07T10:07:00Z"}
    (row,), (again,) = rows_of({**full, "effect": "changed"}), rows_of({**full, "effect": "repeated"})
    assert row == again
    assert set(row) <= set(COLUMNS)
    assert (row["recordId"], row["amount"]) == ("t:charge:r-1", "1.50")


PROOFS = {
    "PLAN-APP-6.3": test_orders_and_their_money_come_in_the_file_of_their_quarter,
    "PLAN-APP-6.6": test_feed_has_carts_payments_and_declined_payments,
    "PLAN-APP-6.7": test_feed_has_carts_payments_and_declined_payments,
    "PLAN-APP-6.8": test_feed_has_carts_payments_and_declined_payments,
    "PLAN-APP-6.9": test_feed_sends_a_test_event_of_each_family,
}
"""The test that proves each row."""


def test_register_names_the_proof_of_each_case() -> None:
    rows = [row for row in register().values() if row.api in {"Event Feed", "Report files"}]
    proven = {row.id for row in rows if "our own tests prove it" in row.not_tested}
    assert proven == PROOFS.keys()


def test_no_row_of_the_register_is_out_of_scope() -> None:
    assert [row.id for row in register().values() if row.not_tested_because == "out_of_scope"] == []
