"""A platform that is killed and started again on its files has the same state.

One test kills a process by SIGKILL. The others copy the files while the platform runs, because a kill leaves the same
content, and start another platform on the copy.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest

from jwo.processes import Processes

STORE, GATE, ACCOUNT = "STORE-001", "STORE-001-GATE-1", "123456789012"
FIRST, SECOND = "012345678905", "4006381333931"


def an_item(sku: str = "SKU-1", barcode: str = FIRST, **more: Any) -> dict[str, Any]:
    return {"item_sku": sku, "external_product_id": barcode, "item_name": "Thing", "store_id": STORE, **more}


def shown(platform: Any, *paths: str) -> dict[str, Any]:
    return {path: platform.http.get(path).json() for path in paths}


@pytest.fixture
def lives(start_real: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Start a platform; each further call starts one on a copy of the last one's files."""
    count = 0

    def start(spoil: Callable[[Path], None] = lambda _: None, **more: Any) -> Any:
        nonlocal count
        count += 1
        folder = tmp_path / str(count)
        if count == 1:
            folder.mkdir()
        else:
            shutil.copytree(tmp_path / str(count - 1), folder)
            spoil(folder)
        return start_real(database_path=str(folder / "platform.sqlite3"), **more)

    return start


def invite(platform: Any, queue: Any) -> Any:
    assert platform.allow_list(queue.arn).status_code == 200
    (invitation,) = queue.receive()
    return httpx.URL(invitation["SubscribeURL"]).params


def onboard(platform: Any, queue: Any) -> None:
    assert platform.http.get("/sns/confirm", params=invite(platform, queue)).status_code == 200


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Processes]:
    with Processes(tmp_path) as group:
        yield group


@pytest.mark.slow
def test_killed_process_restarts_in_its_state_and_continues_its_day(
    processes: Processes, platform_at: Any, aws_url: str, connector: Any, queue: Any, tmp_path: Path
) -> None:
    settings = {
        "JWO_PLATFORM_AWS_ENDPOINT_URL": aws_url,
        "JWO_PLATFORM_DATABASE_PATH": str(tmp_path / "platform.sqlite3"),
        "JWO_PLATFORM_CLOCK_START": "2030-01-01T00:00:00Z",
        "JWO_PLATFORM_CLOCK_SPEED": "0",
        "JWO_PLATFORM_CATALOG__QUEUE_S": "0",
        "JWO_PLATFORM_CATALOG__PROCESS_S": "0",
        "JWO_PLATFORM_GATE__TIMEOUT_S": "1",
    }
    first = processes.start("first", ["platform"], settings)
    platform = platform_at(first.url)
    platform.set_up_store(connector, methods=["card", "app"])
    onboard(platform, queue)
    platform.signed("/portal/connectivity", b"")
    platform.done(platform.upload(an_item()).json()["ingestionId"])
    platform.http.post("/faults", json={"name": "drop_after", "times": 2, "where": {"operation": "Create Purchases"}})
    trip, gone = platform.enter(), platform.enter()
    for each in (trip, gone):
        platform.http.post(f"/trips/{each}/pick", json={"sku": "SKU-1", "quantity": "2"})
    platform.http.post(f"/trips/{gone}/leave")
    platform.delivery(gone, "pending")
    paths = [
        "/portal/stores",
        "/portal/merchants",
        f"/portal/accounts/{ACCOUNT}",
        "/faults",
        "/clock",
        "/trips",
        f"/trips/{trip}",
        f"/trips/{gone}",
        f"/gates/{GATE}",
        "/deliveries",
        f"/stores/{STORE}/catalog",
        f"/stores/{STORE}/catalog/SKU-1",
    ]
    before = shown(platform, *paths)
    first.process.kill()
    first.process.wait()
    platform = platform_at(processes.start("second", ["platform"], settings).url)
    assert shown(platform, *paths) == before
    assert before["/faults"][0]["struck"] == 1
    platform.http.put("/clock", json={"advanceS": 10})
    assert platform.http.post(f"/trips/{trip}/leave").json()["cartItems"][0]["externalIdentifiers"][0]["id"] == FIRST
    platform.http.put("/clock", json={"speed": 100})
    outcomes = [[one["outcome"] for one in platform.delivery(each)["attempts"]] for each in (gone, trip)]
    assert sorted(outcomes[0] + outcomes[1]) == ["delivered", "delivered", "no_connection", "no_connection"]
    assert platform.http.get("/faults").json() == []
    assert platform.scan()["opens"]


def test_set_up_and_armed_faults_survive_a_restart(lives: Any, connector: Any, queue: Any) -> None:
    platform = lives()
    platform.set_up_store(connector, qrPattern="valid.*", authorizedAmount=7.5)
    platform.http.put("/portal/stores/ANOTHER", json={"retailer": "corner-retail", "gates": ["A1"]})
    form = {"endpoint": connector.url, "region": "eu-west-1"}
    platform.http.put(f"/portal/stores/{STORE}/connectors/ordering", json=form)
    params = invite(platform, queue)
    platform.signed("/portal/connectivity", b"")
    fault = {"name": "delay", "amount": 0, "times": 3, "where": {"store": STORE}, "until": "2999-01-01T00:00:00Z"}
    platform.http.post("/faults", json=fault)
    platform.http.post("/faults", json={"name": "duplicate", "rate": 0.5, "where": {"store": "ANOTHER"}})
    platform.scan()
    paths = ["/portal/stores", "/portal/merchants", f"/portal/accounts/{ACCOUNT}", "/faults"]
    before = shown(platform, *paths)
    assert before["/faults"][0]["struck"] == 1
    platform = lives()
    assert shown(platform, *paths) == before
    for _ in range(2):
        assert platform.scan()["opens"]
    platform.http.delete("/faults/fault-2")
    assert platform.http.get("/sns/confirm", params=params).status_code == 200
    assert platform.http.get(f"/portal/accounts/{ACCOUNT}").json()["subscriptionStatus"] == "Complete"
    platform = lives()
    assert platform.http.get("/faults").json() == []
    assert platform.allow_list(queue.arn).json()["subscriptionStatus"] == "Complete"
    assert queue.receive() == []


def test_debt_and_risk_survive_a_restart_until_the_debt_is_settled(lives: Any, connector: Any, queue: Any) -> None:
    platform = lives()
    platform.set_up_store(connector, methods=["card"])
    platform.allow_list(queue.arn)
    platform.http.put("/risk/card-1", json={"risks": []})
    platform.http.put("/risk/card-2", json={"risks": ["CustomerFraud"]})

    def tap(card: str) -> dict[str, Any]:
        return dict(platform.http.post(f"/gates/{GATE}/cards", json={"instrument": card}).json())

    trip = tap("card-1")["shoppingTripId"]

    def report(settled: float) -> None:
        owed, paid = {"amount": 10.0, "code": "USD"}, {"amount": settled, "code": "USD"}
        status = {"storeId": STORE, "shoppingTripId": trip, "totalAmount": owed, "settledAmount": paid}
        answer = platform.signed("/v1/feedback/payment-status", {**status, "paymentStatusTime": 1.0})
        assert answer.json() == {"status": "Accepted"}

    report(3.0)
    platform = lives()
    assert [tap("card-1")["cause"], tap("card-2")["cause"]] == ["risk:BadDebt", "risk:CustomerFraud"]
    report(10.0)
    platform = lives()
    assert tap("card-1")["opens"]


@pytest.mark.parametrize("speed", [0.0, 3600.0])
def test_clock_continues_at_its_time_and_speed(lives: Any, speed: float) -> None:
    platform = lives(clock_start="2030-01-01T00:00:00Z")
    platform.http.put("/clock", json={"speed": speed, "advanceS": 86_400})
    began = datetime.now(UTC)
    before = datetime.fromisoformat(platform.http.get("/clock").json()["now"])
    result = lives(clock_start="2040-01-01T00:00:00Z").http.get("/clock").json()
    gone = (datetime.fromisoformat(result["now"]) - before).total_seconds()
    assert result["speed"] == speed
    assert 0 <= gone <= ((datetime.now(UTC) - began).total_seconds() + 1) * speed
    assert bool(gone) == bool(speed)


def test_catalog_survives_a_restart_with_archive_and_planogram(lives: Any, queue: Any) -> None:
    platform = lives()
    platform.set_up_store(None)
    onboard(platform, queue)

    def upload(*items: dict[str, Any]) -> list[list[str]]:
        report = platform.done(platform.upload(*items).json()["ingestionId"])
        rows = platform.http.get(report["reportDownloadLink"]).json()["items"]
        return [[error["code"] for error in row["errors"]] for row in rows]

    assert (
        upload(an_item(), an_item("SKU-2", SECOND), an_item("SKU-3", "96385074"), an_item("SKU-4", "4011")) == [[]] * 4
    )
    archiving = {"itemSkus": ["SKU-2", "SKU-4"], "allApplicableStores": [STORE]}
    platform.done(platform.signed("/v1/catalog/archive", archiving).json()["ingestionId"])
    assert platform.http.put(f"/stores/{STORE}/planogram/SKU-3").json()["onPlanogram"]
    assert upload(an_item("SKU-1", SECOND), an_item("SKU-4", "4011")) == [[], []]
    paths = [f"/stores/{STORE}/catalog", *(f"/stores/{STORE}/catalog/SKU-{number}" for number in (1, 2, 3, 4))]
    before, lines = shown(platform, *paths), platform.http.get(f"/stores/{STORE}/catalog.ndjson").content
    assert before[paths[0]] == {"storeId": STORE, "items": 4, "archived": 1, "onPlanogram": 1}
    platform = lives()
    assert shown(platform, *paths) == before
    assert platform.http.get(f"/stores/{STORE}/catalog.ndjson").content == lines
    assert upload(an_item("RIVAL", SECOND), an_item("HEIR", FIRST)) == [["BARCODE_SHARED"], []]


def test_next_start_ingests_an_accepted_upload_and_notifies(lives: Any, queue: Any) -> None:
    platform = lives(clock_speed=0)
    platform.set_up_store(None)
    onboard(platform, queue)
    ingestion = platform.upload(an_item(item_name="fault.notification_late=600 Thing")).json()["ingestionId"]
    assert platform.status(ingestion) == {"processingStatus": "INQUEUE", "reportDownloadLink": ""}
    platform = lives()
    platform.http.put("/clock", json={"speed": 1})
    link = platform.done(ingestion)["reportDownloadLink"]
    assert platform.http.get(link).json()["summary"] == {"received": 1, "accepted": 1, "rejected": 0}
    assert platform.http.get(f"/stores/{STORE}/catalog").json()["items"] == 1
    assert queue.receive() == []
    platform = lives()
    assert platform.status(ingestion)["processingStatus"] == "DONE"
    assert queue.receive() == []
    platform.http.put("/clock", json={"advanceS": 601})
    (result,) = platform.until(queue.receive)
    assert orjson.loads(result["Message"])["ingestionId"] == ingestion
    platform.until(lambda: [one for one in journal(platform) if one["kind"] == "notification"])
    lives()
    assert queue.receive() == []


def test_loyalty_and_a_delayed_message_survive_a_restart(lives: Any, connector: Any) -> None:
    platform = lives(clock_speed=0)
    platform.set_up_store(connector, loyalty=True)
    connector.answer = with_loyalty
    gate = platform.http.post(f"/gates/{GATE}/loyalty-scans", json={"text": "fault.old_attempt=2 1234"}).json()
    path = f"/trips/{gate['shoppingTripId']}"
    before = platform.http.get(path).json()
    assert before["loyalty"]["provider"] == "Corner Club"
    assert "1234" not in str([one["response"] for one in journal(platform) if "response" in one])
    sent = len(connector.bodies("identity/scan"))
    platform = lives(clock_speed=1)
    assert platform.http.get(path).json() == before
    platform.http.put("/clock", json={"advanceS": 2 * 86_400 - 60})
    assert len(connector.bodies("identity/scan")) == sent
    platform.http.put("/clock", json={"advanceS": 61})
    platform.until(lambda: len(connector.bodies("identity/scan")) == sent + 1)
    _, late = platform.until(lambda: two if len(two := late_ones(platform)) > 1 else None)
    assert "1234" not in str(late["response"])
    assert len(connector.bodies("scan/details")) == 1
    lives().http.put("/clock", json={"advanceS": 86_400})
    assert len(connector.bodies("identity/scan")) == sent + 1


def with_loyalty(path: str, _body: dict[str, Any]) -> tuple[int, Any]:
    if path.endswith("details"):
        return 200, {"provider": "Corner Club", "promotionIds": [], "echo": "of 1234"}
    return 200, {"scanResult": {"id": "member-1", "type": "LOYALTY"}, "resolution": "ACCEPT", "echo": "1234"}


def late_ones(platform: Any) -> list[dict[str, Any]]:
    return [one for one in journal(platform) if one.get("faults") == ["old_attempt"]]


def journal(platform: Any) -> list[dict[str, Any]]:
    return list(platform.http.get("/journal").json())


def test_journal_continues_and_its_unredacted_requests_can_be_resent(lives: Any, connector: Any) -> None:
    platform = lives()
    platform.set_up_store(connector)
    trip = platform.enter()
    platform.http.post(f"/trips/{trip}/leave")
    platform.delivery(trip)
    platform.until(lambda: journal(platform)[-1]["kind"] == "delivery")
    before = journal(platform)
    scan, cart = (next(one["seq"] for one in before if one["kind"] == kind) for kind in ("exchange", "delivery"))
    platform = lives()
    assert journal(platform) == before
    assert platform.http.post(f"/journal/{cart}/resend").json()["seq"] == before[-1]["seq"] + 1
    assert connector.bodies("purchases")[0] == connector.bodies("purchases")[1]
    assert platform.http.post(f"/journal/{scan}/resend").status_code == 404
    kept = platform.http.get("/journal.ndjson").content
    assert [orjson.loads(line)["seq"] for line in kept.splitlines()] == list(range(1, before[-1]["seq"] + 2))


def test_next_start_sends_unsent_events(lives: Any, connector: Any, make_queue: Any) -> None:
    platform, path = lives(), "/portal/merchants/corner-retail/event-feed"
    platform.set_up_store(connector)
    gone, queue = f"arn:aws:sqs:us-east-1:{ACCOUNT}:gone-{uuid4()}", make_queue()
    platform.http.put(path, json={"queueArn": gone})
    trip = platform.enter()
    platform.http.post(f"/trips/{trip}/leave")
    platform.delivery(trip)
    platform.until(lambda: platform.http.get(path).json()["waiting"] == 3)
    platform = lives()
    result = platform.http.get(path).json()
    assert (result["queueArn"], result["waiting"]) == (gone, 3)
    platform.http.put(path, json={"queueArn": queue.arn})
    got: list[Any] = []
    platform.until(lambda: got.extend(queue.receive()) or len(got) >= 3)
    names = ["SHOPPER_ENTERED", "SHOPPER_LEFT", "ORDER_DELIVERED"]
    assert [event["detail"]["event"] for event in got] == names
    platform.until(lambda: platform.http.get(path).json()["waiting"] == 0)
    kept: list[int] = []

    def count(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "platform.sqlite3-trips")) as db:
            kept.extend(db.execute("SELECT count(*) FROM fact WHERE subject LIKE 'event for%'").fetchone())

    lives(count)
    assert kept == [0]


def test_trip_with_a_stored_cart_ends_at_the_carts_time_after_a_kill(lives: Any, connector: Any) -> None:
    platform = lives(clock_start="2030-01-01T00:00:00Z", clock_speed=0, delivery={"backoff_first_s": 600})
    connector.purchases = [(500, {})]
    platform.set_up_store(connector)
    trip = platform.enter()
    platform.http.put("/clock", json={"advanceS": 90})
    before = platform.http.post(f"/trips/{trip}/leave").json()
    platform.delivery(trip, "pending")

    def forget_the_end(folder: Path) -> None:
        with closing(sqlite3.connect(folder / "platform.sqlite3-trips")) as db, db:
            db.execute("UPDATE trip SET ended = NULL")

    platform = lives(forget_the_end)
    assert before["endTime"] == "2030-01-01T00:01:30Z"
    assert platform.http.get(f"/trips/{trip}").json() == before
    assert platform.http.get("/trips").json()["inside"] == 0


def test_only_the_owner_can_read_files_with_secrets(lives: Any, queue: Any, tmp_path: Path) -> None:
    platform = lives(clock_speed=0)
    platform.set_up_store(None)
    assert platform.allow_list(queue.arn).status_code == 200
    assert platform.upload(an_item()).status_code == 201
    files = list((tmp_path / "1").iterdir())
    assert any(path.is_file() and b"retailer-secret" in path.read_bytes() for path in files)
    assert {path.stat().st_mode & 0o077 for path in files} == {0}
