"""A file that S3 denies or does not have: a few attempts with growing pauses, then a dead letter for an operator."""

from __future__ import annotations

from typing import Any

import boto3
import httpx
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from fastapi import FastAPI
from pydantic import ValidationError

from reference_connector.errors import (
    FeedError,
    FeedUnavailable,
    FileRefused,
    MessageUnreadable,
    NotPossible,
    StoreUnavailable,
)
from reference_connector.feeds.aws import S3Files
from reference_connector.feeds.messages import ObjectName
from reference_connector.feeds.routes import feed_routes
from reference_connector.feeds.settings import Feeds
from tests.reference_connector.payment_bench import NOW, PaymentBench
from tests.reference_connector.test_connector_books import order
from tests.reference_connector.test_connector_feed_consumer import FILE, Reader, SmallBucket, SmallQueue, notice


def test_denied_file_is_kept_after_attempts_with_growing_pauses(bench: PaymentBench) -> None:
    denied = FileRefused("S3 refuses the file b/secret (AccessDenied)", hint="allow it")
    queue = SmallQueue(notice("secret"))
    rules = {"attempts_max": 4, "attempt_pause_s": 60, "attempt_pause_max_s": 150}
    reader = Reader(bench, queue, SmallBucket(secret=denied), **rules)

    assert [reader.poll() for _ in range(3)] == [None] * 3
    assert reader.letters() == []
    assert reader.poll() == 1

    assert queue.pauses == [("handle-0", 60), ("handle-0", 120), ("handle-0", 150)]
    assert not queue.messages
    [letter] = reader.letters()
    assert letter.reason == "S3 refuses the file b/secret (AccessDenied); allow it"
    assert letter.body == notice("secret")


def test_interruptions_are_no_attempts_at_a_denied_file(bench: PaymentBench) -> None:
    bucket = SmallBucket(late=FeedUnavailable("500"))
    reader = Reader(bench, SmallQueue(notice("late")), bucket, attempts_max=2)
    assert [reader.poll() for _ in range(5)] == [None] * 5

    bucket.files["late"] = FileRefused("denied")
    assert reader.poll() is None
    assert reader.letters() == []
    bucket.files["late"] = FILE
    assert reader.poll() == 1
    assert order(bench, "trip-1") is not None


@pytest.mark.parametrize("broken", ["store", "hide"])
def test_denied_file_stays_in_the_queue_while_its_letter_or_pause_fails(
    bench: PaymentBench, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise FeedUnavailable("no permission") if broken == "hide" else StoreUnavailable("full")

    reader = Reader(bench, SmallQueue(notice("gone")), SmallBucket(), attempts_max=2 if broken == "hide" else 1)
    with monkeypatch.context() as patched:
        place: Any = reader.queue if broken == "hide" else bench.store
        patched.setattr(place, "hide" if broken == "hide" else "transact", fail)
        assert reader.poll() is None
    assert reader.queue.messages
    assert reader.poll() == 1
    assert len(reader.letters()) == 1


def test_operator_reads_a_denied_file_again(bench: PaymentBench) -> None:
    bucket = SmallBucket(secret=FileRefused("denied"))
    reader = Reader(bench, SmallQueue(notice("secret")), bucket, attempts_max=1)
    assert reader.poll() == 1
    app = FastAPI()
    app.include_router(feed_routes(bench.store, {"files": reader.consumer}, lambda: NOW, 0))
    transport, [letter] = httpx.ASGITransport(app), reader.letters()

    async def call(method: str, path: str) -> Any:
        async with httpx.AsyncClient(transport=transport, base_url="http://ops") as http:
            return (await http.request(method, path)).json()

    retry = f"/ops/feeds/dead_letters/{letter.id}/retry"
    assert bench.run(call("GET", "/ops/books"))["deadLetters"] == 1
    with pytest.raises(NotPossible, match="denied"):
        bench.run(call("POST", retry))
    bucket.files["secret"] = FILE
    assert bench.run(call("POST", retry))["isRead"] is True
    books = bench.run(call("GET", "/ops/books"))
    assert (books["deadLetters"], books["orders"], reader.letters()) == (0, 1, [])


@pytest.mark.parametrize("name", ["attempt_pause_s", "attempt_pause_max_s"])
def test_pause_is_shorter_than_sqs_can_hide_a_message_that_it_gave(name: str) -> None:
    with pytest.raises(ValidationError):
        Feeds.model_validate({name: 12 * 3600})


OF_S3 = {
    "denied": ("AccessDenied", 403, FileRefused),
    "archived": ("InvalidObjectState", 403, FileRefused),
    "403 without a code": ("", 403, FileRefused),
    "missing": ("NoSuchKey", 404, FileRefused),
    "no bucket": ("NoSuchBucket", 404, FileRefused),
    "deleted": ("MethodNotAllowed", 405, FileRefused),
    "impossible name": ("KeyTooLongError", 400, FileRefused),
    "encrypted with a disabled key": ("KMS.DisabledException", 400, FileRefused),
    "failure": ("InternalError", 500, FeedUnavailable),
    "too many calls": ("SlowDown", 503, FeedUnavailable),
    "time-out": ("RequestTimeout", 400, FeedUnavailable),
    "wrong key": ("InvalidAccessKeyId", 403, FeedUnavailable),
    "wrong secret": ("SignatureDoesNotMatch", 403, FeedUnavailable),
    "key that expired": ("ExpiredToken", 400, FeedUnavailable),
    "wrong clock": ("RequestTimeTooSkewed", 403, FeedUnavailable),
}


def test_answers_of_s3_are_refusals_or_interruptions() -> None:
    key: Any = {"aws_access_key_id": "r", "aws_secret_access_key": "r", "region_name": "us-east-1"}
    s3 = boto3.client("s3", **key, config=Config(retries={"total_max_attempts": 1}))
    files = S3Files(s3, "", 100)
    found, hints = {}, {}
    with Stubber(s3) as stub:
        for case, (code, status, _) in OF_S3.items():
            stub.add_client_error("get_object", service_error_code=code, http_status_code=status)
            with pytest.raises(FeedError) as raised:
                files.read(ObjectName("b-1", "day/1.csv"))
            assert "b-1/day/1.csv" in str(raised.value)
            found[case], hints[case] = raised.type, raised.value.hint
    with pytest.raises(MessageUnreadable, match="S3 has no file no bucket"):
        files.read(ObjectName("no bucket", "1.csv"))
    assert found == {case: error for case, (_, _, error) in OF_S3.items()}
    assert {case for case, hint in hints.items() if "kms:Decrypt" in hint} >= {
        "denied",
        "encrypted with a disabled key",
    }
    s3.close()
