"""AWS that is absent, wrong, or stops while the platform runs: nothing is lost, and each answer names the setting."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError, EndpointConnectionError

from simulator.app import create_app
from simulator.catalog import ingestion as ingestions
from simulator.catalog.report import Reports
from simulator.errors import AwsFailed
from simulator.settings import PlatformSettings
from tests.simulator.test_simulator_catalog_flow import an_item, notifications

ADDRESS = "JWO_PLATFORM_AWS_ENDPOINT_URL"


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Any]:
    """Return a context manager in which no call to AWS gets an answer."""

    def refuse(client: Any, *_arguments: Any) -> None:
        raise EndpointConnectionError(endpoint_url=client.meta.endpoint_url)

    @contextmanager
    def down() -> Iterator[None]:
        with monkeypatch.context() as patch:
            patch.setattr(BaseClient, "_make_api_call", refuse)
            yield

    return down


def test_upload_waits_for_its_report_until_s3_is_back(
    onboarded: Any, queue: Any, outage: Callable[[], Any], monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(ingestions, "_PAUSE_S", 0.02)
    with caplog.at_level(logging.WARNING), outage():
        upload = onboarded.upload(an_item()).json()["ingestionId"]
        onboarded.until(lambda: "waits for AWS" in caplog.text)
        assert onboarded.status(upload) == {"processingStatus": "INPROGRESS", "reportDownloadLink": ""}
    assert onboarded.done(upload)["processingStatus"] == "DONE"
    (told,) = notifications(queue, 1)
    assert told["processingStatus"] == "DONE"
    assert onboarded.http.get(told["reportDownloadLink"]).json()["summary"]["accepted"] == 1
    assert "Traceback" not in caplog.text


def test_bucket_that_an_emulator_has_forgotten_is_made_again(onboarded: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    keep, start, calls = Reports.keep, Reports.start, list[str]()

    async def keep_without_a_bucket(reports: Reports, report: dict[str, Any]) -> None:
        calls.append("keep")
        if "start" not in calls:
            raise ClientError({"Error": {"Code": "NoSuchBucket"}}, "PutObject")
        await keep(reports, report)

    async def start_and_count(reports: Reports) -> None:
        calls.append("start")
        await start(reports)

    monkeypatch.setattr(ingestions, "_PAUSE_S", 0.02)
    monkeypatch.setattr(Reports, "keep", keep_without_a_bucket)
    monkeypatch.setattr(Reports, "start", start_and_count)
    onboarded.done(onboarded.upload(an_item()).json()["ingestionId"])
    assert calls == ["keep", "start", "keep"]


def test_calls_during_an_outage_are_answered_with_503_and_the_setting(
    onboarded: Any, make_queue: Callable[[], Any], outage: Callable[[], Any]
) -> None:
    link = onboarded.done(onboarded.upload(an_item()).json()["ingestionId"])["reportDownloadLink"]
    new = make_queue()
    assert onboarded.allow_list(new.arn, "222222222222", accessKeyId="other").status_code == 200
    (invitation,) = new.receive()
    with outage():
        answers = [
            onboarded.http.get(link),
            onboarded.http.get(invitation["SubscribeURL"]),
            onboarded.allow_list(new.arn, "333333333333", accessKeyId="third"),
        ]
    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert f"SNS, SQS and S3 do not answer at {onboarded.aws_url}" in answer.json()["errorMsg"]
        assert ADDRESS in answer.json()["errorMsg"]
    assert onboarded.http.get("/portal/accounts/333333333333").status_code == 404
    assert onboarded.http.get(link).status_code == 200
    assert onboarded.http.get(invitation["SubscribeURL"]).status_code == 200
    assert onboarded.allow_list(new.arn, "333333333333", accessKeyId="third").status_code == 200


def test_report_that_s3_has_lost_is_not_found(onboarded: Any) -> None:
    link = onboarded.done(onboarded.upload(an_item()).json()["ingestionId"])["reportDownloadLink"]
    s3 = a_client("s3", onboarded.aws_url)
    s3.delete_object(Bucket="jwo-catalog-reports", Key=urlsplit(link).path.rpartition("/")[2])
    s3.close()
    answer = onboarded.http.get(link)
    assert answer.status_code == 404
    assert "S3 has lost it" in answer.json()["errorMsg"]


def test_subscription_that_sns_has_lost_is_made_again_at_the_start(
    start_platform: Callable[..., Any], queue: Any, tmp_path: Path, caplog: Any
) -> None:
    path = str(tmp_path / "platform.sqlite3")
    first = start_platform(database_path=path)
    first.set_up_store(None)
    assert first.allow_list(queue.arn).status_code == 200
    assert first.http.get(queue.receive()[0]["SubscribeURL"]).status_code == 200
    first.stop()
    sns = a_client("sns", first.aws_url)
    for one in sns.list_subscriptions()["Subscriptions"]:
        if one["Endpoint"] == queue.arn:
            sns.unsubscribe(SubscriptionArn=one["SubscriptionArn"])
    sns.close()
    second = start_platform(database_path=path)
    assert "SNS had lost the subscription of account 123456789012" in caplog.text
    second.upload(an_item())
    assert notifications(queue, 1)[0]["processingStatus"] == "DONE"


def a_client(service: str, url: str) -> Any:
    return boto3.client(
        service, endpoint_url=url, region_name="us-east-1", aws_access_key_id="r", aws_secret_access_key="r"
    )


def test_platform_of_stores_alone_needs_no_address(start_platform: Callable[..., Any], connector: Any) -> None:
    platform = start_platform(stores_alone=True, aws_endpoint_url="")
    platform.set_up_store(connector)
    assert platform.scan()["opens"]
    arn = "arn:aws:sqs:us-east-1:123456789012:queue"
    feed = platform.http.put("/portal/merchants/corner-retail/event-feed", json={"queueArn": arn})
    for answer in (platform.allow_list(arn), feed):
        assert answer.status_code == 409
        assert "JWO_PLATFORM_STORES_ALONE" in answer.json()["errorMsg"]
    assert platform.http.get("/portal/accounts/123456789012").status_code == 404


def test_region_other_than_the_first_one_gets_its_bucket(start_platform: Callable[..., Any], aws_url: str) -> None:
    own = aws_url.replace("127.0.0.1", "localhost")  # tests share the clients of an address
    platform = start_platform(aws_endpoint_url=own, aws_region="eu-west-1", report_bucket="reports-of-eu-west-1")
    assert "eu-west-1" in platform.http.get("/portal/topic").json()["topicArn"]


def refusal(code: str) -> str:
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, "<html><body>Welcome</body></html>", f"does not answer as SNS, SQS and S3 do .*{ADDRESS}"),
        (200, "{}", f"does not answer as SNS, SQS and S3 do .*{ADDRESS}"),
        (200, "", f"does not answer as SNS, SQS and S3 do .*{ADDRESS}"),
        (404, "not here", f"does not answer as SNS, SQS and S3 do .*{ADDRESS}"),
        (403, refusal("InvalidClientTokenId"), "InvalidClientTokenId no.*check JWO_PLATFORM_AWS_ACCESS_KEY_ID"),
        (403, refusal("SignatureDoesNotMatch"), "SignatureDoesNotMatch no.*JWO_PLATFORM_AWS_SECRET_ACCESS_KEY"),
        (400, refusal("InvalidRegion"), "InvalidRegion no.*check JWO_PLATFORM_AWS_REGION"),
        (400, refusal("Surprise"), f"refused CreateTopic: Surprise no.*{ADDRESS}"),
    ],
)
def test_address_that_answers_otherwise_is_named_at_the_start(status: int, body: str, said: str) -> None:
    async def start(url: str) -> None:
        app = create_app(PlatformSettings(base_url=url, aws_endpoint_url=url))
        async with app.router.lifespan_context(app):
            raise AssertionError("it started")

    with answering(status, body) as url, pytest.raises(AwsFailed) as failed:
        asyncio.run(start(url))
    words, _, hint = said.partition(".*")
    assert words in str(failed.value)
    assert hint in failed.value.hint


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """Serve one answer to every call."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_arguments: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()
