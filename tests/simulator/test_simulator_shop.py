"""Simulated days: the same seed gives the same journal, arrivals follow the day, every cart arrives."""

from __future__ import annotations

import asyncio
import hashlib
import re
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
from simulator.shop.plan import Means, People, Shop, basket, visits
from simulator.shop.run import DayOptions, Outcome, run_day
from simulator.shop.shares import Shares

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
    assert outcome.html.count('role="img"') == 3
    result = ("Arrivals by hour", "Gate decisions by cause", "decisions answered in time", "carts answered in time")
    assert all(f"{name}" in outcome.html for name in result)
    assert ">2 s</text>" in outcome.html
    assert "Busy saturday" in outcome.html
    assert f"<dd>{outcome.results.carts:,}</dd>" in outcome.html
    assert not re.search(r'src=|href="[^#]|url\(|@import|<script|<link', outcome.html)


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


MEANS = Means(
    associates=("YXNzb2NpYXRl",), cash_shoppers=("Y2FzaA==",), associate_badges=("badge a",), badges=("badge b",),
    refused_badges=("badge c",),
    loyalty=("member",), cards=(("card good", True), ("card bad", None)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("share", "has"),
    [
        ("palm", lambda visit: visit.way == "palm"),
        ("card", lambda visit: visit.way == "card"),
        ("badge", lambda visit: visit.way == "badge"),
        ("loyalty", lambda visit: visit.way == "loyalty"),
        ("loyalty_inside", lambda visit: visit.loyalty == "member"),
        ("associate", lambda visit: visit.kind == "associate" and visit.way == "app"),
        ("cash", lambda visit: visit.kind == "cash_shopper"),
        ("stranger", lambda visit: visit.kind == "stranger"),
        ("group", lambda visit: visit.people > 1),
        ("returns", lambda visit: visit.returns),
        ("reentry", lambda visit: visit.comes_again),
    ],
)
def test_share_is_the_share_of_the_visits(share: str, has: Callable[[Any], bool]) -> None:
    """The other shares are 0, so every visit could be of this kind, except the re-entries of a store's first hour."""
    alone = dict.fromkeys(Shares.model_fields, 0.0)
    counts = []
    for wanted in (0.0, 0.3):
        people = People.of(("a2V5",), MEANS, Shares(**{**alone, share: wanted}))
        counts.append(sum(map(has, visits(SHOPS, "match_day", people, Seed(1)))) / 1800)
    assert counts[0] == 0
    assert counts[1] == pytest.approx(0.3, abs=0.05)


def test_only_a_badge_that_is_not_refused_is_to_open_the_gate() -> None:
    people = People.of((), MEANS._replace(associates=(), cash_shoppers=()), Shares(card=0, badge=1, loyalty=0))
    plan = visits(SHOPS, "match_day", people, Seed(1))
    admitted = {(visit.means, visit.kind, visit.admitted) for visit in plan if visit.way == "badge"}
    assert admitted == {
        ("badge a", "associate", True), ("badge b", "shopper", True), ("badge c", "shopper", False),
    }  # fmt: skip


def test_shopper_comes_again_with_the_same_means_after_leaving() -> None:
    people = People.of(tuple(f"key {n}" for n in range(500)), MEANS, Shares(reentry=0.3))
    plan = visits(SHOPS[:1], "match_day", people, Seed(1))
    again = [visit for visit in plan if visit.comes_again]
    assert len(again) > 50
    for visit in again:
        earlier = [one for one in plan if (one.way, one.means, one.kind) == (visit.way, visit.means, visit.kind)]
        assert any(one.at_s + one.stay_s < visit.at_s for one in earlier)


def test_returned_goods_are_those_that_the_shopper_has() -> None:
    people = People.of(("a2V5",), MEANS, Shares(returns=1, group=0))
    emptied = 0
    for visit in visits(SHOPS, "busy_saturday", people, Seed(1), 300):
        moves = basket(visit, SHOPS[visit.shop], Seed(1))
        held: Counter[str] = Counter()
        for one in moves:
            held[one.sku] += int(one.quantity)
        assert min(held.values(), default=0) >= 0
        emptied += visit.returns and not any(held.values())
    assert emptied > 30


def test_group_has_one_entry_for_all_or_one_event_for_each_person(fixed: Any) -> None:
    for share, several in ((0.0, False), (1.0, True)):
        fixed.seen.clear()
        people = People.of(("a2V5",), Means(), Shares(card=0, group=1, group_events=share, stranger=0, reentry=0))
        settings = PlatformSettings(base_url="http://127.0.0.1:1", aws_endpoint_url="http://127.0.0.1:1", seed=1)
        asyncio.run(run_day(settings, SHOPS, people, Connector(fixed.url), DayOptions("busy_saturday", 12)))
        carts = {body["idempotentShoppingTripId"]: body for body in fixed.bodies("purchases")}
        events = [len(body["shoppingTrip"]["authEvents"]) for body in carts.values()]
        assert len(events) == 12
        assert all(number > 1 if several else number == 1 for number in events)
        assert len(fixed.bodies("identity-keys")) == sum(events)


def test_associate_leaves_no_cart_and_cash_shopper_leaves_one_of_type_cash(connector: Any) -> None:
    types = {"YXNzb2NpYXRl": "ASSOCIATE", "Y2FzaA==": "CASH_SHOPPER"}

    def answer(path: str, body: dict[str, Any]) -> tuple[int, Any]:
        if path.startswith("identity"):
            return 200, {"visitorDetails": {"id": "v", "type": types[body["identityKey"]]}}
        return 201, {"purchaseId": "p"}

    connector.answer = answer
    people = People.of((), MEANS, Shares(card=0, badge=0, loyalty=0, associate=0.5, cash=0.5, stranger=0, reentry=0))
    settings = PlatformSettings(base_url="http://127.0.0.1:1", aws_endpoint_url="http://127.0.0.1:1", seed=1)
    outcome = asyncio.run(run_day(settings, SHOPS, people, Connector(connector.url), DayOptions("match_day", 20)))
    keys = Counter(body["identityKey"] for body in connector.bodies("identity-keys"))
    carts = connector.bodies("purchases")
    assert len(carts) == outcome.results.carts == keys["Y2FzaA=="] > 3
    assert keys["YXNzb2NpYXRl"] > 3
    assert {one["scanResult"]["type"] for cart in carts for one in cart["shoppingTrip"]["authEvents"]} == {"CASH"}


@pytest.mark.parametrize("wrong", [{"card": 0.6, "palm": 0.6}, {"associate": 0.6, "cash": 0.6}, {"palm": 1.1}])
def test_shares_that_do_not_fit_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="1"):
        Shares(**wrong)
