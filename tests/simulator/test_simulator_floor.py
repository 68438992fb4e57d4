"""The control calls of a store floor: stores with gates, goods, sample visitors, codes at once, frames, visits."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import qrcode
from PIL import Image

from conformance.mutants.gallery import connector_with
from conformance.mutants.gate import profile_of
from conformance.mutants.small_connector import STORES
from jwo.play_samples import ProfileSamples
from jwo_contract.profile import KeysTable
from simulator.app import create_app
from simulator.settings import PlatformSettings

STORE, GATES = "STORE-001", ["GATE-1", "GATE-2", "GATE-3"]


@pytest.fixture
def api(serve: Callable[[Any], str]) -> Iterator[httpx.Client]:
    connector = serve(connector_with("", STORES))
    settings = PlatformSettings(base_url="http://127.0.0.1:1", stores_alone=True)
    app = create_app(settings, samples=ProfileSamples(profile_of(connector)))
    with httpx.Client(base_url=serve(app), timeout=10) as client:
        target = {"url": connector, "auth": "none"}
        store = {"retailer": "r", "connector": target, "gates": GATES, "methods": ["app", "badge", "card", "palm"],
                 "strategy": "amazon_recommendation", "loyalty": True}  # fmt: skip
        client.put(f"/portal/stores/{STORE}", json=store).raise_for_status()
        yield client


def show(api: httpx.Client, gate: str, kind: str) -> Any:
    way = {one["kind"]: one["way"] for one in api.get("/samples").json()["visitors"]}[kind]
    body = api.post(f"/samples/{kind}").raise_for_status().json()
    return api.post(f"/gates/{gate}/{way}", json=body).raise_for_status().json()


def test_floor_shows_each_gate_with_its_last_decision(api: httpx.Client) -> None:
    show(api, "GATE-2", "shopper")
    floor = api.get("/stores").json()

    (store,) = floor["stores"]
    assert (floor["answerWithinS"], floor["gateOpenS"], store["hasConnector"]) == (2.0, 5.0, True)
    assert [(one["gate"], one["light"], one["lock"]) for one in store["gates"]] == [
        ("GATE-1", "off", "locked"),
        ("GATE-2", "green", "unlocked"),
        ("GATE-3", "off", "locked"),
    ]
    assert store["gates"][1]["lastDecision"]["visitor"]["id"] == "shopper-uuid-001"


def test_each_sample_visitor_gets_the_decision_that_its_text_promises(api: httpx.Client) -> None:
    for one in api.get("/samples").json()["visitors"]:
        opens = "the gate opens" in one["about"] or "accepts" in one["about"]
        assert show(api, "GATE-1", one["kind"])["opens"] is opens, one


def test_unknown_kind_of_visitor_is_an_error(api: httpx.Client) -> None:
    answer = api.post("/samples/ghost")

    assert answer.status_code == 404
    assert "GET /samples" in answer.json()["errorMsg"]


def test_goods_of_the_profile_are_on_the_shelves_and_the_search_finds_them(api: httpx.Client) -> None:
    shelf = api.get(f"/stores/{STORE}/goods").json()
    found = api.get(f"/stores/{STORE}/goods", params={"search": "w01"}).json()

    assert [one["sku"] or one["scancode"] for one in shelf["goods"]] == [
        "SKU-001",
        "SKU-002",
        "SKU-W01",
        "012345678905",
    ]
    assert (found["matching"], found["goods"][0]["unit"]) == (1, "lb")
    assert api.get("/stores/NO-STORE/goods").status_code == 404


def test_codes_at_once_get_a_decision_or_an_error_each(api: httpx.Client) -> None:
    scans = [{"gate": gate, "text": "valid_shopper_key"} for gate in (*GATES[:2], "NO-GATE")]
    decisions = api.post("/scans", json={"scans": scans}).json()
    twice = api.post("/scans", json={"scans": scans[:1] * 2})

    assert [one.get("opens") for one in decisions] == [True, True, None]
    assert "NO-GATE" in decisions[2]["errorMsg"]
    assert twice.status_code == 400


def test_frame_of_a_camera_decides_only_when_it_shows_a_code(api: httpx.Client) -> None:
    blank, code = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (64, 64)).save(blank, "PNG")
    qrcode.make("valid_shopper_key").save(code)
    png = {"Content-Type": "image/png"}

    aimed = api.post("/gates/GATE-1/scans?frame=true", content=blank.getvalue(), headers=png).json()
    assert aimed["light"] == "off"
    assert api.get("/journal").json() == []
    assert api.post("/gates/GATE-1/scans?frame=true", content=code.getvalue(), headers=png).json()["opens"]
    assert api.post("/gates/GATE-1/scans", content=blank.getvalue(), headers=png).json()["light"] == "unreadable"


def test_visitors_come_by_themselves_until_they_are_stopped(api: httpx.Client) -> None:
    assert api.get("/visits").json() == {"everyS": None, "visitors": 0}
    api.put("/visits", json={"everyS": 0.2}).raise_for_status()
    deadline = time.monotonic() + 10
    while not api.get("/journal", params={"kind": "gate_decision"}).json():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    stopped = api.put("/visits", json={"everyS": None}).json()["visitors"]
    time.sleep(0.5)

    assert stopped >= 1
    assert api.get("/visits").json() == {"everyS": None, "visitors": stopped}
    used = {one["gate"] for one in api.get("/journal", params={"kind": "gate_decision"}).json()}
    assert "GATE-1" not in used  # it stays free for the people at the page


def test_failing_source_of_keys_names_the_profile(serve: Callable[[Any], str]) -> None:
    profile = profile_of("http://127.0.0.1:9").model_copy(
        update={"keys": KeysTable(command="/no/such/program {type}", minted=("shopper",))}
    )
    app = create_app(
        PlatformSettings(base_url="http://127.0.0.1:1", stores_alone=True), samples=ProfileSamples(profile)
    )
    answer = httpx.post(f"{serve(app)}/samples/shopper")

    assert answer.status_code == 502
    assert "[keys] command failed" in answer.json()["errorMsg"]


def test_platform_without_a_source_has_the_published_samples(serve: Callable[[Any], str]) -> None:
    app = create_app(PlatformSettings(base_url="http://127.0.0.1:1", stores_alone=True))
    with httpx.Client(base_url=serve(app)) as api:
        kinds = [one["kind"] for one in api.get("/samples").json()["visitors"]]
        keys = [api.post(f"/samples/{kind}").json()["identityKey"] for kind in kinds]

    assert kinds == ["shopper", "stranger"]
    assert keys[0] == "dmFsaWRfc2hvcHBlcl9rZXk="
