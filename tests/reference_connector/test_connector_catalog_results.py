"""The results of an upload: notifications over SQS, status calls, reports, and the summary for people."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from reference_connector.catalog_client.client import Uploaded
from reference_connector.catalog_client.results import IngestionResult
from reference_connector.catalog_client.summary import Ledger, as_table
from reference_connector.errors import ForbiddenHost
from tests.reference_connector.small_platform import Queue, SmallPlatform, a_report, an_envelope

SISTER_FEED = Path(__file__).with_name("sister_feed.json").read_text("utf-8")


def a_ledger(results: list[IngestionResult], rows_each: int = 2) -> Ledger:
    """Return the ledger of uploads of 2 rows that have these results."""
    ledger = Ledger()
    ledger.rows = rows_each * len(results)
    for place, result in enumerate(results):
        ledger.add_upload(Uploaded(place, rows_each, result.ingestion_id))
        ledger.add_result(result)
    return ledger


def test_subscription_is_confirmed_and_its_message_deleted(
    platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    queue.put(an_envelope("SubscriptionConfirmation", "hello", SubscribeURL=f"{platform.url}/confirm"))
    assert open_client(queue).confirm_subscription(5)
    assert (platform.confirmed, queue.left()) == (1, 0)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/confirm", "https://sns.us-east-1.amazonaws.com/?A=x", "file:/x"])
def test_confirmation_at_another_host_is_refused(open_client: Any, queue: Queue, url: str) -> None:
    queue.put(an_envelope("SubscriptionConfirmation", "hello", SubscribeURL=url))
    with pytest.raises(ForbiddenHost):
        open_client(queue).confirm_subscription(5)


def test_missing_confirmation_returns_false(open_client: Any, queue: Queue) -> None:
    assert not open_client(queue).confirm_subscription(0.1)


def test_notifications_match_by_id_in_any_order_and_number(
    platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    first, second = (an_envelope("Notification", platform.done(name)) for name in ("one", "two"))
    stranger = an_envelope("Notification", platform.done("three"))
    queue.put(stranger, second, second, first, first)
    results = open_client(queue).wait_for_results(["one", "two"], 5)
    assert [(result.ingestion_id, result.processing_status) for result in results] == [("one", "DONE"), ("two", "DONE")]
    assert [call for call, _ in platform.calls] == []
    assert queue.left() == 1, "the message about another upload is for the process that waits for it"


def test_message_that_is_not_a_notification_stays_in_the_queue(
    platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    queue.put("not json", an_envelope("Notification", "{}"), an_envelope("Notification", platform.done("one")))
    (result,) = open_client(queue).wait_for_results(["one"], 5)
    assert (result.processing_status, queue.left()) == ("DONE", 2)


def test_event_of_a_sister_feed_stays_in_a_shared_queue(
    platform: SmallPlatform, open_client: Any, queue: Queue
) -> None:
    """The envelope and the event are as Amazon prints them; the names of bucket and file are ours."""
    queue.put(SISTER_FEED, an_envelope("Notification", platform.done("one"), Subject="Amazon S3 Notification"))
    (result,) = open_client(queue).wait_for_results(["one"], 5)
    assert (result.processing_status, queue.left(), platform.calls) == ("DONE", 1, [])


def test_old_link_is_replaced_by_a_status_call(platform: SmallPlatform, open_client: Any, queue: Queue) -> None:
    platform.reports["old"] = (403, {})
    queue.put(an_envelope("Notification", platform.done("one", f"{platform.url}/report/old")))
    (result,) = open_client(queue).wait_for_results(["one"], 5)
    assert result.report == a_report("one")
    assert platform.calls == [("status", {"ingestionId": "one"})]


def test_status_call_replaces_a_missing_notification(platform: SmallPlatform, open_client: Any, queue: Queue) -> None:
    platform.done("one")
    (result,) = open_client(queue).wait_for_results(["one"], 1)
    assert result.report == a_report("one")


def test_without_a_queue_the_status_call_gives_the_results(platform: SmallPlatform, open_client: Any) -> None:
    platform.done("one")
    platform.status["two"] = {"processingStatus": "FATAL", "reportDownloadLink": ""}
    results = open_client().wait_for_results(["one", "two", "slow"], 0.1)
    assert [result.processing_status for result in results] == ["DONE", "FATAL", "INQUEUE"]
    summary = a_ledger(results).summary()
    assert (summary["failed"], summary["unfinished"]) == (["two"], ["slow"])
    assert (summary["rows"], summary["accepted"], summary["rejected"], summary["unknown"]) == (6, 1, 1, 4)


def test_report_that_breaks_the_contract_is_an_error(platform: SmallPlatform, open_client: Any) -> None:
    platform.reports["one"] = (200, {"ingestionId": "one"})
    platform.done("one")
    (result,) = open_client().wait_for_results(["one"], 5)
    assert (result.report, "breaks the contract" in result.problem) == (None, True)


def test_the_summary_names_each_rejected_row(platform: SmallPlatform, open_client: Any) -> None:
    platform.done("one")
    summary = a_ledger(open_client().wait_for_results(["one"], 1)).summary()
    assert json.loads(json.dumps(summary)) == {
        "rows": 2,
        "ingestions": ["one"],
        "unfinished": [],
        "failed": [],
        "accepted": 1,
        "rejected": 1,
        "unknown": 0,
        "notUploaded": 0,
        "rejectedRows": [
            {
                "item_sku": "SKU-2",
                "store_id": "STORE-001",
                "code": "CHECK_DIGIT_INVALID",
                "field": "external_product_id",
                "message": "digit 2 wanted",
            }
        ],
        "problems": [],
        "warnings": [],
        "error": "",
        "resume": "",
    }
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(as_table(summary))
    assert "CHECK_DIGIT_INVALID" in console.export_text()
