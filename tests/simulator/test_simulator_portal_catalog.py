"""The portal's calls for catalogs: uploads of files, their refusals in plain words, the history, and the search."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.simulator.conftest import ACCOUNT, STORE
from tests.simulator.test_simulator_catalog_api import an_item

CSV = "item_sku,external_product_id,item_name,store_id,sold_by,shelf\nS-1,0012345678905,Milk,STORE-001,unit,A\n"


def upload(platform: Any, data: bytes | str, account: str = ACCOUNT, file: str = "items.csv") -> httpx.Response:
    content = data if isinstance(data, bytes) else data.encode()
    answer: httpx.Response = platform.http.post(
        f"/portal/accounts/{account}/catalog-uploads", params={"file": file}, content=content
    )
    return answer


def ended(platform: Any, ingestion_id: str) -> dict[str, Any]:
    def found() -> dict[str, Any] | None:
        shown: dict[str, Any] = platform.http.get(f"/portal/ingestions/{ingestion_id}").json()
        return shown if shown["processingStatus"] == "DONE" else None

    return dict(platform.until(found))


def test_file_is_uploaded_as_the_account_and_journaled(catalog_host: Any) -> None:
    answer = upload(catalog_host, CSV)
    assert answer.status_code == 201, answer.text
    accepted = answer.json()
    assert (accepted["rows"], accepted["ignoredColumns"]) == (1, ["shelf"])
    shown = ended(catalog_host, accepted["ingestionId"])
    assert (shown["source"], shown["accountId"], shown["accepted"], shown["rejected"]) == ("portal", ACCOUNT, 1, 0)
    (entry,) = catalog_host.http.get(
        "/journal", params={"kind": "portal_upload", "ingestionId": accepted["ingestionId"]}
    ).json()
    assert (entry["account"], entry["file"], entry["outcome"]) == (ACCOUNT, "items.csv", "accepted")
    item = catalog_host.http.get(f"/stores/{STORE}/catalog/S-1").json()["item"]
    assert item == {
        "item_sku": "S-1",
        "external_product_id": "0012345678905",
        "item_name": "Milk",
        "store_id": STORE,
    }


def test_link_of_the_report_lives_until_the_hour_that_it_names(catalog_host: Any) -> None:
    wrong = an_item(item_sku="BAD-1", external_product_id="123456789019")
    shown = ended(catalog_host, catalog_host.upload(wrong).json()["ingestionId"])
    assert (shown["source"], shown["accepted"], shown["rejected"]) == ("api", 0, 1)
    link = shown["reportDownloadLink"]
    assert catalog_host.http.get(link).json()["items"][0]["errors"][0]["code"] == "CHECK_DIGIT_INVALID"
    assert shown["linkEndsAt"] > shown["endedAt"]
    assert catalog_host.http.get("/portal/ingestions").json()[0]["ingestionId"] == shown["ingestionId"]


TOO_MANY = "item_sku,external_product_id,item_name,store_id\n" + "".join(
    f"S-{number},4011,Item,STORE-001\n" for number in range(10_001)
)
HEADER = "item_sku,external_product_id,item_name,store_id\n"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"{", "not valid JSON"),
        (b'{"catalogItems": 7}', "Invalid request body (write"),
        (b"[" * 100_000, "not"),
        (b'[{"item_sku": "A"}]', "item 1: external_product_id is missing"),
        (f"{HEADER}A,4011,Milk,NOWHERE\n", "line 2: NOWHERE is not a store of this retailer, its stores are STORE-001"),
        (f"{HEADER}\nA,4011,,STORE-001\n", "line 3: item_name is missing"),
        (f"{HEADER}A,4011,Milk\n", "line 2 has 3 values, and the header has 4"),
        (f'{HEADER}A,4011,"Milk,STORE-001\n', "line 2 is not a row"),
        (HEADER, "no rows"),
        ("sku;name\nA;Milk\n", "no column item_sku, external_product_id, item_name, store_id"),
        (f"{HEADER}A,4011,Käse,STORE-001\n".encode("latin-1"), "line 2 has the byte 0xE4"),
        (b"PK\x03\x04rest", "Excel"),
        (b"item_sku\0", "zero byte"),
        (TOO_MANY, "10001 items in one request; at most 10000 are allowed (divide the file"),
        (b" " * 60_000_000, "the file has 60 MB; at most 20 MB are allowed"),
    ],
    ids=lambda value: str(value)[:20] if isinstance(value, str) else "",
)
def test_bad_file_is_refused_in_plain_words(catalog_host: Any, data: bytes | str, words: str) -> None:
    answer = upload(catalog_host, data)
    assert answer.status_code == 400
    assert words in answer.json()["errorMsg"]
    newest = catalog_host.http.get("/journal", params={"kind": "portal_upload"}).json()[-1]
    assert newest["reason"] == answer.json()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_files_of_spreadsheets_are_read(catalog_host: Any, encoding: str, delimiter: str) -> None:
    text = f"{HEADER}U-1,4011,Käse 😀,STORE-001\n".replace(",", delimiter)
    assert upload(catalog_host, text.encode(encoding)).status_code == 201


def test_upload_needs_a_known_account_and_keeps_to_its_rate(start_platform: Any, queue: Any) -> None:
    slow = start_platform(catalog={"rate_per_s": 0.001, "burst": 1})
    slow.set_up_store(None)
    slow.allow_list(queue.arn)
    assert upload(slow, CSV, "unknown").status_code == 404
    assert [upload(slow, CSV).status_code for _ in range(2)] == [201, 429]


def test_search_finds_sku_name_and_every_barcode(catalog_host: Any) -> None:
    further = [{"external_product_id": "94012"}]
    items = [
        an_item(item_sku="FIND-1", item_name="Äpfel", external_product_id="94011", external_product_id_type="PLU"),
        an_item(item_sku="FIND-2", item_name="Pears 94011", external_product_id="94013", external_product_id_type="PLU",
                additional_external_product_information=further),
    ]  # fmt: skip
    for item in items:
        shown = ended(catalog_host, catalog_host.upload(item).json()["ingestionId"])
        assert shown["rejected"] == 0

    def found(text: str, **more: Any) -> list[str]:
        answer = catalog_host.http.get(f"/stores/{STORE}/items", params={"search": text, **more}).json()
        return [one["item"]["item_sku"] for one in answer["items"]]

    assert found("find-") == ["FIND-1", "FIND-2"]
    assert found("find-", offset=1) == ["FIND-2"]
    assert found("ÄPFEL") == ["FIND-1"]
    assert found("94012") == ["FIND-2"]
    assert found("94011")[0] == "FIND-1", "the owner of the barcode comes first"
    assert catalog_host.http.get("/stores/NOWHERE/items").status_code == 404


def test_platform_without_aws_says_what_is_missing(start_platform: Any) -> None:
    alone = start_platform(stores_alone=True, aws_endpoint_url="")
    alone.set_up_store(None)
    setup = {"retailer": "corner-retail", "accessKeyId": "a", "secretAccessKey": "s"}
    assert alone.http.put(f"/portal/accounts/{ACCOUNT}", json=setup).status_code == 200
    shown = alone.http.get("/portal/catalog").json()
    assert (shown["available"], "JWO_PLATFORM_STORES_ALONE" in shown["missing"]) == (False, True)
    assert "jwo play" in shown["fix"]
    refused = upload(alone, CSV)
    assert (refused.status_code, shown["fix"] in refused.json()["errorMsg"]) == (409, True)


def test_user_of_another_merchant_sees_no_ingestion(catalog_host: Any) -> None:
    ingestion_id = upload(catalog_host, CSV).json()["ingestionId"]
    admin, other = "admin-token-0123456789", "other-token-0123456789"
    every = {"permissions": ["view", "users", "catalog"], "token": admin}
    http = catalog_host.http
    assert http.put("/portal/users/admin", json=every).status_code == 200
    as_admin, as_other = ({"Authorization": f"Bearer {token}"} for token in (admin, other))
    own = {"retailer": "other", "permissions": ["view", "catalog"], "token": other}
    assert http.put("/portal/users/other", json=own, headers=as_admin).status_code == 200
    try:
        assert http.get(f"/portal/ingestions/{ingestion_id}", headers=as_other).status_code == 403
        assert http.get("/portal/ingestions", headers=as_other).json() == []
        assert http.get("/portal/ingestions?retailer=corner-retail", headers=as_other).status_code == 403
        path = f"/portal/accounts/{ACCOUNT}/catalog-uploads"
        assert http.post(path, content=CSV.encode(), headers=as_other).status_code == 403
        assert http.get(f"/portal/ingestions/{ingestion_id}", headers=as_admin).status_code == 200
    finally:
        for user in ("other", "admin"):
            http.delete(f"/portal/users/{user}", headers=as_admin)
