"""The shipped world is valid, and the error of an invalid one names its file."""

from __future__ import annotations

import csv
import tomllib
from pathlib import Path
from typing import Any

import pytest

from jwo_contract.house import Barcode, Catalog
from simulator.catalog.items import CatalogItems
from simulator.errors import BrokenWorld
from simulator.worlds import World, load_world, shipped_world

BAD = {"NEWS-0001", "NEWS-0002", "NEWS-0003", "NEWS-0004", "GIFT-0001", "GIFT-0002"}


@pytest.fixture(scope="module")
def world() -> World:
    return load_world(shipped_world())


@pytest.fixture(scope="module")
def products(world: World) -> dict[str, dict[str, str]]:
    with world.products_csv.open(newline="", encoding="utf-8") as file:
        return {row["item_sku"]: row for row in csv.DictReader(file)}


def test_shelves_hold_every_kind_of_barcode_and_six_bad_rows(products: dict[str, dict[str, str]]) -> None:
    items = CatalogItems(Barcode(), Catalog())
    rows = [items.put(dict(product)) for product in products.values()]
    rejected = {row["item_sku"]: row["errors"][0]["code"] for row in rows if row["status"] == "REJECTED"}
    assert set(rejected) == BAD
    assert set(rejected.values()) == {
        "CHECK_DIGIT_INVALID",
        "CHECK_DIGIT_MISSING",
        "BARCODE_FORMAT",
        "BARCODE_SHARED",
    }
    good = [product for sku, product in products.items() if sku not in BAD]
    assert len(good) >= 260
    forms = {(product["external_product_id_type"], len(product["external_product_id"])) for product in good}
    assert {("UPC", 12), ("UPC", 8), ("EAN", 13), ("EAN8", 8), ("GTIN", 14), ("PLU", 4)} <= forms


def test_day_has_enough_visits_people_and_kinds(world: World) -> None:
    assert len(world.visits) >= 26
    assert len({visit.shopper for visit in world.visits}) >= 20
    assert {visit.kind for visit in world.visits} == {
        "shopper",
        "associate",
        "cash_shopper",
        "flagged",
        "expired_code",
        "replayed_code",
        "unknown_key",
        "foreign_code",
    }
    assert any(visit.opens and visit.kind == "shopper" and not visit.picks for visit in world.visits)


def test_visits_take_items_of_the_shop_in_their_units(world: World, products: dict[str, dict[str, str]]) -> None:
    for visit in world.visits:
        for pick in (*visit.picks, *visit.put_backs):
            assert pick.sku not in BAD
            assert products[pick.sku]["sold_by"] == ("weight" if pick.unit == "lb" else "unit")


def test_visits_agree_with_the_retailers_people(world: World) -> None:
    people = {row["id"]: row for row in tomllib.loads(world.file.read_text("utf-8"))["shopper"]}
    types = {"associate": "ASSOCIATE", "cash_shopper": "CASH_SHOPPER"}
    for visit in world.visits:
        if visit.kind in {"unknown_key", "foreign_code"}:
            assert visit.shopper not in people
            continue
        assert people[visit.shopper]["type"] == types.get(visit.kind, "SHOPPER")
        assert people[visit.shopper]["flagged"] is (visit.kind == "flagged")


def test_platform_starts_with_the_worlds_gates(start_platform: Any) -> None:
    platform = start_platform(world=shipped_world())
    store = platform.http.get("/portal/stores/STORE-001").json()
    assert store["gates"] == ["STORE-001-GATE-1", "STORE-001-GATE-2"]
    assert store["configuration"] == "Incomplete"
    assert platform.scan("https://menu.test")["cause"] == "qr_pattern"
    assert platform.scan("JWOIMAG1")["cause"] == "no_connection"


STORE = '[world]\nname = "w"\n[[store]]\nid = "S"\nretailer = "r"\ngates = ["G"]\n'


def visit(**changed: str) -> str:
    row = {"shopper": '"ada"', "kind": '"shopper"', "gate": '"G"', "opens": "true", "cause": '"200"', **changed}
    return "[[visit]]\n" + "\n".join(f"{name} = {value}" for name, value in row.items()) + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "not toml",
        '[world]\nname = "w"\n',
        STORE.replace('["G"]', "[]"),
        STORE + visit(gate='"H"'),
        STORE + visit(kind='"dancer"'),
        STORE + visit(opens="false"),
        STORE + visit(opens="false", cause='"401"', picks='[["A", "1"]]'),
        STORE + visit(picks='[["A", "none"]]'),
        STORE + visit(picks='[["A", "1"]]', put_backs='[["A", "2"]]'),
        STORE + visit(kind='"replayed_code"', opens="false", cause='"401"'),
        STORE + visit(kind='"replayed_code"', opens="false", cause='"401"', replays='"ben"') + visit(shopper='"ben"'),
    ],
)
def test_broken_world_is_reported_with_its_file(tmp_path: Path, text: str) -> None:
    (tmp_path / "products.csv").write_text("item_sku\n")
    (tmp_path / "world.toml").write_text(text)
    with pytest.raises(BrokenWorld, match=r"world\.toml"):
        load_world(tmp_path)


def test_valid_world_loads_from_its_folder(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("item_sku\n")
    (tmp_path / "world.toml").write_text(
        STORE + visit(picks='[["A", "1"], ["B", "0.5", "lb"]]') + "[retailer]\nx = 1\n"
    )
    assert load_world(tmp_path).visits[0].picks[1].unit == "lb"
    (tmp_path / "products.csv").unlink()
    with pytest.raises(BrokenWorld, match=r"products\.csv"):
        load_world(tmp_path)
