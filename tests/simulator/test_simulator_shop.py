"""Simulated days: the same seed gives the same journal, arrivals follow the day, every cart arrives."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest

from simulator.comparable import as_ndjson
from simulator.composition import StoreServices
from simulator.connector import Connector
from simulator.faults import Where
from simulator.seed import Seed
from simulator.settings import PlatformSettings
from simulator.shop.curves import CURVES
from simulator.shop.day import Pace
from simulator.shop.plan import People, Shop, basket, visits
from simulator.shop.run import DayOptions, Outcome, run_day

SHOPS = tuple(
    Shop(f"S{n}", (f"S{n}-G1", f"S{n}-G2"), tuple(f"SKU-{rank:03d}" for rank in range(1, 40))) for n in (1, 2)
)
PEOPLE = People(tuple(f"c2hvcHBlci0wMD{n}x" for n in range(8)), cards=200)


def fixed_answer(path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Return the answer of a connector that depends only on the message; one cart in five first fails."""
    if path.startswith("identity"):
        if body["identityKey"] == "c3RyYW5nZXI=":
            return 401, {"errorMsg": "unknown"}
        name = hashlib.sha256(body["identityKey"].encode()).hexdigest()[:8]
        return 200, {"visitorDetails": {"id": name, "type": "SHOPPER"}}
    trip = body["idempotentShoppingTripId"]
    if int(trip[:2], 16) % 5 == 0 and int(body["requestId"][:1], 16) % 2:
        return 503, {}
    return 201, {"purchaseId": f"purchase-of-{trip}" if body["cartItems"] else ""}


def a_day(
    connector: Any,
    folder: Path,
    seed: int,
    prepare: Callable[[StoreServices], None] = lambda _: None,
    **given: Any,
) -> tuple[bytes, Outcome]:
    journal = folder / f"journal-{len(list(folder.iterdir()))}.ndjson"
    settings = PlatformSettings(
        base_url="http://127.0.0.1:1", aws_endpoint_url="http://127.0.0.1:1", seed=seed, journal_path=journal
    )
    options = DayOptions(**{"day": "busy_saturday", "trips": 120, **given})
    outcome = asyncio.run(run_day(settings, SHOPS, PEOPLE, Connector(connector.url), options, prepare=prepare))
    entries = [orjson.loads(line) for line in journal.read_bytes().splitlines()]
    return b"".join(as_ndjson(entries, measured=False)), outcome


@pytest.fixture
def fixed(connector: Any) -> Any:
    connector.answer = fixed_answer
    return connector


def arm_some(services: StoreServices) -> None:
    services.faults.arm("drop_after", where=Where(operation="Create Purchases"), rate=0.1, times=None)
    services.faults.arm("duplicate", where=Where(operation="Verify Identity Keys"), rate=0.1, times=None)


def test_same_seed_and_connector_give_the_same_journal_byte_for_byte(fixed: Any, tmp_path: Path) -> None:
    first, _ = a_day(fixed, tmp_path, 7, prepare=arm_some)
    second, outcome = a_day(fixed, tmp_path, 7, prepare=arm_some, pace=Pace(at_once=3))
    other, _ = a_day(fixed, tmp_path, 8, prepare=arm_some)
    assert first == second
    assert first != other
    assert first.count(b'"faults"') > 5
    assert outcome.results.decisions == 120


def test_every_cart_of_a_day_arrives_under_one_trip_id(fixed: Any, tmp_path: Path) -> None:
    _, outcome = a_day(fixed, tmp_path, 3)
    results, deliveries = outcome.results, outcome.deliveries
    assert deliveries["delivered"] == results.carts == results.opened
    assert (deliveries["pending"], deliveries["dead_letter"]) == (0, 0)
    carts = {body["idempotentShoppingTripId"]: body for body in fixed.bodies("purchases")}
    assert len(carts) == results.carts
    assert deliveries["attempts"] == len(fixed.bodies("purchases")) > results.carts
    entered = {body["authEvent"]["id"] for body in fixed.bodies("identity-keys")}
    result = {event["id"] for body in carts.values() for event in body["shoppingTrip"]["authEvents"]}
    app = [body for body in carts.values() if body["shoppingTrip"]["authEvents"][0]["payloadType"] == "SCAN_CODE"]
    assert len(entered & result) == len(app) > 0


def test_page_shows_the_day_in_one_file(fixed: Any, tmp_path: Path) -> None:
    _, outcome = a_day(fixed, tmp_path, 3)
    assert outcome.html.count("<svg") == 5
    result = ("Arrivals by hour", "Gate decisions by cause", "decisions answered in time", "carts answered in time")
    assert all(f"{name}" in outcome.html for name in result)
    assert ">2000 ms</text>" in outcome.html
    assert "Busy saturday" in outcome.html
    assert f"<td>{outcome.results.carts:,}" in outcome.html
    assert "http" not in outcome.html.replace("http://www.w3.org", "")


def test_duration_of_a_day_follows_its_speed(fixed: Any, tmp_path: Path) -> None:
    _, outcome = a_day(fixed, tmp_path, 3, trips=6, pace=Pace(speed=36_000))
    plan = visits(SHOPS, "busy_saturday", PEOPLE, Seed(3), 6)
    assert outcome.title.wall_s >= (plan[-1].at_s - plan[0].at_s) / 36_000 > 0.3


def test_arrivals_follow_the_hours_of_the_day() -> None:
    plan = visits(SHOPS, "match_day", PEOPLE, Seed(1))
    hours = Counter(visit.at_s // 3600 for visit in plan)
    assert len(plan) == 2 * CURVES["match_day"].trips
    assert hours.most_common(1)[0][0] == 19
    assert set(hours) <= set(range(6, 23))


def test_popular_items_are_taken_more_often_and_only_taken_ones_put_back() -> None:
    taken: Counter[str] = Counter()
    for visit in visits(SHOPS, "busy_saturday", PEOPLE, Seed(1)):
        held: Counter[str] = Counter()
        for one in basket(visit, SHOPS[visit.shop], Seed(1)):
            held[one.sku] += int(one.quantity)
            taken[one.sku] += max(0, int(one.quantity))
        assert min(held.values(), default=0) >= 0
    assert taken["SKU-001"] > 3 * taken["SKU-020"] > 0


def test_weighed_items_are_taken_by_weight_and_put_back_whole() -> None:
    shop = SHOPS[0]._replace(weighed=frozenset({"SKU-001", "SKU-003"}), weight_unit="kg")
    baskets = [basket(visit, shop, Seed(1)) for visit in visits((shop,), "busy_saturday", PEOPLE, Seed(1), 300)]
    moves = [one for each in baskets for one in each]
    assert {one.unit for one in moves if one.sku in shop.weighed} == {"kg"}
    assert {one.unit for one in moves if one.sku not in shop.weighed} == {"unit"}
    taken = [one.quantity for one in moves if one.unit == "kg" and one.quantity > 0]
    assert Decimal("0.20") <= min(taken) < max(taken) <= Decimal("3.00")
    for each in baskets:
        weights = [one.quantity for one in each if one.unit == "kg"]
        assert all(-weight in weights for weight in weights if weight < 0)
    assert any(one.quantity < 0 for one in moves if one.unit == "kg")
