"""The platform's features for the certification of catalog clients: exports, expired links, quick refusals."""

from __future__ import annotations

import time
from typing import Any

import orjson

from tests.simulator.test_simulator_catalog_flow import an_item, notifications


def test_catalog_is_exported_as_uploaded(onboarded: Any) -> None:
    items = [an_item(), an_item("SKU-2", "036000291452", standard_price="9.99")]
    onboarded.done(onboarded.upload(*items, an_item("SKU-3", "1")).json()["ingestionId"])

    answer = onboarded.http.get("/stores/STORE-001/catalog.ndjson")

    assert [orjson.loads(line) for line in answer.content.splitlines()] == items


def test_export_is_empty_without_a_catalog_and_unknown_stores_are_refused(onboarded: Any) -> None:
    assert onboarded.http.get("/stores/STORE-001/catalog.ndjson").content == b""
    assert onboarded.http.get("/stores/NO-SUCH-STORE/catalog.ndjson").status_code == 404


def test_expired_link_is_refused_and_a_status_call_gives_a_new_one(onboarded: Any, queue: Any) -> None:
    onboarded.http.post("/faults", json={"name": "notification_old_link"}).raise_for_status()
    ingestion = onboarded.upload(an_item()).json()["ingestionId"]

    (result,) = notifications(queue, 1)

    assert onboarded.http.get(result["reportDownloadLink"]).status_code == 403
    assert onboarded.http.get(onboarded.status(ingestion)["reportDownloadLink"]).status_code == 200


def test_calls_have_their_times_except_in_the_comparable_journal(onboarded: Any) -> None:
    onboarded.upload(an_item())
    onboarded.upload(an_item())

    first, second = onboarded.http.get("/journal", params={"kind": "retailer_call"}).json()[-2:]
    comparable = onboarded.http.get("/journal.ndjson", params={"measured": "false"}).text

    assert first["startedMs"] + first["elapsedMs"] <= second["startedMs"] + 1  # each is rounded
    assert "startedMs" not in comparable


def test_ten_thousand_invalid_items_are_refused_quickly(onboarded: Any) -> None:
    nameless = {name: value for name, value in an_item().items() if name != "item_name"}
    too_long = an_item(item_name="n" * 256)

    before_s = time.process_time()
    answer = onboarded.upload(*[nameless] * 10_000)
    spent_s = time.process_time() - before_s

    assert (answer.status_code, answer.json()) == (400, {"errorMsg": "Invalid request body"})
    assert spent_s < 1
    assert "catalogItems[1].item_name" in onboarded.upload(an_item(), too_long).json()["errorMsg"]
    assert onboarded.upload(too_long, nameless).json() == {"errorMsg": "Invalid request body"}
