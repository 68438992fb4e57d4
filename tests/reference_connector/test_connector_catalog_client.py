"""The catalog client against a small platform on a real socket, and SQS served by moto."""

from __future__ import annotations

import csv
import io
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from moto.server import ThreadedMotoServer
from rich.console import Console

from contract import sigv4
from reference_connector.catalog_client.app import create_client
from reference_connector.catalog_client.client import CatalogClient
from reference_connector.catalog_client.journal import UploadJournal
from reference_connector.catalog_client.pace import Pace
from reference_connector.catalog_client.rows import read_rows, uploads
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.catalog_client.summary import as_table, summarize
from reference_connector.errors import BadRows, ForbiddenHost, MalformedAnswer, PlatformRefused, PlatformUnreachable
from reference_connector.telemetry import EventLog, system_clock

KEY = sigv4.Key("AKIDEXAMPLE", "a-secret", "a-token")


class SmallPlatform:
    """Answers what it is told to, and keeps what came."""

    def __init__(self) -> None:
        self.app = FastAPI()
        self.url = ""
        self.answers: list[tuple[int, Any, dict[str, str]]] = []
        self.calls: list[tuple[str, Any]] = []
        self.reports: dict[str, tuple[int, Any]] = {}
        self.status: dict[str, dict[str, str]] = {}
        self.confirmed = 0
        self.app.post("/v1/catalog/upload")(self.upload)
        self.app.post("/v1/catalog/getCatalogUploadStatus")(self.get_status)
        self.app.get("/report/{name}")(self.report)
        self.app.get("/confirm")(self.confirm)

    async def upload(self, request: Request) -> JSONResponse:
        body = await self._signed(request)
        self.calls.append(("upload", body))
        if self.answers:
            status, answer, headers = self.answers.pop(0)
            return JSONResponse(answer, status, headers)
        return JSONResponse({"ingestionId": f"ingestion-{len(self.calls)}"}, 201)

    async def get_status(self, request: Request) -> JSONResponse:
        body = await self._signed(request)
        self.calls.append(("status", body))
        known = self.status.get(body["ingestionId"], {"processingStatus": "INQUEUE", "reportDownloadLink": ""})
        return JSONResponse(known)

    async def report(self, name: str, request: Request) -> JSONResponse:
        assert "authorization" not in request.headers
        status, body = self.reports[name]
        return JSONResponse(body, status)

    async def confirm(self) -> dict[str, str]:
        self.confirmed += 1
        return {}

    def done(self, ingestion_id: str, link: str = "") -> dict[str, str]:
        link = link or f"{self.url}/report/{ingestion_id}"
        self.reports.setdefault(ingestion_id, (200, a_report(ingestion_id)))
        self.status[ingestion_id] = {
            "processingStatus": "DONE",
            "reportDownloadLink": f"{self.url}/report/{ingestion_id}",
        }
        return {"ingestionId": ingestion_id, "processingStatus": "DONE", "reportDownloadLink": link}

    async def _signed(self, request: Request) -> Any:
        body = await request.body()
        sigv4.verify(
            "POST",
            str(request.url),
            request.headers,
            body,
            find_key={KEY.access_key_id: KEY}.get,
            region="us-east-1",
            now=datetime.now(UTC),
        )
        return json.loads(body)


def a_report(ingestion_id: str) -> dict[str, Any]:
    error = {"code": "CHECK_DIGIT_INVALID", "field": "external_product_id", "message": "digit 2 wanted"}
    return {
        "ingestionId": ingestion_id,
        "processingStatus": "DONE",
        "summary": {"received": 2, "accepted": 1, "rejected": 1},
        "items": [
            {"item_sku": "SKU-1", "store_id": "STORE-001", "status": "ACCEPTED", "errors": []},
            {"item_sku": "SKU-2", "store_id": "STORE-001", "status": "REJECTED", "errors": [error]},
        ],
    }


def an_envelope(kind: str, message: Any, **members: str) -> str:
    more = {"UnsubscribeURL": "http://127.0.0.1/unsubscribe"} if kind == "Notification" else {"Token": "t"}
    return json.dumps(
        {
            "Type": kind,
            "MessageId": "m",
            "TopicArn": "arn:aws:sns:us-east-1:123456789012:catalog",
            "Message": message if isinstance(message, str) else json.dumps(message),
            "Timestamp": "2026-02-09T12:00:00Z",
            "SignatureVersion": "1",
            "Signature": "placeholder",
            "SigningCertURL": "http://127.0.0.1/cert",
        }
        | more
        | members
    )


def some_rows(count: int) -> list[dict[str, Any]]:
    return [
        {"item_sku": f"SKU-{n}", "external_product_id": f"{n:012}", "item_name": f"Thing {n}", "store_id": "STORE-001"}
        for n in range(count)
    ]


@pytest.fixture
def platform(serve: Callable[[Any], str]) -> SmallPlatform:
    platform = SmallPlatform()
    platform.url = serve(platform.app)
    return platform


@pytest.fixture(scope="module")
def aws_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


class Queue:
    """The retailer's queue, from the platform's side."""

    def __init__(self, aws_url: str, name: str) -> None:
        self._sqs = boto3.client(
            "sqs", "us-east-1", endpoint_url=aws_url, aws_access_key_id="x", aws_secret_access_key="y"
        )
        attributes: Any = {"VisibilityTimeout": "600"}
        self.url = self._sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def put(self, *bodies: str) -> None:
        for body in bodies:
            self._sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def left(self) -> int:
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        counts = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(map(int, counts.values()))


@pytest.fixture
def queue(aws_url: str, request: pytest.FixtureRequest) -> Queue:
    return Queue(aws_url, f"queue-{abs(hash(request.node.name))}")


def settings_for(endpoint: str, **settings: Any) -> CatalogClientSettings:
    return CatalogClientSettings.model_validate(
        {
            "endpoint": endpoint,
            "access_key_id": KEY.access_key_id,
            "secret_access_key": KEY.secret_access_key,
            "session_token": KEY.session_token,
            "backoff_first_s": 0.01,
            "status_every_s": 0.02,
            "catalog": {"rate_per_s": 500, "retry_after_s": 0},
        }
        | settings
    )


@pytest.fixture
def open_client(platform: SmallPlatform, aws_url: str) -> Iterator[Callable[..., CatalogClient]]:
    with ExitStack() as stack:

        def run(queue: Queue | None = None, **settings: Any) -> CatalogClient:
            if queue is not None:
                settings |= {"queue_url": queue.url, "aws_endpoint_url": aws_url}
            log = EventLog(system_clock, io.StringIO())
            return stack.enter_context(create_client(settings_for(platform.url, **settings), log=log))

        yield run


def test_rows_travel_signed_in_uploads_of_the_set_size(platform: SmallPlatform, open_client: Any) -> None:
    ids = open_client(chunk_rows=2).upload(some_rows(5))
    assert ids == ["ingestion-1", "ingestion-2", "ingestion-3"]
    assert [len(body["catalogItems"]) for _, body in platform.calls] == [2, 2, 1]


def test_ten_thousand_rows_are_one_upload_and_one_more_makes_two() -> None:
    assert [len(chunk) for chunk in uploads(some_rows(10_001), 10_000)] == [10_000, 1]


def test_a_row_that_the_platform_would_refuse_stops_all_before_anything_is_sent(
    platform: SmallPlatform, open_client: Any
) -> None:
    rows = [*some_rows(3), {"item_sku": "SKU-9"}]
    with pytest.raises(BadRows, match="external_product_id is missing"):
        open_client(chunk_rows=2).upload(rows)
    assert platform.calls == []


@pytest.mark.parametrize(
    "trouble",
    [
        (429, {"errorMsg": "Too Many Requests"}, {"Retry-After": "0"}),
        (429, {"errorMsg": "Too Many Requests"}, {}),
        (500, {"errorMsg": "whatever"}, {"Retry-After": "0"}),
        (500, {"errorMsg": "Internal Server Error. Retry."}, {}),
    ],
)
def test_what_is_worth_a_retry_is_tried_again(platform: SmallPlatform, open_client: Any, trouble: Any) -> None:
    platform.answers = [trouble, trouble]
    assert open_client().upload(some_rows(1)) == ["ingestion-3"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"errorMsg": "Internal Server Error. Do not retry."}),
        (400, {"errorMsg": "Invalid request body"}),
        (403, {"message": "denied"}),
        (404, {}),
        (503, {}),
        (302, {}),
    ],
)
def test_what_is_final_is_never_tried_again(platform: SmallPlatform, open_client: Any, status: int, body: Any) -> None:
    platform.answers = [(status, body, {})]
    with pytest.raises(PlatformRefused) as refusal:
        open_client().upload(some_rows(1))
    assert (refusal.value.status, len(platform.calls)) == (status, 1)


def test_retries_end(platform: SmallPlatform, open_client: Any) -> None:
    platform.answers = [(429, {"errorMsg": "Too Many Requests"}, {})] * 9
    with pytest.raises(PlatformRefused):
        open_client(max_attempts=3).upload(some_rows(1))
    assert len(platform.calls) == 3


def test_retry_after_is_waited_for(platform: SmallPlatform, open_client: Any) -> None:
    platform.answers = [(429, {"errorMsg": "Too Many Requests"}, {"Retry-After": "1"})]
    started = time.monotonic()
    open_client().upload(some_rows(1))
    assert time.monotonic() - started >= 1


def test_the_pace_never_exceeds_the_rate() -> None:
    now = [0.0]
    pace = Pace(10, lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    times = []
    for _ in range(25):
        pace.wait()
        times.append(now[0])
    assert all(later - earlier > 0.999 for earlier, later in zip(times, times[10:], strict=False))


def _call_at_pace(path: Path, count: int, times: Any) -> None:
    pace = Pace(50, time.time, time.sleep, path)
    for _ in range(count):
        pace.wait()
        times.put(time.time())


def test_the_pace_holds_over_threads_and_processes(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    times = spawn.SimpleQueue()
    workers = [spawn.Process(target=_call_at_pace, args=(tmp_path / "pace", 15, times)) for _ in range(2)]
    for worker in workers:
        worker.start()
    pace = Pace(50, time.time, time.sleep, tmp_path / "pace")
    with ThreadPoolExecutor(3) as threads:
        here = list(threads.map(lambda _n: (pace.wait(), time.time())[1], range(15)))
    for worker in workers:
        worker.join(20)
    moments = sorted(here + [times.get() for _ in range(30)])
    times.close()
    assert all(later - earlier > 0.9 for earlier, later in zip(moments, moments[49:], strict=False))
    assert all(later - earlier > 0.1 for earlier, later in zip(moments, moments[9:], strict=False))


def test_a_clock_that_was_set_back_does_not_stop_the_calls(tmp_path: Path) -> None:
    (tmp_path / "pace").write_text("99999999999", "ascii")
    slept: list[float] = []
    Pace(10, lambda: 1000.0, slept.append, tmp_path / "pace").wait()
    assert slept == [60.0]


def test_an_upload_goes_on_after_a_crash_where_it_was(
    platform: SmallPlatform, open_client: Any, tmp_path: Path
) -> None:
    rows, path = some_rows(7), tmp_path / "journal"
    platform.answers = [(201, {"ingestionId": f"first-{n}"}, {}) for n in range(2)] + [(400, {"errorMsg": "no"}, {})]
    platform.answers += [(400, {"errorMsg": "no"}, {})]
    client = open_client(chunk_rows=2, workers=1)
    with pytest.raises(PlatformRefused):
        client.upload(rows, UploadJournal(path))
    platform.answers.clear()
    with path.open("ab") as journal:
        journal.write(b'{"chunk": "torn by the cra')
    seen, before = list[int](), len(platform.calls)
    kept = UploadJournal(path)
    ids = client.upload(rows, kept, seen.append)
    assert (ids[:2], len(ids), len(set(ids)), seen) == (["first-0", "first-1"], 4, 4, [2, 2, 2, 1])
    assert [len(body["catalogItems"]) for _, body in platform.calls[before:]] == [2, 1]
    assert UploadJournal(path).find(rows[:2]) == "first-0"
    kept.finish()
    assert not path.exists()


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("item_sku,item_name\nx,y\n", "ascii")
    with pytest.raises(BadRows, match="not a journal"):
        UploadJournal(tmp_path / "journal")


def test_several_workers_upload_every_row_once(platform: SmallPlatform, open_client: Any) -> None:
    ids = open_client(chunk_rows=10, workers=4).upload(some_rows(60))
    sent = [row["item_sku"] for _, body in platform.calls for row in body["catalogItems"]]
    assert (len(set(ids)), sorted(sent)) == (6, sorted(row["item_sku"] for row in some_rows(60)))


def test_archiving_names_every_store(platform: SmallPlatform, open_client: Any) -> None:
    platform.app.post("/v1/catalog/archive")(platform.upload)
    assert len(open_client(chunk_rows=2).archive(["a", "b", "c"], ["STORE-001", "STORE-002"])) == 2
    assert platform.calls[0][1] == {"itemSkus": ["a", "b"], "allApplicableStores": ["STORE-001", "STORE-002"]}


def test_an_answer_that_breaks_the_contract_is_said_so(platform: SmallPlatform, open_client: Any) -> None:
    platform.answers = [(201, {"ingestionId": ""}, {}), (201, [], {})]
    client = open_client()
    for _ in range(2):
        with pytest.raises(MalformedAnswer):
            client.upload(some_rows(1))


def test_no_answer_is_said_so() -> None:
    with create_client(settings_for("http://127.0.0.1:9")) as client, pytest.raises(PlatformUnreachable):
        client.status("any")


def test_the_subscription_is_confirmed_and_its_message_deleted(
    platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    queue.put(an_envelope("SubscriptionConfirmation", "hello", SubscribeURL=f"{platform.url}/confirm"))
    assert open_client(queue).confirm_subscription(5)
    assert (platform.confirmed, queue.left()) == (1, 0)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/confirm", "https://sns.us-east-1.amazonaws.com/?A=x", "file:/x"])
def test_a_confirmation_elsewhere_is_refused(open_client: Any, queue: Queue, url: str) -> None:
    queue.put(an_envelope("SubscriptionConfirmation", "hello", SubscribeURL=url))
    with pytest.raises(ForbiddenHost):
        open_client(queue).confirm_subscription(5)


def test_without_a_confirmation_in_time_the_answer_is_no(open_client: Any, queue: Queue) -> None:
    assert not open_client(queue).confirm_subscription(0.1)


def test_notifications_are_matched_by_id_in_any_order_and_number(
    platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    first, second = (an_envelope("Notification", platform.done(name)) for name in ("one", "two"))
    stranger = an_envelope("Notification", platform.done("three"))
    queue.put(stranger, second, second, first, first)
    results = open_client(queue).wait_for_results(["one", "two"], 5)
    assert [(result.ingestion_id, result.processing_status) for result in results] == [("one", "DONE"), ("two", "DONE")]
    assert [call for call, _ in platform.calls] == []
    assert queue.left() == 0


def test_what_is_no_notification_stays_in_the_queue(platform: SmallPlatform, open_client: Any, queue: Queue) -> None:
    queue.put("not json", an_envelope("Notification", "{}"), an_envelope("Notification", platform.done("one")))
    (result,) = open_client(queue).wait_for_results(["one"], 5)
    assert (result.processing_status, queue.left()) == ("DONE", 2)


def test_a_link_that_is_too_old_is_replaced_by_a_status_call(
    platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    platform.reports["old"] = (403, {})
    queue.put(an_envelope("Notification", platform.done("one", f"{platform.url}/report/old")))
    (result,) = open_client(queue).wait_for_results(["one"], 5)
    assert result.report == a_report("one")
    assert platform.calls == [("status", {"ingestionId": "one"})]


def test_a_notification_that_stays_away_is_made_up_for_by_status(
    platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    platform.done("one")
    (result,) = open_client(queue).wait_for_results(["one"], 1)
    assert result.report == a_report("one")


def test_without_a_queue_results_come_by_status(platform: SmallPlatform, open_client: Any) -> None:
    platform.done("one")
    platform.status["two"] = {"processingStatus": "FATAL", "reportDownloadLink": ""}
    results = open_client().wait_for_results(["one", "two", "slow"], 0.1)
    assert [result.processing_status for result in results] == ["DONE", "FATAL", "INQUEUE"]
    summary = summarize(results)
    assert (summary["failed"], summary["unfinished"]) == (["two"], ["slow"])


def test_a_report_that_breaks_the_contract_is_said_so(platform: SmallPlatform, open_client: Any) -> None:
    platform.reports["one"] = (200, {"ingestionId": "one"})
    platform.done("one")
    with pytest.raises(MalformedAnswer):
        open_client().wait_for_results(["one"], 1)


def test_the_summary_names_each_rejected_row(platform: SmallPlatform, open_client: Any) -> None:
    platform.done("one")
    summary = summarize(open_client().wait_for_results(["one"], 1))
    assert json.loads(json.dumps(summary)) == {
        "ingestions": ["one"],
        "unfinished": [],
        "failed": [],
        "accepted": 1,
        "rejected": 1,
        "rejectedRows": [
            {
                "item_sku": "SKU-2",
                "store_id": "STORE-001",
                "code": "CHECK_DIGIT_INVALID",
                "field": "external_product_id",
                "message": "digit 2 wanted",
            }
        ],
    }
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(as_table(summary))
    assert "CHECK_DIGIT_INVALID" in console.export_text()


@pytest.mark.parametrize(
    "endpoint", ["https://us-east-1.catalog.amazonphysicalstores.com", "https://x.execute-api.us-east-1.amazonaws.com."]
)
def test_real_amazon_hosts_are_refused(endpoint: str) -> None:
    with pytest.raises(ForbiddenHost), create_client(settings_for(endpoint)):
        pass


def test_a_queue_at_aws_itself_is_refused() -> None:
    settings = settings_for("http://127.0.0.1:9", queue_url="https://sqs.us-east-1.amazonaws.com/1/q")
    with pytest.raises(ForbiddenHost), create_client(settings):
        pass


def test_rows_come_from_csv_without_our_column_and_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_sku", "external_product_id", "item_name", "store_id", "brand_name", "sold_by"])
        writer.writerow(["SKU-1", "012345678905", "Water, still", "STORE-001", "", "unit"])
    row = {"item_sku": "SKU-1", "external_product_id": "012345678905", "item_name": "Water, still"}
    assert read_rows(path) == [row | {"store_id": "STORE-001"}]


def test_rows_come_from_json(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(some_rows(2)))
    assert read_rows(path) == some_rows(2)


@pytest.mark.parametrize(("name", "text"), [("a.json", "{}"), ("a.json", "{"), ("a.csv", ""), ("a.csv", "a,b\n1\n")])
def test_a_file_that_holds_no_rows_is_said_so(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadRows, match=name):
        read_rows(path)
