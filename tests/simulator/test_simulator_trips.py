"""Trips and carts: the picked items, the sent cart, and its link to the entry."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from jwo_contract.messages import message
from simulator.carts import quantity_text


def pick(platform: Any, trip: str, **taken: Any) -> Any:
    return platform.http.post(f"/trips/{trip}/pick", json=taken)


def put_back(platform: Any, trip: str, **taken: Any) -> Any:
    return platform.http.post(f"/trips/{trip}/put-back", json=taken)


def leave(platform: Any, trip: str) -> dict[str, Any]:
    answer = platform.http.post(f"/trips/{trip}/leave")
    assert answer.status_code == 200
    return dict(answer.json())


def test_cart_joins_to_the_entry(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    entry = steady.scan()
    trip = entry["shoppingTripId"]
    pick(steady, trip, sku="SKU-1", quantity="2")
    leave(steady, trip)
    steady.delivery(trip)
    (sent,) = connector.bodies("purchases")
    assert message("create_purchases.request").is_valid(sent)
    assert sent["idempotentShoppingTripId"] == trip
    (event,) = sent["shoppingTrip"]["authEvents"]
    identity = connector.bodies("identity-keys")[0]["authEvent"]
    assert event == {
        "id": entry["authEventId"],
        "timestamp": identity["timestamp"],
        "location": "ENTRY",
        "payloadType": "SCAN_CODE",
        "scanResult": {"id": "visitor-1", "type": "SHOPPER"},
    }
    assert sent["shoppingTrip"]["startTime"] == identity["timestamp"] <= sent["shoppingTrip"]["endTime"]
    assert sent["cartItems"] == [
        {"id": "SKU-1", "type": "SKU", "quantity": {"value": "2.0", "unit": "unit"}, "lineItemId": "line-1"}
    ]


def test_lines_merge_per_item_and_unit(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    trip = steady.enter()
    pick(steady, trip, sku="A")
    pick(steady, trip, sku="B", quantity="0.75", unit="lb")
    pick(steady, trip, scancode="012345678905")
    pick(steady, trip, sku="A", quantity="2")
    pick(steady, trip, sku="B", quantity="0.50", unit="lb")
    pick(steady, trip, sku="C")
    put_back(steady, trip, sku="A")
    put_back(steady, trip, sku="C")
    items = leave(steady, trip)["cartItems"]
    assert [(item["type"], item["id"], *item["quantity"].values(), item["lineItemId"]) for item in items] == [
        ("SKU", "A", "2.0", "unit", "line-1"),
        ("SKU", "B", "1.25", "lb", "line-2"),
        ("SCANCODE", "012345678905", "1.0", "unit", "line-3"),
    ]
    steady.delivery(trip)


def test_cart_holds_weights_in_each_unit(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    trip = steady.enter()
    weights = {"lb": "0.75", "oz": "3.5", "kg": "1.25", "g": "2000"}
    for unit, quantity in weights.items():
        assert pick(steady, trip, sku="B", quantity=quantity, unit=unit).status_code == 200
    put_back(steady, trip, sku="B", quantity="500", unit="g")
    leave(steady, trip)
    steady.delivery(trip)
    [sent] = [body for body in connector.bodies("purchases") if body["idempotentShoppingTripId"] == trip]
    assert message("create_purchases.request").is_valid(sent)
    assert {item["quantity"]["unit"]: item["quantity"]["value"] for item in sent["cartItems"]} == {
        **weights,
        "g": "1500.0",
    }


@pytest.mark.parametrize(
    ("quantity", "text"),
    [("1", "1.0"), ("10", "10.0"), ("0.750", "0.75"), ("1.00", "1.0"), ("100", "100.0"), ("0.0000001", "0.0000001")],
)
def test_quantity_is_decimal_text(quantity: str, text: str) -> None:
    assert quantity_text(Decimal(quantity)) == text


@pytest.mark.parametrize(
    "taken",
    [
        {},
        {"sku": "A", "scancode": "1"},
        {"sku": ""},
        {"sku": "A", "quantity": "0"},
        {"sku": "A", "quantity": "-1"},
        {"sku": "A", "quantity": "1e3"},
        {"sku": "A", "quantity": "0.5"},
        {"sku": "A", "quantity": 1},
        {"sku": "A", "quantity": "99999999999"},
        {"sku": "A", "quantity": "1", "unit": "stone"},
        {"sku": "A", "quantity": "0", "unit": "kg"},
        {"sku": "A", "amount": "1"},
    ],
)
def test_invalid_pick_is_refused(steady: Any, connector: Any, taken: dict[str, Any]) -> None:
    steady.set_up_store(connector)
    trip = steady.enter()
    assert pick(steady, trip, **taken).status_code == 400
    assert steady.http.get(f"/trips/{trip}").json()["cartItems"] == []


def test_put_back_of_more_than_the_cart_holds_is_refused(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    trip = steady.enter()
    pick(steady, trip, sku="A")
    assert put_back(steady, trip, sku="A", quantity="2").status_code == 409
    assert put_back(steady, trip, sku="B").status_code == 409
    assert put_back(steady, trip, sku="A").json()["cartItems"] == []


def test_total_that_does_not_fit_the_message_is_refused(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    trip = steady.enter()
    assert pick(steady, trip, sku="A", quantity="99999999").status_code == 200
    assert pick(steady, trip, sku="A", quantity="1").status_code == 400


def test_empty_cart_is_sent_too(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    connector.purchases = [(201, {"purchaseId": ""})]
    trip = steady.enter()
    leave(steady, trip)
    assert steady.delivery(trip)["purchaseId"] == ""
    assert connector.bodies("purchases")[0]["cartItems"] == []


def test_cart_is_final_after_leaving_and_leaving_twice_sends_once(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    trip = steady.enter()
    first, second = leave(steady, trip), leave(steady, trip)
    assert first == second
    assert pick(steady, trip, sku="A").status_code == 409
    assert len(steady.delivery(trip)["attempts"]) == 1
    assert len(connector.bodies("purchases")) == 1


def test_cash_shopper_has_type_cash_in_the_cart(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    connector.identity = [(200, {"visitorDetails": {"id": "c", "type": "CASH_SHOPPER"}})]
    trip = steady.enter()
    leave(steady, trip)
    steady.delivery(trip)
    (event,) = connector.bodies("purchases")[0]["shoppingTrip"]["authEvents"]
    assert event["scanResult"] == {"id": "c", "type": "CASH"}


def test_associate_leaves_without_a_cart(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    connector.identity = [(200, {"visitorDetails": {"id": "a", "type": "ASSOCIATE"}})]
    trip = steady.enter()
    assert leave(steady, trip)["cartIsSent"] is False
    assert steady.http.get("/deliveries", params={"tripId": trip}).json() == []


def test_associate_cart_can_be_switched_on(start_platform: Any, connector: Any) -> None:
    platform = start_platform(simulator={"associate_cart": True})
    platform.set_up_store(connector)
    connector.identity = [(200, {"visitorDetails": {"id": "a", "type": "ASSOCIATE"}})]
    trip = platform.enter()
    assert leave(platform, trip)["cartIsSent"] is True
    platform.delivery(trip)


def test_visitor_by_store_default_has_a_cart_without_a_name(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector, storeDefault="open")
    connector.identity = [(500, {})]
    trip = steady.enter()
    leave(steady, trip)
    steady.delivery(trip)
    (event,) = connector.bodies("purchases")[0]["shoppingTrip"]["authEvents"]
    assert "scanResult" not in event


def test_each_entry_is_its_own_trip(steady: Any, connector: Any) -> None:
    steady.set_up_store(connector)
    assert steady.enter() != steady.enter()


def test_line_has_the_known_barcodes(onboarded: Any) -> None:
    item = {
        "item_sku": "SKU-1",
        "external_product_id": "123456789012",
        "item_name": "Test Product",
        "store_id": "STORE-001",
        "additional_external_product_information": [
            {"external_product_id": "96385074", "external_product_id_type": "EAN8"}
        ],
    }
    onboarded.done(onboarded.upload(item).json()["ingestionId"])
    trip = onboarded.enter()
    pick(onboarded, trip, sku="SKU-1")
    pick(onboarded, trip, sku="SKU-2")
    known, unknown = leave(onboarded, trip)["cartItems"]
    assert known["externalIdentifiers"] == [
        {"id": "123456789012", "type": "UPC"},
        {"id": "96385074", "type": "EAN8"},
    ]
    assert "externalIdentifiers" not in unknown


@pytest.mark.parametrize("path", ["/trips/none", "/trips/none/leave", "/trips/none/pick"])
def test_unknown_trip_is_refused(steady: Any, path: str) -> None:
    answer = steady.http.get(path) if path.endswith("none") else steady.http.post(path, json={"sku": "A"})
    assert answer.status_code == 404
