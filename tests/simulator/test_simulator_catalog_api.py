"""Upload Catalog and Get Catalog Upload Status: the check order, its texts, and who may call how often."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest

from jwo_contract import openapi
from jwo_contract.house import House
from jwo_contract.messages import message
from jwo_contract.sigv4 import Key
from simulator.catalog.checks import checked_items
from simulator.errors import CatalogRefusal

UPLOAD, STATUS = "/v1/catalog/upload", "/v1/catalog/getCatalogUploadStatus"
ONE_STORE = "One or more StoreID's present in the request is incorrect"
SEVERAL = "List of store ID's present in the request are either incorrect/not associated with same retailer"
OWN = frozenset({"STORE-001", "STORE-002"})


def an_item(**changed: Any) -> dict[str, Any]:
    return {
        "item_sku": "TEST-001",
        "external_product_id": "123456789012",
        "external_product_id_type": "UPC",
        "item_name": "Test Product",
        "store_id": "STORE-001",
        "standard_price": "9.99",
        **changed,
    }


def refusal_of(body: Any) -> str:
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    with pytest.raises(CatalogRefusal) as refused:
        checked_items(content, OWN, House())
    return str(refused.value)


def test_accepted_upload_gets_an_ingestion_id(catalog_host: Any) -> None:
    answer = catalog_host.upload(an_item())
    assert answer.status_code == 201
    assert message("upload_catalog.response").is_valid(answer.json())


def test_every_call_gets_its_own_ingestion_id(catalog_host: Any) -> None:
    ids = {catalog_host.upload(an_item()).json()["ingestionId"] for _ in range(3)}
    assert len(ids) == 3


def test_wrong_store_is_refused_uc_1(catalog_host: Any) -> None:
    answer = catalog_host.upload(an_item(store_id="INVALID_STORE_ID"))
    assert (answer.status_code, answer.json()) == (400, {"errorMsg": ONE_STORE})


def test_stores_of_two_retailers_are_refused_uc_2(catalog_host: Any) -> None:
    setup = {"retailer": "other-retail"}
    assert catalog_host.http.put("/portal/stores/RETAILER_B_STORE", json=setup).status_code == 200
    other = an_item(item_sku="TEST-002", external_product_id="123456789013", store_id="RETAILER_B_STORE")
    answer = catalog_host.upload(an_item(), other)
    assert (answer.status_code, answer.json()) == (400, {"errorMsg": SEVERAL})
    assert catalog_host.upload(other).json() == {"errorMsg": ONE_STORE}


def test_valid_and_invalid_stores_are_refused_uc_3(catalog_host: Any) -> None:
    answer = catalog_host.upload(an_item(), an_item(item_sku="TEST-002", store_id="INVALID_STORE_ID"))
    assert (answer.status_code, answer.json()) == (400, {"errorMsg": SEVERAL})


def test_invalid_body_is_refused_uc_4(catalog_host: Any) -> None:
    answer = catalog_host.signed(UPLOAD, {"invalidField": "invalid_data"})
    assert (answer.status_code, answer.json()) == (400, {"errorMsg": "Invalid request body"})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        {"catalogItems": {}},
        {"catalogItems": []},
        {"catalogItems": None},
        {"catalogItems": [None]},
        {"catalogItems": ["TEST-001"]},
        {"catalogItems": [{"item_sku": "TEST-001"}]},
        {"catalogItems": [an_item(item_sku=7)]},
        *({"catalogItems": [an_item(**{name: value})]} for name in ("item_sku", "store_id") for value in ("", None)),
        {"catalogItems": [an_item(additional_external_product_information=[{"external_product_id": "4011"}] * 51)]},
    ],
)
def test_invalid_body_has_the_published_text_uc_5(body: Any) -> None:
    assert refusal_of(body) == "Invalid request body"


def test_more_than_ten_thousand_items_are_refused_quickly_uc_6() -> None:
    body = orjson.dumps({"catalogItems": [an_item(item_sku=f"S-{number}") for number in range(10_001)]})
    started = time.thread_time()
    assert "at most 10000" in refusal_of(body)
    assert time.thread_time() - started < 1


def test_ten_thousand_items_are_checked_quickly() -> None:
    body = orjson.dumps({"catalogItems": [an_item(item_sku=f"S-{number}") for number in range(10_000)]})
    started = time.thread_time()
    assert len(checked_items(body, OWN, House())) == 10_000
    assert time.thread_time() - started < 1


@pytest.mark.parametrize("name", ["item_sku", "external_product_id", "item_name", "store_id", "brand_name"])
def test_field_over_its_limit_is_named_uc_7(name: str) -> None:
    text = refusal_of({"catalogItems": [an_item(**{name: "9" * 256})]})
    assert name in text
    assert "255" in text


def test_missing_field_comes_before_long_field_and_both_before_stores() -> None:
    long = an_item(item_name="x" * 256, store_id="NOWHERE")
    assert refusal_of({"catalogItems": [long, {"item_sku": "TEST-002"}]}) == "Invalid request body"
    assert "item_name" in refusal_of({"catalogItems": [long]})


def test_unknown_members_and_the_older_layout_are_ignored() -> None:
    body = {"catalogItems": [an_item(color_name="red", main_image_url="x", new={"a": [1]})], "more": 1}
    assert len(checked_items(orjson.dumps(body), OWN, House())) == 1


def test_rate_over_the_burst_is_refused_uc_8(onboarded: Any) -> None:
    answers = [onboarded.signed(UPLOAD, b"{}") for _ in range(40)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:10] == [400] * 10
    limited = answers[statuses.index(429)]
    assert limited.json() == {"errorMsg": "Too Many Requests"}
    assert limited.headers["retry-after"] == "1"
    other_api = onboarded.signed(STATUS, {"ingestionId": "x"})
    assert other_api.status_code == 400, "each API has its own bucket"


def test_bucket_fills_again(start_platform: Any, queue: Any) -> None:
    platform = start_platform(catalog={"burst": 1, "rate_per_s": 20})
    platform.allow_list(queue.arn)
    assert [platform.signed(STATUS, b"{}").status_code for _ in range(2)] == [400, 429]
    deadline = time.monotonic() + 5
    while platform.signed(STATUS, b"{}").status_code == 429:
        assert time.monotonic() < deadline


@pytest.mark.parametrize("path", [UPLOAD, STATUS])
def test_caller_without_right_signature_is_denied_before_all_else(catalog_host: Any, path: str) -> None:
    unsigned = catalog_host.http.post(path, json={})
    unknown = catalog_host.signed(path, {}, Key("nobody", "secret"))
    wrong = catalog_host.signed(path, {}, Key("retailer-key", "guessed", "retailer-session"))
    without_token = catalog_host.signed(path, {}, Key("retailer-key", "retailer-secret"))
    for answer in (unsigned, unknown, wrong, without_token):
        assert answer.status_code == 403
        assert set(answer.json()) == {"message"}


def test_status_of_unknown_ingestion_is_an_invalid_request(catalog_host: Any) -> None:
    answer = catalog_host.signed(STATUS, {"ingestionId": "never-given"})
    assert (answer.status_code, answer.json()) == (400, {"errorMsg": "InvalidRequestException"})


def test_ingestion_of_another_retailer_is_unknown(catalog_host: Any, queue: Any) -> None:
    ingestion = catalog_host.upload(an_item()).json()["ingestionId"]
    other = {"retailer": "other-retail", "accessKeyId": "other", "secretAccessKey": "s", "sessionToken": None}
    assert catalog_host.allow_list(queue.arn, "222222222222", **other).status_code == 200
    answer = catalog_host.signed(STATUS, {"ingestionId": ingestion}, Key("other", "s"))
    assert (answer.status_code, answer.json()) == (400, {"errorMsg": "InvalidRequestException"})


@pytest.mark.parametrize("body", [b"{", {}, {"ingestionId": ""}, {"ingestionId": 7}, {"ingestionId": "x" * 256}])
def test_broken_status_request_is_a_bad_request(catalog_host: Any, body: Any) -> None:
    answer = catalog_host.signed(STATUS, body)
    assert (answer.status_code, answer.json()) == (400, {"errorMsg": "BadRequestException"})


def test_openapi_agrees_with_the_contracts_document(catalog_host: Any) -> None:
    emitted = catalog_host.http.get("/openapi.json").json()["paths"]
    for path, item in openapi.load("platform")["paths"].items():
        wanted, given = item["post"], emitted[path]["post"]
        assert given["requestBody"]["content"] == wanted["requestBody"]["content"]
        assert set(given["responses"]) == {str(status) for status in wanted["responses"]}
        for status, answer in wanted["responses"].items():
            assert given["responses"][str(status)]["content"] == answer["content"]
