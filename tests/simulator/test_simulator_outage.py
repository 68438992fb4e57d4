"""Carts during an outage of a connector for an hour, and after a stop of the platform."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from jwo_contract.house import Delivery
from simulator.carts import PIECES, Line
from simulator.composition import StoreServices, make_store_services
from simulator.connector import Connector
from simulator.entry.app_code import Scan
from simulator.portal.stores import Store
from simulator.settings import PlatformSettings
from simulator.shop.clock import DayClock
from simulator.shop.day import send_due
from simulator.shop.run import MIDNIGHT

CARTS, STORES = 300, 3
NOWHERE = "http://127.0.0.1:9"


def some_services(path: Path, url: str, **delivery: Any) -> tuple[StoreServices, DayClock]:
    settings = PlatformSettings(
        base_url=NOWHERE, aws_endpoint_url=NOWHERE, database_path=str(path / "p.sqlite3"), delivery=Delivery(**delivery)
    )
    clock = DayClock(MIDNIGHT)
    services = make_store_services(settings, clock)
    for number in range(STORES):
        services.stores.put(Store(f"S{number}", "r", "open", gates=(f"G{number}",), connector=Connector(url)))
    return services, clock


async def fill_and_leave(services: StoreServices, carts: int) -> list[str]:
    trips = []
    for number in range(carts):
        decision = await services.gates.scan(f"G{number % STORES}", Scan.of_text(f"key {number}"))
        trips.append(decision["shoppingTripId"])
        await services.trips.pick(trips[-1], Line("SKU", f"SKU-{number}", PIECES), Decimal(1))
    await asyncio.gather(*(services.trips.leave(trip) for trip in trips))
    return trips


async def through(services: StoreServices, clock: DayClock, minutes: int) -> int:
    """Advance the clock from one due time to the next; returns the seconds until no cart is left."""
    end = clock.at + timedelta(minutes=minutes)
    start = clock.at
    while (due := services.deliveries.next_due()) is not None and due <= end.timestamp():
        clock.at = max(clock.at, MIDNIGHT + timedelta(seconds=due - MIDNIGHT.timestamp()))
        await send_due(services.deliveries, clock)
    took = (clock.at - start).total_seconds()
    clock.at = end
    return round(took)


@pytest.mark.parametrize("most", [4, pytest.param(8, marks=pytest.mark.slow)])
def test_outage_of_an_hour_loses_no_cart_and_ends_without_a_burst(connector: Any, tmp_path: Path, most: int) -> None:
    async def run() -> tuple[list[str], int, dict[str, int]]:
        services, clock = some_services(tmp_path, connector.url, most_at_once_per_store=most)
        trips = await fill_and_leave(services, CARTS)
        down = Connector(NOWHERE)
        up = {store.id: store for store in services.stores.all()}
        for store in up.values():
            services.stores.put(store._replace(connector=down))
        await through(services, clock, 60)
        assert (await services.deliveries.counts())["pending"] == CARTS
        for store in up.values():
            services.stores.put(store)
        took_s = await through(services, clock, 10)
        counts = await services.deliveries.counts()
        await services.close()
        return trips, took_s, counts

    connector.purchases = [(201, {"purchaseId": "p"}, {"delay_s": 0.005})]
    trips, took_s, counts = asyncio.run(run())
    assert (counts["delivered"], counts["pending"], counts["dead_letter"]) == (CARTS, 0, 0)
    seen = Counter(body["idempotentShoppingTripId"] for body in connector.bodies("purchases"))
    assert seen == Counter(trips)
    assert took_s <= 300
    assert 1 < connector.most_at_once <= most * STORES


@pytest.mark.alone
def test_hanging_connector_delays_no_other_store(connector: Any, tmp_path: Path) -> None:
    async def run() -> list[str]:
        services, clock = some_services(
            tmp_path, connector.url, order_timeout_s=0.4, most_at_once=8, most_at_once_per_store=4
        )
        await fill_and_leave(services, 30)
        await send_due(services.deliveries, clock)
        await services.close()
        return [body["storeId"] for body in connector.bodies("purchases")]

    def answer(path: str, body: dict[str, Any]) -> tuple[int, Any, dict[str, Any]]:
        if path.startswith("identity"):
            return 200, {"visitorDetails": {"id": "v", "type": "SHOPPER"}}, {}
        return 201, {"purchaseId": "p"}, {"delay_s": 0.6 if body["storeId"] == "S0" else 0.0}

    connector.answer = answer
    order = asyncio.run(run())
    assert order.count("S0") == 10
    last_of_others = max(index for index, store in enumerate(order) if store != "S0")
    assert order[:last_of_others].count("S0") <= 8


def test_shopper_continues_after_a_kill_and_restart(start_platform: Any, connector: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "platform.sqlite3")
    before = start_platform(database_path=path)
    before.set_up_store(connector)
    trip = before.enter()
    before.http.post(f"/trips/{trip}/pick", json={"sku": "SKU-1", "quantity": "2"})
    before.http.post(f"/trips/{trip}/put-back", json={"sku": "SKU-1"})
    before.stop()
    after = start_platform(database_path=path)
    after.set_up_store(connector)
    assert after.http.get("/trips").json() == {"inside": 1, "tripIds": [trip]}
    after.http.post(f"/trips/{trip}/pick", json={"sku": "SKU-2"})
    assert after.http.post(f"/trips/{trip}/leave").status_code == 200
    after.delivery(trip)
    (cart,) = connector.bodies("purchases")
    assert [(item["id"], item["quantity"]["value"]) for item in cart["cartItems"]] == [
        ("SKU-1", "1.0"),
        ("SKU-2", "1.0"),
    ]
    assert after.http.post(f"/trips/{trip}/leave").status_code == 200
    assert after.http.get("/trips").json()["inside"] == 0


def test_cart_becomes_final_after_the_delay(start_real: Any, connector: Any) -> None:
    platform = start_real(simulator={"cart_delay_s": 120})
    platform.set_up_store(connector)
    trip = platform.enter()
    platform.http.post(f"/trips/{trip}/leave")
    assert platform.http.get("/deliveries", params={"tripId": trip}).json()[0]["attempts"] == []
    platform.http.put("/clock", json={"advanceS": 121})
    platform.delivery(trip)


def test_dead_letters_are_redriven_all_at_once(platform: Any, connector: Any) -> None:
    platform.set_up_store(connector)
    connector.purchases = [(409, {}), (409, {}), (201, {"purchaseId": "p"})]
    trips = [platform.enter(), platform.enter()]
    for trip in trips:
        platform.http.post(f"/trips/{trip}/leave")
        platform.delivery(trip, "dead_letter")
    sent = platform.http.post("/deliveries/redrive")
    assert (sent.status_code, sent.json()) == (202, {"tripIds": trips})
    for trip in trips:
        assert len(platform.delivery(trip)["attempts"]) == 2
    assert platform.http.get("/deliveries/counts").json() == {
        "pending": 0,
        "delivered": 2,
        "dead_letter": 0,
        "attempts": 4,
    }
