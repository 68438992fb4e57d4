"""The catalog client uploads and archives: sizes, retries, a restart after a crash, and allowed hosts."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from reference_connector.catalog_client.app import create_client
from reference_connector.catalog_client.client import Uploaded
from reference_connector.catalog_client.journal import UploadJournal, held_journal
from reference_connector.catalog_client.rows import uploads
from reference_connector.errors import (
    BadRows,
    ForbiddenHost,
    JournalUnusable,
    MalformedAnswer,
    PlatformRefused,
    PlatformUnreachable,
)
from tests.reference_connector.small_platform import SmallPlatform, settings_for, some_rows


def test_rows_are_sent_in_signed_uploads_of_the_set_size(platform: SmallPlatform, open_client: Any) -> None:
    ids = open_client(chunk_rows=2).upload(some_rows(5))
    assert ids == ["ingestion-1", "ingestion-2", "ingestion-3"]
    assert [len(body["catalogItems"]) for _, body in platform.calls] == [2, 2, 1]


def test_ten_thousand_rows_are_one_upload_and_one_more_makes_two() -> None:
    assert [len(chunk) for chunk in uploads(some_rows(10_001), 10_000)] == [10_000, 1]


def test_invalid_row_stops_the_upload_before_any_call(platform: SmallPlatform, open_client: Any) -> None:
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
def test_retryable_answer_is_retried(platform: SmallPlatform, open_client: Any, trouble: Any) -> None:
    platform.answers = [trouble, trouble]
    assert open_client().upload(some_rows(1)) == ["ingestion-3"]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, {"errorMsg": "Internal Server Error. Do not retry."}),
        (400, {"errorMsg": "Invalid request body"}),
        (403, {"message": "denied"}),
        (404, {}),
        (401, {}),
        (413, {}),
        (501, {}),
        (302, {}),
    ],
)
def test_final_answer_is_never_retried(platform: SmallPlatform, open_client: Any, status: int, body: Any) -> None:
    platform.answers = [(status, body, {})]
    with pytest.raises(PlatformRefused) as refusal:
        open_client().upload(some_rows(1))
    assert (refusal.value.status, len(platform.calls)) == (status, 1)


def test_refusal_about_stores_names_them_with_their_rows(platform: SmallPlatform, open_client: Any) -> None:
    platform.answers = [(400, {"errorMsg": "One or more StoreID's present in the request is incorrect"}, {})]
    with pytest.raises(PlatformRefused, match="StoreID") as refusal:
        open_client().upload(some_rows(3))
    assert "store_id STORE-001 (3 rows)" in refusal.value.hint


def test_retries_end(platform: SmallPlatform, open_client: Any) -> None:
    platform.answers = [(429, {"errorMsg": "Too Many Requests"}, {})] * 9
    with pytest.raises(PlatformRefused):
        open_client(max_attempts=3).upload(some_rows(1))
    assert len(platform.calls) == 3


def test_client_waits_for_retry_after(platform: SmallPlatform, open_client: Any) -> None:
    platform.answers = [(429, {"errorMsg": "Too Many Requests"}, {"Retry-After": "1"})]
    started = time.monotonic()
    open_client().upload(some_rows(1))
    assert time.monotonic() - started >= 1


def test_upload_continues_after_a_crash(platform: SmallPlatform, open_client: Any, tmp_path: Path) -> None:
    rows, path = some_rows(7), tmp_path / "journal"
    platform.answers = [(201, {"ingestionId": f"first-{n}"}, {}) for n in range(2)] + [(400, {"errorMsg": "no"}, {})]
    platform.answers += [(400, {"errorMsg": "no"}, {})]
    client = open_client(chunk_rows=2, workers=1)
    with pytest.raises(PlatformRefused):
        client.upload(rows, UploadJournal(path))
    platform.answers.clear()
    with path.open("ab") as journal:
        journal.write(b'{"chunk": "torn by the cra')
    seen, before = list[Uploaded](), len(platform.calls)
    kept = UploadJournal(path)
    ids = client.upload(rows, kept, seen.append)
    assert (ids[:2], len(ids), len(set(ids))) == (["first-0", "first-1"], 4, 4)
    assert [(each.rows, each.ingestion_id) for each in seen] == list(zip([2, 2, 2, 1], ids, strict=True))
    assert [len(body["catalogItems"]) for _, body in platform.calls[before:]] == [2, 1]
    assert UploadJournal(path).find(rows[:2]) == "first-0"
    kept.finish()
    assert not path.exists()


def test_second_upload_on_a_journal_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with (
        held_journal(path),
        pytest.raises(JournalUnusable, match="another upload uses the journal") as refused,
        held_journal(path),
    ):
        pass
    assert "name another file with --journal" in refused.value.hint
    with held_journal(path):
        UploadJournal(path).keep(some_rows(1), "first")
    assert UploadJournal(path).find(some_rows(1)) == "first"


def test_file_that_is_not_a_journal_is_refused(tmp_path: Path) -> None:
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


def test_answer_that_breaks_the_contract_is_an_error(platform: SmallPlatform, open_client: Any) -> None:
    platform.answers = [(201, {"ingestionId": ""}, {}), (201, [], {})]
    client = open_client()
    for _ in range(2):
        with pytest.raises(MalformedAnswer):
            client.upload(some_rows(1))


def test_missing_answer_is_an_error() -> None:
    settings = settings_for("http://127.0.0.1:9", max_attempts=2)
    with create_client(settings) as client, pytest.raises(PlatformUnreachable, match=r"refused .*\(2 attempts\)"):
        client.status("any")


@pytest.mark.parametrize(
    "endpoint", ["https://us-east-1.catalog.amazonphysicalstores.com", "https://x.execute-api.us-east-1.amazonaws.com."]
)
def test_real_amazon_hosts_are_refused(endpoint: str) -> None:
    with pytest.raises(ForbiddenHost), create_client(settings_for(endpoint)):
        pass


def test_queue_at_aws_is_refused() -> None:
    settings = settings_for("http://127.0.0.1:9", queue_url="https://sqs.us-east-1.amazonaws.com/1/q")
    with pytest.raises(ForbiddenHost), create_client(settings):
        pass
