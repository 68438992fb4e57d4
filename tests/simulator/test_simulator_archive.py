"""Archive Catalog, reactivation, the planogram, several accounts, and the catalog's faults."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from jwo_contract.house import DEFAULT
from jwo_contract.sigv4 import Key

RETAILER_KEY = Key("retailer-key", "retailer-secret", "retailer-session")

STORE = "STORE-001"
PATH = "/v1/catalog/archive"


def an_item(sku: str = "SKU-1", barcode: str = "012345678905", **more: Any) -> dict[str, Any]:
    return {"item_sku": sku, "external_product_id": barcode, "item_name": "Thing", "store_id": STORE, **more}


def archive(platform: Any, *skus: str, stores: list[str] | None = None) -> Any:
    return platform.signed(PATH, {"itemSkus": list(skus), "allApplicableStores": stores or [STORE]})


def report(platform: Any, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    link = platform.done(answer.json()["ingestionId"])["reportDownloadLink"]
    return dict(platform.http.get(link).json())


def codes(result: dict[str, Any]) -> list[str]:
    return [row["errors"][0]["code"] if row["errors"] else row["status"] for row in result["items"]]


def state(platform: Any, sku: str) -> str:
    return str(platform.http.get(f"/stores/{STORE}/catalog/{sku}").json()["state"])


def test_archived_item_is_off_sale_until_it_is_uploaded_again(onboarded: Any) -> None:
    report(onboarded, onboarded.upload(an_item()))
    result = report(onboarded, archive(onboarded, "SKU-1", "SKU-9"))
    assert codes(result) == ["ACCEPTED", "SKU_UNKNOWN"]
    assert result["items"][0]["store_id"] == ""
    assert result["summary"] == {"received": 2, "accepted": 1, "rejected": 1}
    assert state(onboarded, "SKU-1") == "archived"
    trip = onboarded.enter()
    refused = onboarded.http.post(f"/trips/{trip}/pick", json={"sku": "SKU-1"})
    assert refused.status_code == 409
    assert codes(report(onboarded, archive(onboarded, "SKU-1"))) == ["SKU_ALREADY_ARCHIVED"]
    report(onboarded, onboarded.upload(an_item()))
    assert state(onboarded, "SKU-1") == "active"
    assert onboarded.http.post(f"/trips/{trip}/pick", json={"sku": "SKU-1"}).status_code == 200


def test_archived_item_cannot_be_scanned_until_another_takes_its_barcode(onboarded: Any) -> None:
    further = {"external_product_id": "4006381333931", "external_product_id_type": "EAN"}
    report(onboarded, onboarded.upload(an_item(additional_external_product_information=[further])))
    trip = onboarded.enter()

    def picked(code: str) -> int:
        return int(onboarded.http.post(f"/trips/{trip}/pick", json={"scancode": code}).status_code)

    codes_of_it = ("012345678905", "4006381333931")
    assert [picked(code) for code in codes_of_it] == [200, 200]
    report(onboarded, archive(onboarded, "SKU-1"))
    assert [picked(code) for code in (*codes_of_it, "99999")] == [409, 409, 200]
    assert codes(report(onboarded, onboarded.upload(an_item("SKU-2")))) == ["ACCEPTED"]
    assert [picked(code) for code in codes_of_it] == [200, 409]
    assert codes(report(onboarded, onboarded.upload(an_item()))) == ["BARCODE_SHARED"]


def test_item_on_a_planogram_is_not_archived(onboarded: Any) -> None:
    report(onboarded, onboarded.upload(an_item()))
    assert onboarded.http.put(f"/stores/{STORE}/planogram/SKU-1").json()["onPlanogram"]
    assert codes(report(onboarded, archive(onboarded, "SKU-1"))) == ["SKU_ON_PLANOGRAM"]
    assert onboarded.http.delete(f"/stores/{STORE}/planogram/SKU-1").json()["onPlanogram"] is False
    assert codes(report(onboarded, archive(onboarded, "SKU-1"))) == ["ACCEPTED"]
    assert onboarded.http.get(f"/stores/{STORE}/catalog").json() == {
        "storeId": STORE,
        "items": 1,
        "archived": 1,
        "onPlanogram": 0,
    }


def test_archiving_covers_every_store_and_the_refusal_lists_them(onboarded: Any) -> None:
    onboarded.http.put("/portal/stores/STORE-002", json={"retailer": "corner-retail"})
    both = [an_item(), {**an_item(), "store_id": "STORE-002"}]
    report(onboarded, onboarded.upload(*both))
    for stores in ([STORE], [STORE, "STORE-002", "STORE-003"]):
        refused = archive(onboarded, "SKU-1", stores=stores)
        assert refused.status_code == 400
        assert "STORE-001, STORE-002" in refused.json()["errorMsg"]
    result = report(onboarded, archive(onboarded, "SKU-1", stores=["STORE-002", STORE]))
    assert codes(result) == ["ACCEPTED"]
    assert onboarded.http.get("/stores/STORE-002/catalog/SKU-1").json()["state"] == "archived"


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        {},
        {"itemSkus": [], "allApplicableStores": [STORE]},
        {"itemSkus": ["a"], "allApplicableStores": []},
        {"itemSkus": [""], "allApplicableStores": [STORE]},
        {"itemSkus": "a", "allApplicableStores": [STORE]},
        {"itemSkus": [str(n) for n in range(10_001)], "allApplicableStores": [STORE]},
    ],
    ids=["no json", "empty", "no skus", "no stores", "empty sku", "no list", "too many"],
)
def test_malformed_archive_call_is_refused(catalog_host: Any, body: Any) -> None:
    assert catalog_host.signed(PATH, body).status_code == 400


def test_archive_call_is_signed_too(catalog_host: Any) -> None:
    assert catalog_host.http.post(PATH, json={}).status_code == 403
    assert catalog_host.signed(PATH, {}, Key("nobody", "nothing")).status_code == 403


@pytest.mark.parametrize("path", ["/v1/catalog/upload", "/v1/catalog/getCatalogUploadStatus", PATH])
@pytest.mark.parametrize("wrong", ["region", "service", "body", "date", "secret"])
def test_signature_that_is_wrong_in_one_part_is_denied(catalog_host: Any, path: str, wrong: str) -> None:
    """Sign with botocore, as clients do; only one part differs from a valid call."""
    url, body = catalog_host.url + path, b'{"ingestionId":"x"}'
    secret = "guessed" if wrong == "secret" else RETAILER_KEY.secret_access_key
    credentials = Credentials(RETAILER_KEY.access_key_id, secret, RETAILER_KEY.session_token)
    service = "s3" if wrong == "service" else "execute-api"
    request = AWSRequest("POST", url, {"Content-Type": "application/json"}, body)
    SigV4Auth(credentials, service, "eu-west-1" if wrong == "region" else "us-east-1").add_auth(request)
    catalog_host.clock.ahead = timedelta(seconds=301 if wrong == "date" else 0)
    sent = b'{"ingestionId":"y"}' if wrong == "body" else body
    answer = catalog_host.http.post(url, content=sent, headers=dict(request.headers.items()))
    catalog_host.clock.ahead = timedelta(0)
    assert answer.status_code == 403
    assert set(answer.json()) == {"message"}


def test_accounts_of_one_retailer_share_stores_and_have_rates_of_their_own(onboarded: Any, queue: Any) -> None:
    second = Key("second-key", "second-secret")
    named = {"accessKeyId": second.access_key_id, "secretAccessKey": second.secret_access_key, "sessionToken": None}
    assert onboarded.allow_list(queue.arn, "210987654321", **named).status_code == 200
    path, body = "/v1/catalog/getCatalogUploadStatus", {"ingestionId": "x"}
    assert any(onboarded.signed(path, body).status_code == 429 for _ in range(100))
    assert onboarded.signed(path, body, second).status_code == 400
    uploaded = onboarded.signed("/v1/catalog/upload", {"catalogItems": [an_item()]}, second)
    assert uploaded.status_code == 201
    shown = onboarded.http.get("/portal/merchants").json()
    assert shown == [{"retailer": "corner-retail", "stores": [STORE], "accounts": ["123456789012", "210987654321"]}]


@pytest.mark.parametrize(
    ("fault", "status", "retry_after", "text"),
    [
        ("throttle", 429, "1", "Too Many Requests"),
        ("error_500_retry", 500, "1", DEFAULT.catalog.error500_retry_text),
        ("error_500_final", 500, None, DEFAULT.catalog.error500_final_text),
    ],
)
def test_catalog_fault_is_answered_once_by_api_and_by_data(
    catalog_host: Any, fault: str, status: int, retry_after: str | None, text: str
) -> None:
    catalog_host.http.post("/faults", json={"name": fault, "where": {"operation": "Upload Catalog"}})
    by_api, by_data = catalog_host.upload(an_item()), catalog_host.upload(an_item(item_name=f"fault.{fault}"))
    for answer in (by_api, by_data):
        assert (answer.status_code, answer.json()) == (status, {"errorMsg": text})
        assert answer.headers.get("retry-after") == retry_after
    assert catalog_host.upload(an_item()).status_code == 201


@pytest.mark.parametrize("status", ["FATAL", "CANCELLED"])
def test_fault_changes_the_end_of_an_ingestion(onboarded: Any, queue: Any, status: str) -> None:
    named = an_item(item_name=f"fault.ingestion_{status.lower()} Thing")
    ingestion = onboarded.upload(named).json()["ingestionId"]
    result = onboarded.until(queue.receive)
    assert f'"{status}"' in result[0]["Message"]
    assert onboarded.status(ingestion) == {"processingStatus": status, "reportDownloadLink": ""}


def test_late_notification_follows_the_platforms_clock(start_real: Any, connector: Any, queue: Any) -> None:
    platform = start_real()
    platform.set_up_store(connector)
    platform.allow_list(queue.arn)
    (invitation,) = queue.receive()
    platform.http.get(invitation["SubscribeURL"])
    platform.http.post("/faults", json={"name": "notification_late", "amount": 3600})
    late = platform.upload(an_item()).json()["ingestionId"]
    platform.done(late)
    in_time = platform.upload(an_item()).json()["ingestionId"]
    (first,) = platform.until(queue.receive)
    assert in_time in first["Message"]
    assert queue.receive() == []
    platform.http.put("/clock", json={"advanceS": 3601})
    (second,) = platform.until(queue.receive)
    assert late in second["Message"]


@pytest.mark.parametrize(("fault", "count"), [("notification_twice", 2), ("notification_never", 0)])
def test_notification_arrives_twice_or_never(onboarded: Any, queue: Any, fault: str, count: int) -> None:
    onboarded.http.post("/faults", json={"name": fault})
    onboarded.done(onboarded.upload(an_item()).json()["ingestionId"])
    onboarded.done(onboarded.upload(an_item()).json()["ingestionId"])
    got: list[Any] = []
    onboarded.until(lambda: got.extend(queue.receive()) or len(got) >= count + 1)
    assert len({message["Message"] for message in got}) == min(2, count + 1)
    assert len(got) == count + 1
