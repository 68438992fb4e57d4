"""The journal and the queue of the catalog client when a disk, a file or SQS fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reference_connector.catalog_client.journal import UploadJournal
from reference_connector.errors import (
    BadRows,
    ForbiddenHost,
    JournalUnusable,
    PlatformClientError,
    PlatformRefused,
    QueueUnusable,
)
from tests.reference_connector.bad_network import (
    BadNetwork,
    Fault,
    answers,
    babbles,
    closes,
    reset,
)
from tests.reference_connector.small_platform import (
    Queue,
    SmallPlatform,
    a_report,
    an_envelope,
    some_rows,
)

UPLOAD, STATUS = "/catalog/upload", "/getCatalogUploadStatus"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
EXPIRED_TOKEN = b"<Error><Code>ExpiredToken</Code></Error>"
PAST = "Thu, 01 Jan 2026 00:00:00 GMT"
FAR = "Fri, 31 Dec 2100 23:59:59 GMT"


def test_journal_that_is_not_writable_stops_before_the_upload(tmp_path: Path) -> None:
    with pytest.raises(JournalUnusable, match="cannot be written"):
        UploadJournal(tmp_path / "missing" / "journal")
    (tmp_path / "folder").mkdir()
    with pytest.raises(PlatformClientError, match="journal"):
        UploadJournal(tmp_path / "folder")


def test_full_disk_loses_no_id(
    platform: SmallPlatform, logged: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, seen = UploadJournal(tmp_path / "journal"), list[str]()
    monkeypatch.setattr("os.fsync", lambda _file: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(JournalUnusable, match="No space left"):
        logged(chunk_rows=1)[0].upload(some_rows(3), journal, lambda each: seen.append(each.ingestion_id))
    assert (seen, len(platform.calls)) == (["ingestion-1"], 1)


def test_file_of_one_line_is_not_a_journal_and_keeps_its_content(tmp_path: Path) -> None:
    (tmp_path / "rows.json").write_text('[{"item_sku": "SKU-1"}]', "utf-8")
    with pytest.raises(BadRows, match="not a journal"):
        UploadJournal(tmp_path / "rows.json")
    assert (tmp_path / "rows.json").read_text("utf-8") == '[{"item_sku": "SKU-1"}]'


def test_journal_of_another_platform_skips_nothing(tmp_path: Path) -> None:
    UploadJournal(tmp_path / "journal", "https://test.example").keep(some_rows(1), "at-test")
    assert UploadJournal(tmp_path / "journal", "https://real.example").find(some_rows(1)) is None
    assert UploadJournal(tmp_path / "journal", "https://test.example").find(some_rows(1)) == "at-test"


def test_known_chunks_are_reported_although_another_fails(platform: SmallPlatform, logged: Any, tmp_path: Path) -> None:
    rows, journal, seen = some_rows(4), UploadJournal(tmp_path / "journal"), list[str]()
    journal.keep(rows[2:], "known")
    platform.answers = [(403, {}, {})]
    with pytest.raises(PlatformRefused):
        logged(chunk_rows=2)[0].upload(rows, journal, lambda each: seen.append(each.ingestion_id))
    assert seen == ["known"]


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (answers(400, b'{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"no"}'), "QUEUE_URL"),
        (answers(403, b'{"__type":"AccessDeniedException","message":"not yours"}'), "sqs:ReceiveMessage"),
        (answers(403, b'{"__type":"InvalidClientTokenId","message":"which?"}'), "ACCESS_KEY_ID"),
        (answers(403, b'{"__type":"ExpiredToken","message":"old"}'), "SESSION_TOKEN"),
        (answers(400, b'{"__type":"SignatureDoesNotMatch","message":"scoped to us-east-1"}'), "REGION"),
        (answers(503, b""), "AWS_ENDPOINT_URL"),
        (reset, "AWS_ENDPOINT_URL"),
        (closes, "AWS_ENDPOINT_URL"),
        (babbles, "AWS_ENDPOINT_URL"),
    ],
)
def test_queue_that_fails_is_named_and_replaced_by_status_calls(
    platform: SmallPlatform, logged: Any, aws_url: str, monkeypatch: pytest.MonkeyPatch, fault: Fault, named: str
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_arguments: 0)
    platform.done("one")
    with BadNetwork(aws_url) as aws:
        aws.faults["/"] = [fault] * 9
        queue = {"queue_url": f"{aws.url}/123456789012/results", "aws_endpoint_url": aws.url}
        client, events = logged(**queue)
        (result,) = client.wait_for_results(["one"], 30)
        assert (result.report, aws.count("/") <= 3) == (a_report("one"), True)
        assert named in client.queue_problem
        assert events("catalog_queue_failed")[0]["instead"] == "status calls"
        with pytest.raises(QueueUnusable, match=r"results") as unusable:
            logged(**queue)[0].confirm_subscription(5)
        assert "JWO_CATALOG_" in unusable.value.hint


def test_queue_that_does_not_exist_or_is_down_is_replaced(
    platform: SmallPlatform, logged: Any, aws_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda *_arguments: 0)
    platform.done("one")
    for url, named in ((aws_url, "JWO_CATALOG_QUEUE_URL"), ("http://127.0.0.1:9", "JWO_CATALOG_AWS_ENDPOINT_URL")):
        client, _ = logged(queue_url=f"{url}/123456789012/none", aws_endpoint_url=url)
        assert client.wait_for_results(["one"], 30)[0].report == a_report("one")
        assert named in client.queue_problem


@pytest.mark.parametrize(
    "setting",
    [{"region": "us east"}, {"region": ""}, {"aws_endpoint_url": "http://a_b:1"}, {"queue_url": "http://.x/1/q"}],
)
def test_queue_settings_that_cannot_be_right_are_named(logged: Any, aws_url: str, setting: dict[str, str]) -> None:
    queue = {"queue_url": f"{aws_url}/123456789012/none", "aws_endpoint_url": aws_url} | setting
    with pytest.raises(QueueUnusable) as unusable:
        logged(**queue)[0].confirm_subscription(1)
    assert f"JWO_CATALOG_{next(iter(setting)).upper()}" in unusable.value.hint


def test_messages_that_are_not_ours_do_not_hide_the_result(
    platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    odd = ["[]", "{", "null", "[" * 500, an_envelope("Notification", "{"), an_envelope("Notification", '{"a": 1}')]
    odd += [json.dumps("\ud800"), platform.done("raw") and json.dumps(platform.done("raw"))]
    others = [an_envelope("Notification", platform.done(f"other-{number}")) for number in range(12)]
    queue.put(*odd, *others, an_envelope("Notification", platform.done("one")))
    del platform.status["one"]  # only the notification has the result
    client = open_client(queue)
    assert client.wait_for_results(["one"], 10)[0].report == a_report("one")
    assert queue.left() == len(odd) + len(others)
    assert client.queue_problem == ""


def test_message_is_deleted_only_with_its_result(platform: SmallPlatform, open_client: Any, queue: Queue) -> None:
    queue.put(an_envelope("Notification", platform.done("one")))
    platform.reports["one"] = (404, {})
    assert open_client(queue).wait_for_results(["one"], 2)[0].problem
    assert queue.left() == 1


def test_expired_confirmation_does_not_hide_the_valid_one(
    platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    old, new = (f"{platform.url}/{path}" for path in ("expired", "confirm"))
    queue.put(*(an_envelope("SubscriptionConfirmation", "hello", SubscribeURL=url) for url in (old, new)))
    assert open_client(queue).confirm_subscription(5)
    assert platform.confirmed == 1


def test_confirmation_survives_a_passing_fault(
    network: BadNetwork, platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    network.faults["/confirm"] = [reset, answers(503)]
    queue.put(an_envelope("SubscriptionConfirmation", "hello", SubscribeURL=f"{platform.url}/confirm"))
    assert open_client(queue).confirm_subscription(5)
    assert platform.confirmed == 1


def test_confirmation_with_a_broken_address_is_refused(open_client: Any, queue: Queue) -> None:
    queue.put(an_envelope("SubscriptionConfirmation", "hello", SubscribeURL="http://127.0.0.1:port/"))
    with pytest.raises(ForbiddenHost, match="not an http address"):
        open_client(queue).confirm_subscription(5)
