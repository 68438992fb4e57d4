"""From the SNS handshake over the ingestion to the report: with a real queue, topic and bucket at a moto server."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import orjson
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from jwo_contract.messages import message
from simulator.catalog.notifications import Notifications

ACCOUNT = "123456789012"


def an_item(sku: str = "SKU-1", barcode: str = "123456789012", **changed: Any) -> dict[str, Any]:
    return {
        "item_sku": sku,
        "external_product_id": barcode,
        "item_name": "Test Product",
        "store_id": "STORE-001",
        **changed,
    }


def notifications(queue: Any, count: int) -> list[dict[str, Any]]:
    """Wait for a number of messages, check their envelopes, and return their contents."""
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + 10
    while len(found) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} notifications came"
        found += queue.receive()
    for envelope in found:
        assert envelope["Type"] == "Notification"
        assert envelope["Subject"] == "Catalog Upload Notification"
        assert message("sns_envelope").is_valid(envelope)
    return [orjson.loads(envelope["Message"]) for envelope in found]


def report_of(platform: Any, *items: dict[str, Any]) -> dict[str, Any]:
    ingestion = platform.upload(*items).json()["ingestionId"]
    report = platform.http.get(platform.done(ingestion)["reportDownloadLink"])
    assert report.status_code == 200
    assert message("catalog_report").is_valid(report.json())
    return dict(report.json())


def codes(report: dict[str, Any]) -> list[list[str]]:
    return [[error["code"] for error in row["errors"]] for row in report["items"]]


def test_registered_queue_is_asked_to_confirm(platform: Any, queue: Any) -> None:
    answer = platform.allow_list(queue.arn)
    assert answer.json()["subscriptionStatus"] == "Pending"
    (envelope,) = queue.receive()
    assert envelope["Type"] == "SubscriptionConfirmation"
    assert message("sns_envelope").is_valid(envelope)
    assert envelope["TopicArn"] == platform.http.get("/portal/topic").json()["topicArn"]
    assert envelope["SubscribeURL"].startswith(platform.url)
    assert envelope["Token"] in envelope["SubscribeURL"]


def test_fetching_the_address_confirms_and_twice_is_harmless(platform: Any, queue: Any, aws_url: str) -> None:
    platform.allow_list(queue.arn)
    (envelope,) = queue.receive()
    answers = [platform.http.get(envelope["SubscribeURL"]) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text
    assert platform.http.get(f"/portal/accounts/{ACCOUNT}").json()["subscriptionStatus"] == "Complete"
    sns = boto3.client(
        "sns", endpoint_url=aws_url, region_name="us-east-1", aws_access_key_id="r", aws_secret_access_key="r"
    )
    found = [one["Endpoint"] for one in sns.get_paginator("list_subscriptions").paginate().search("Subscriptions[]")]
    sns.close()
    assert found.count(queue.arn) == 1


def test_wrong_token_confirms_nothing(platform: Any, queue: Any) -> None:
    platform.allow_list(queue.arn)
    assert platform.http.get("/sns/confirm", params={"Token": "guessed"}).status_code == 400
    assert platform.http.get("/sns/confirm", params={"Token": ""}).status_code == 400
    assert platform.http.get(f"/portal/accounts/{ACCOUNT}").json()["subscriptionStatus"] == "Pending"


def test_result_before_the_confirmation_is_lost(platform: Any, connector: Any, queue: Any) -> None:
    platform.set_up_store(connector)
    platform.allow_list(queue.arn)
    (envelope,) = queue.receive()
    early = platform.upload(an_item()).json()["ingestionId"]
    asked = {"kind": "notification", "ingestionId": early}
    (dropped,) = platform.until(lambda: platform.http.get("/journal", params=asked).json())
    assert dropped["outcome"] == "nobody_listens"
    assert platform.http.get(envelope["SubscribeURL"]).status_code == 200
    late = platform.upload(an_item()).json()["ingestionId"]
    (result,) = notifications(queue, 1)
    assert result["ingestionId"] == late
    assert platform.status(early)["processingStatus"] == "DONE"


def test_ingestion_is_queued_processed_and_done(start_platform: Any, connector: Any, queue: Any) -> None:
    platform = start_platform(catalog={"queue_s": 0.3, "process_s": 0.3, "rate_per_s": 1000, "burst": 1000})
    platform.set_up_store(connector)
    platform.allow_list(queue.arn)
    ingestion = platform.upload(an_item()).json()["ingestionId"]
    seen: list[str] = []
    while "DONE" not in seen:
        status = platform.status(ingestion)
        assert message("get_catalog_upload_status.response").is_valid(status)
        assert bool(status["reportDownloadLink"]) is (status["processingStatus"] == "DONE")
        if status["processingStatus"] not in seen:
            seen.append(status["processingStatus"])
    assert seen == ["INQUEUE", "INPROGRESS", "DONE"]


def test_notification_has_the_result_with_a_link(onboarded: Any, queue: Any) -> None:
    ingestion = onboarded.upload(an_item()).json()["ingestionId"]
    (result,) = notifications(queue, 1)
    assert message("catalog_notification").is_valid(result)
    assert (result["ingestionId"], result["processingStatus"]) == (ingestion, "DONE")
    assert onboarded.http.get(result["reportDownloadLink"]).json()["ingestionId"] == ingestion


def test_notification_that_the_topic_refused_is_sent_again_and_then_recorded(
    onboarded: Any, queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, refused = Notifications.publish, list[Any]()

    async def refuse_once(topic: Notifications, account_id: str, said: dict[str, Any]) -> None:
        if not refused:
            refused.append(said)
            raise ClientError({"Error": {"Code": "InternalError"}}, "Publish")
        await publish(topic, account_id, said)

    monkeypatch.setattr(Notifications, "publish", refuse_once)
    ingestion = onboarded.upload(an_item()).json()["ingestionId"]
    (result,) = notifications(queue, 1)
    assert result["ingestionId"] == refused[0]["ingestionId"] == ingestion


def test_account_is_notified_of_its_own_uploads_only(onboarded: Any, queue: Any, make_queue: Callable[[], Any]) -> None:
    other = make_queue()
    onboarded.allow_list(other.arn, "222222222222", retailer="other-retail", accessKeyId="other")
    (envelope,) = other.receive()
    assert onboarded.http.get(envelope["SubscribeURL"]).status_code == 200
    onboarded.upload(an_item())
    assert len(notifications(queue, 1)) == 1
    assert other.receive() == []


def test_report_has_each_row_and_a_bad_row_affects_no_other(onboarded: Any) -> None:
    report = report_of(
        onboarded,
        an_item("GOOD"),
        an_item("WRONG", "123456789013"),
        an_item("SHORT", "12345678901", external_product_id_type="UPC"),
        an_item("LETTERS", "ABC"),
        an_item("SHARED"),
        an_item("FURTHER", "4011", additional_external_product_information=[{"external_product_id": "96385075"}]),
    )
    assert codes(report) == [
        [],
        ["CHECK_DIGIT_INVALID"],
        ["CHECK_DIGIT_MISSING"],
        ["BARCODE_FORMAT"],
        ["BARCODE_SHARED"],
        ["CHECK_DIGIT_INVALID"],
    ]
    assert report["summary"] == {"received": 6, "accepted": 1, "rejected": 5}
    assert report["items"][5]["errors"][0]["field"] == "additional_external_product_information[0].external_product_id"


def test_known_key_is_replaced_and_frees_its_barcode(onboarded: Any) -> None:
    report = report_of(onboarded, an_item("A"), an_item("A", "4011"), an_item("B"))
    assert codes(report) == [[], [], []]


def test_barcode_may_serve_another_store(onboarded: Any) -> None:
    assert onboarded.http.put("/portal/stores/STORE-002", json={"retailer": "corner-retail"}).status_code == 200
    assert codes(report_of(onboarded, an_item("A"), an_item("B", store_id="STORE-002"))) == [[], []]


def test_rejected_row_leaves_the_known_item(onboarded: Any) -> None:
    assert codes(report_of(onboarded, an_item("A"))) == [[]]
    assert codes(report_of(onboarded, an_item("A", "123456789013"), an_item("B"))) == [
        ["CHECK_DIGIT_INVALID"],
        ["BARCODE_SHARED"],
    ]


def test_link_expires_after_an_hour_and_a_status_call_renews_it(onboarded: Any) -> None:
    ingestion = onboarded.upload(an_item()).json()["ingestionId"]
    link = onboarded.done(ingestion)["reportDownloadLink"]
    onboarded.clock.ahead = timedelta(minutes=59)
    assert onboarded.http.get(link).status_code == 200
    onboarded.clock.ahead = timedelta(minutes=61)
    assert onboarded.http.get(link).status_code == 403
    assert onboarded.http.get(onboarded.status(ingestion)["reportDownloadLink"]).status_code == 200


@pytest.mark.parametrize(
    ("what", "instead"),
    [("X-Amz-Expires=3600", "X-Amz-Expires=9999"), ("X-Amz-Signature=", "X-Amz-Signature=0"), (".json?", ".jso?")],
)
def test_changed_link_opens_nothing(onboarded: Any, what: str, instead: str) -> None:
    ingestion = onboarded.upload(an_item()).json()["ingestionId"]
    link = onboarded.done(ingestion)["reportDownloadLink"]
    assert what in link
    assert onboarded.http.get(link.replace(what, instead)).status_code == 403
    assert onboarded.http.get(link.partition("?")[0]).status_code == 403


def test_link_of_a_plain_boto_client_is_checked_the_same_way(onboarded: Any) -> None:
    ingestion = onboarded.upload(an_item()).json()["ingestionId"]
    onboarded.done(ingestion)
    session = boto3.session.Session("platform", "platform", region_name="us-east-1")
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    s3 = session.client("s3", endpoint_url=onboarded.url, config=config)
    target = {"Bucket": "jwo-catalog-reports", "Key": f"{ingestion}.json"}
    assert onboarded.http.get(s3.generate_presigned_url("get_object", Params=target)).status_code == 200
    s3.close()
