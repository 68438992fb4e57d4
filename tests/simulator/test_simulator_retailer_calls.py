"""The retailer's own calls are in the journal: answers and refusals, small bodies whole, large ones by their digest."""

from __future__ import annotations

import hashlib
import socket
from typing import Any

import httpx
import orjson
import pytest

from simulator.catalog.ingestion import Ingestions

STORE, ACCOUNT = "STORE-001", "123456789012"
STATUS = "/v1/catalog/getCatalogUploadStatus"


def an_item(sku: str = "SKU-1", **more: Any) -> dict[str, Any]:
    return {"item_sku": sku, "external_product_id": "012345678905", "item_name": "Thing", "store_id": STORE, **more}


def journaled(platform: Any, answer: Any) -> dict[str, Any]:
    """Return the journal's only entry of an answered call."""
    found = platform.http.get("/journal", params={"requestId": answer.headers["x-amzn-requestid"]}).json()
    assert len(found) == 1
    return dict(found[0])


def test_upload_status_archive_and_report_are_recorded_with_both_bodies(onboarded: Any) -> None:
    uploaded = onboarded.upload(an_item())
    ingestion = uploaded.json()["ingestionId"]
    kept = journaled(onboarded, uploaded)
    assert (kept["kind"], kept["operation"], kept["account"]) == ("retailer_call", "Upload Catalog", ACCOUNT)
    assert (kept["ingestionId"], kept["outcome"]) == (ingestion, "accepted")
    assert kept["request"]["body"] == {"catalogItems": [an_item()]}
    assert kept["response"]["status"] == 201
    assert kept["response"]["body"] == uploaded.json()
    assert kept["elapsedMs"] >= 0
    link = onboarded.done(ingestion)["reportDownloadLink"]
    report = onboarded.http.get(link)
    kept = journaled(onboarded, report)
    assert kept["response"]["body"] == report.json()
    assert kept["ingestionId"] == ingestion
    archived = onboarded.signed("/v1/catalog/archive", {"itemSkus": ["SKU-1"], "allApplicableStores": [STORE]})
    assert journaled(onboarded, archived)["operation"] == "Archive Catalog"
    of_it = onboarded.http.get("/journal", params={"ingestionId": ingestion, "kind": "retailer_call"}).json()
    assert {"Upload Catalog", "Get Catalog Upload Status"} < {entry["operation"] for entry in of_it}


def test_notifications_are_recorded_with_whether_a_queue_listens(platform: Any, connector: Any, queue: Any) -> None:
    def result() -> list[tuple[str, str]]:
        ingestion = platform.upload(an_item()).json()["ingestionId"]
        asked = {"ingestionId": ingestion, "kind": "notification"}
        found = platform.until(lambda: platform.http.get("/journal", params=asked).json())
        assert found[0]["message"]["reportDownloadLink"].endswith("X-Amz-Signature=***")
        return [(entry["outcome"], entry["message"]["processingStatus"]) for entry in found]

    platform.set_up_store(connector)
    platform.allow_list(queue.arn)
    assert result() == [("nobody_listens", "DONE")]
    (invitation,) = queue.receive()
    platform.http.get(invitation["SubscribeURL"])
    assert result() == [("published", "DONE")]


def test_payment_report_is_found_by_its_trip(onboarded: Any) -> None:
    trip, owed = onboarded.enter(), {"amount": 9.99, "code": "USD"}
    status = {"storeId": STORE, "shoppingTripId": trip, "totalAmount": owed, "settledAmount": owed}
    answer = onboarded.signed("/v1/feedback/payment-status", {**status, "paymentStatusTime": 1700000000})
    assert answer.status_code == 200
    found = onboarded.http.get("/journal", params={"trip": trip, "kind": "retailer_call"}).json()
    assert [entry["operation"] for entry in found] == ["Report Payment Status"]
    assert found[0]["storeId"] == STORE


def test_refusals_are_recorded_with_their_cause(onboarded: Any) -> None:
    refused = onboarded.upload(an_item(store_id="NOT-MINE"))
    unsigned = onboarded.http.post(STATUS, json={"ingestionId": "x"})
    onboarded.http.post("/faults", json={"name": "throttle"})
    throttled = onboarded.signed(STATUS, {"ingestionId": "x"})
    onboarded.http.post("/faults", json={"name": "error_500_final"})
    failed = onboarded.signed(STATUS, {"ingestionId": "x"})
    nowhere = onboarded.http.post("/v1/catalog/no-such-call", json={"a": 1})
    kept = [journaled(onboarded, answer) for answer in (refused, unsigned, throttled, failed, nowhere)]
    assert [(one["response"]["status"], one["outcome"]) for one in kept] == [
        (400, "catalog_refusal"),
        (403, "access_denied"),
        (429, "too_many_requests"),
        (500, "platform_failed"),
        (404, "refused"),
    ]
    assert kept[0]["response"]["body"] == refused.json()
    assert kept[1]["reason"] == "missing"
    assert [one["account"] for one in kept] == [ACCOUNT, None, ACCOUNT, ACCOUNT, None]


def test_internal_error_is_answered_and_recorded_like_other_calls(
    onboarded: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_given: Any) -> None:
        raise RuntimeError("on our side")

    monkeypatch.setattr(Ingestions, "accept", broken)
    answer = onboarded.upload(an_item())
    kept = journaled(onboarded, answer)
    assert (answer.status_code, answer.headers["retry-after"]) == (500, "1")
    assert (kept["outcome"], kept["response"]["status"]) == ("platform_error", 500)
    assert kept["response"]["body"] == answer.json()


def test_disconnect_during_an_upload_is_recorded_as_caller_left(onboarded: Any) -> None:
    url = httpx.URL(onboarded.url)
    with socket.create_connection((url.host, url.port)) as connection:
        connection.sendall(b"POST /v1/catalog/upload HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\n{")
    asked = {"kind": "retailer_call", "outcome": "caller_left"}
    (kept,) = onboarded.until(lambda: onboarded.http.get("/journal", params=asked).json())
    assert kept["response"] is None


def test_lost_answer_breaks_off_after_the_call_was_handled(onboarded: Any) -> None:
    onboarded.http.post("/faults", json={"name": "answer_lost", "where": {"operation": "Upload Catalog"}})
    with pytest.raises(httpx.RemoteProtocolError):
        onboarded.upload(an_item())
    asked = {"kind": "retailer_call", "outcome": "answer_lost"}
    (kept,) = onboarded.until(lambda: onboarded.http.get("/journal", params=asked).json())
    assert onboarded.done(kept["response"]["body"]["ingestionId"])
    assert onboarded.upload(an_item()).status_code == 201


def test_large_body_is_recorded_by_size_digest_and_beginning(onboarded: Any) -> None:
    items = [an_item(f"SKU-{number}") for number in range(10_000)]
    body = orjson.dumps({"catalogItems": items})
    answer = onboarded.signed("/v1/catalog/upload", body)
    assert answer.status_code == 201
    result = onboarded.until(lambda: journaled(onboarded, answer))["request"]["body"]
    assert result["bytes"] == len(body)
    assert result["sha256"] == hashlib.sha256(body).hexdigest()
    assert result["beginning"] == body[:2000].decode()
    assert "larger than" in result["cut"]


def test_no_credential_is_recorded(onboarded: Any, make_queue: Any) -> None:
    other = make_queue()
    onboarded.allow_list(other.arn)
    (invitation,) = other.receive()
    onboarded.http.get(invitation["SubscribeURL"])
    link = onboarded.done(onboarded.upload(an_item()).json()["ingestionId"])["reportDownloadLink"]
    onboarded.http.get(link)
    onboarded.http.post("/v1/catalog/upload", content=b'{"identityKey": "c2VjcmV0LWtleQ==", "unfinished"')
    journal = onboarded.http.get("/journal.ndjson").text + onboarded.http.get("/journal.sh").text
    assert "Confirm a subscription" in journal
    for secret in (invitation["Token"], link.rpartition("=")[2], "c2VjcmV0LWtleQ==", "retailer-session"):
        assert secret not in journal


def test_calls_are_exported_as_curl_lines(onboarded: Any) -> None:
    ingestion = onboarded.upload(an_item()).json()["ingestionId"]
    onboarded.http.get(onboarded.done(ingestion)["reportDownloadLink"])
    large = onboarded.upload(*(an_item(f"SKU-{number}") for number in range(200)))
    lines = onboarded.http.get("/journal.sh", params={"kind": "retailer_call"}).text.splitlines()
    upload = next(line for line in lines if "/v1/catalog/upload" in line)
    assert "--data-raw" in upload
    assert "item_sku" in upload
    download = next(line for line in lines if "-X GET" in line and ingestion in line)
    assert "--data" not in download
    digest = journaled(onboarded, large)["request"]["body"]["sha256"]
    assert any(f"-with-sha256-{digest}" in line for line in lines)


def test_calls_of_the_control_api_are_not_retailer_calls(onboarded: Any) -> None:
    onboarded.http.get("/portal/stores")
    assert "/portal/stores" not in onboarded.http.get("/journal.ndjson").text


def test_platform_cannot_send_a_retailers_call_again(onboarded: Any) -> None:
    kept = journaled(onboarded, onboarded.upload(an_item()))
    refused = onboarded.http.post(f"/journal/{kept['seq']}/resend")
    assert refused.status_code == 404
    assert "choose an exchange that the platform sent" in refused.json()["errorMsg"]
