"""Create Purchases over a real socket."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from reference_connector.purchase_ids import RandomIds, seeded_ids
from reference_connector.settings import SAMPLE_RETAILER
from tests.reference_connector.conftest import both_databases


@both_databases
def test_a_cart_gets_a_uuid_and_a_priced_receipt(connector: Any, a_cart: Any, a_line: Any) -> None:
    cart = a_cart(cartItems=[a_line("SKU-001", "2.0"), a_line("SKU-002"), a_line("SKU-003", "1.5", unit="lb")])
    answer = connector.purchase(cart)
    assert answer.status_code == 201
    assert UUID(answer.json()["purchaseId"]).version == 4
    receipt = connector.receipt("trip-1")
    assert receipt["purchaseId"] == answer.json()["purchaseId"]
    assert (receipt["status"], receipt["currency"], receipt["storeId"]) == ("priced", "USD", "STORE-001")
    assert receipt["lines"][1] == {
        "sku": "SKU-002",
        "name": "Paper towels",
        "quantity": "1.0",
        "unit": "unit",
        "unitPrice": "4.99",
        "promotion": "0.50",
        "tax": "0.31",
        "total": "4.80",
    }
    totals = [receipt[name] for name in ("subtotal", "promotions", "tax", "total")]
    assert totals == ["9.18", "0.50", "0.31", "8.99"]


@both_databases
def test_same_trip_twice_gives_one_purchase(connector: Any, a_cart: Any) -> None:
    first = connector.purchase(a_cart())
    second = connector.purchase(a_cart(requestId=str(uuid4())))
    assert (second.status_code, second.json()) == (201, first.json())
    assert not connector.events("cart_changed")
    connector.sign_in()
    assert len(connector.http.get("/app/shoppers/ada/receipts").json()["receipts"]) == 1


def test_purchase_ids_are_uuids_of_version_4() -> None:
    for new_id in (RandomIds(), seeded_ids("7")):
        for number in range(200):
            found = new_id(f"trip-{number}")
            assert found == str(UUID(found, version=4)), "version and variant are set"


def test_purchase_ids_are_random_without_a_seed() -> None:
    seeded, again, other = map(seeded_ids, "778")
    random_id = RandomIds()
    assert len({random_id("trip-1") for _ in range(1000)}) == 1000
    assert all(UUID(made).version == 4 and str(UUID(made)) == made for made in map(random_id, "trips"))
    assert [seeded("trip-1"), seeded("trip-2")] == [again("trip-1"), again("trip-2")]
    assert len({seeded("trip-1"), seeded("trip-2"), other("trip-1")}) == 3
    assert UUID(seeded("trip-1")).version == 4


@both_databases
def test_fifty_duplicates_at_once_get_one_id(connector: Any, a_cart: Any) -> None:
    carts = [a_cart(requestId=str(uuid4())) for _ in range(50)]
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(connector.purchase, carts))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["purchaseId"] for answer in answers}) == 1


def _buy(url: str, cart: dict[str, Any]) -> str:
    import httpx  # noqa: PLC0415 - runs in a process of its own

    answer = httpx.post(f"{url}/v1/order/purchases", json=cart, timeout=30)
    return str(answer.json()["purchaseId"])


def _serve_a_second_connector(storage: Any, address: Any, may_end: Any) -> None:
    import socket  # noqa: PLC0415 - runs in a process of its own
    import threading  # noqa: PLC0415 - as above

    import uvicorn  # noqa: PLC0415 - as above

    from reference_connector.app import create_app  # noqa: PLC0415 - as above
    from reference_connector.settings import ConnectorSettings  # noqa: PLC0415 - as above

    listener = socket.create_server(("127.0.0.1", 0))
    app = create_app(ConnectorSettings.model_validate(storage))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    address.send(f"http://127.0.0.1:{listener.getsockname()[1]}")
    may_end.recv()
    server.should_exit = True
    thread.join(10)


@both_databases
def test_two_processes_on_one_database_make_one_purchase(connector: Any, a_cart: Any, storage: Any) -> None:
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_serve_a_second_connector, args=(storage, there, there))
    process.start()
    try:
        assert here.poll(20)
        urls = [connector.url, here.recv()] * 15
        carts = [a_cart(trip=f"trip-{number // 10}", requestId=str(uuid4())) for number in range(30)]
        with ThreadPoolExecutor(10) as pool:
            ids = list(pool.map(_buy, urls, carts))
    finally:
        here.send("end")
        process.join(15)
    assert process.exitcode == 0
    assert [len(set(ids[start : start + 10])) for start in (0, 10, 20)] == [1, 1, 1]


@both_databases
def test_purchase_survives_a_restart(start: Callable[..., Any], a_cart: Any) -> None:
    first = start().purchase(a_cart()).json()
    assert start().purchase(a_cart(requestId=str(uuid4()))).json() == first


def test_repeated_cart_of_a_closed_store_gets_its_purchase(
    start: Callable[..., Any], a_cart: Any, tmp_path: Path
) -> None:
    first = start().purchase(a_cart())
    without_store = tmp_path / "retailer.toml"
    without_store.write_text(SAMPLE_RETAILER.read_text("utf-8").replace('"STORE-001"', '"STORE-009"'), "utf-8")
    later = start(retailer_files=(without_store,))

    again = later.purchase(a_cart(requestId=str(uuid4())))
    assert (again.status_code, again.json()) == (201, first.json())
    assert later.purchase(a_cart(idempotentShoppingTripId="trip-2")).status_code == 400
    assert later.purchase(a_cart(storeId="NO-SUCH-STORE")).status_code == 400


@both_databases
def test_changed_cart_changes_nothing_and_is_logged(connector: Any, a_cart: Any, a_line: Any) -> None:
    first = connector.purchase(a_cart())
    second = connector.purchase(a_cart(cartItems=[a_line("SKU-002")]))
    assert (second.status_code, second.json()) == (201, first.json())
    assert [line["sku"] for line in connector.receipt("trip-1")["lines"]] == ["SKU-001"]
    assert connector.events("cart_changed")[0]["shoppingTripId"] == "trip-1"


@both_databases
def test_changed_cart_is_409_if_the_setting_says_it(start: Callable[..., Any], a_cart: Any, a_line: Any) -> None:
    connector = start(ordering={"changed_cart": "conflict_409"})
    first = connector.purchase(a_cart())
    assert connector.purchase(a_cart(cartItems=[a_line("SKU-002")])).status_code == 409
    assert [event["outcome"] for event in connector.events("purchase_answered")] == ["priced"]
    shuffled = dict(reversed(a_cart(requestId=str(uuid4()), novelty={"any": 1}).items()))
    again = connector.purchase(shuffled)
    assert (again.status_code, again.json()) == (201, first.json())


@both_databases
def test_an_empty_cart_has_no_purchase_id_and_is_remembered(direct: Any, a_cart: Any) -> None:
    assert direct.purchase(a_cart(cartItems=[])).json() == {"purchaseId": ""}
    full = direct.purchase(a_cart())
    assert (full.status_code, full.json()) == (201, {"purchaseId": ""})
    assert direct.receipt("trip-1")["status"] == "empty"


@pytest.mark.parametrize("change", [{"id": "NO-SUCH-SKU"}, {"id": "000000000000", "type": "SCANCODE"}])
def test_cart_with_an_unknown_product_is_a_bad_cart(
    direct: Any, a_cart: Any, a_line: Any, change: dict[str, str]
) -> None:
    items = [a_line("SKU-001"), a_line("any") | change]
    answer = direct.purchase(a_cart(cartItems=items))
    assert (answer.status_code, bool(answer.json()["purchaseId"])) == (201, True)
    assert direct.receipt("trip-1")["status"] == "parked"
    assert direct.purchase(a_cart(cartItems=items)).json() == answer.json()


@pytest.mark.parametrize(
    ("quantity", "unit", "shown", "total"),
    [
        ("2000", "g", ("4.40924524", "lb"), "3.48"),
        ("1.0", "kg", ("2.20462262", "lb"), "1.74"),
        ("24", "OZ", ("1.5", "lb"), "1.19"),
        ("0.75", "lb", ("0.75", "lb"), "0.59"),
        ("0", "kg", ("0.0", "lb"), "0.00"),
    ],
)
def test_weight_in_another_unit_than_the_price_is_converted(
    direct: Any, a_cart: Any, a_line: Any, quantity: str, unit: str, shown: tuple[str, str], total: str
) -> None:
    direct.purchase(a_cart(cartItems=[a_line("SKU-003", quantity, unit=unit)]))
    receipt = direct.receipt("trip-1")
    [line] = receipt["lines"]
    assert (line["quantity"], line["unit"]) == shown
    assert (line["unitPrice"], receipt["status"], receipt["total"]) == ("0.79", "priced", total)
    assert direct.operator_get("/ops/parked").json() == {"parked": []}


@pytest.mark.parametrize(
    ("sku", "quantity", "unit", "code"),
    [
        ("SKU-003", "2", "unit", "unit_does_not_fit"),
        ("SKU-001", "2000", "g", "unit_does_not_fit"),
        ("SKU-001", "1.5", "unit", "fraction_of_a_piece"),
        ("SKU-001", "2", "six-pack", "unknown_unit"),
        ("SKU-003", "2", " ", "unknown_unit"),
        ("SKU-003", "2", "g" * 70_000, "unknown_unit"),
    ],
)
def test_quantity_that_does_not_fit_makes_a_listed_bad_cart_without_a_charge(
    direct: Any, a_cart: Any, a_line: Any, sku: str, quantity: str, unit: str, code: str
) -> None:
    cart = a_cart(cartItems=[a_line("SKU-002"), a_line(sku, quantity, unit=unit)])
    answer = direct.purchase(cart)
    assert (answer.status_code, bool(answer.json()["purchaseId"])) == (201, True)
    [bad_cart] = direct.operator_get("/ops/parked").json()["parked"]
    [problem] = bad_cart["problems"]
    assert (problem["code"], problem["item"]) == (code, sku)
    assert f"{quantity} {unit[:40]!r} of {sku}" in problem["problem"]
    assert bad_cart["cartItems"] == cart["cartItems"]
    assert direct.operator_get("/ops/charges/pending").json() == {"charges": []}
    assert direct.purchase(cart).json() == answer.json()


def test_only_an_unknown_item_is_refused_by_setting(start: Callable[..., Any], a_cart: Any, a_line: Any) -> None:
    connector = start(ordering={"unknown_sku": "reject_400"})
    assert connector.purchase(a_cart(cartItems=[a_line("SKU-003", unit="unit")])).status_code == 201
    assert connector.receipt("trip-1")["status"] == "parked"
    refused = connector.purchase(a_cart(trip="trip-2", cartItems=[a_line("SKU-001"), a_line("NO-SUCH-SKU")]))
    assert refused.status_code == 400


def test_amount_beyond_any_charge_makes_a_bad_cart(start: Callable[..., Any], a_cart: Any, tmp_path: Path) -> None:
    prices = tmp_path / "prices.csv"
    prices.write_text(
        "item_sku,item_name,store_id,standard_price,sold_by\nGOLD,Gold,STORE-001,9999999999.99,g\n", "utf-8"
    )
    connector = start(retailer_files=(SAMPLE_RETAILER,), price_lists=(prices,))
    item = {"id": "GOLD", "type": "SKU", "quantity": {"value": "9999999999", "unit": "kg"}}
    assert connector.purchase(a_cart(cartItems=[item])).status_code == 201
    [bad_cart] = connector.operator_get("/ops/parked").json()["parked"]
    assert [problem["code"] for problem in bad_cart["problems"]] == ["amount_too_large"]


@pytest.mark.parametrize("code", ["012345678905", "12345678905", "0012345678905"])
def test_padded_scancode_finds_its_product(direct: Any, a_cart: Any, a_line: Any, code: str) -> None:
    direct.purchase(a_cart(cartItems=[a_line(code, type="SCANCODE")]))
    assert direct.receipt("trip-1")["lines"][0]["sku"] == "SKU-001"


@both_databases
def test_cart_of_an_unknown_store_is_a_bad_cart_by_setting(start: Callable[..., Any], a_cart: Any) -> None:
    connector = start(ordering={"unknown_store": "park"})
    assert connector.purchase(a_cart(storeId="NO-SUCH-STORE")).status_code == 201
    receipt = connector.receipt("trip-1")
    assert (receipt["status"], receipt["problems"][0]["code"]) == ("parked", "unknown_store")


def _set(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(cart: dict[str, Any]) -> None:
        *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
        node: Any = cart
        for step in steps:
            node = node[step]
        node[last] = value

    return change


_EVENT = "shoppingTrip.authEvents.0"
_ITEM = "cartItems.0"


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("requestId", None),
        ("requestId", "not a uuid!"),
        ("idempotentShoppingTripId", None),
        ("idempotentShoppingTripId", ""),
        ("idempotentShoppingTripId", "t" * 256),
        ("storeId", None),
        ("storeId", "s" * 256),
        ("storeId", "NO-SUCH-STORE"),
        ("shoppingTrip", None),
        ("shoppingTrip.startTime", None),
        ("shoppingTrip.startTime", "soon"),
        ("shoppingTrip.startTime", "2024-12-31T23:59:60Z"),
        ("shoppingTrip.startTime", "2026-02-09T12:00:01Z"),
        ("shoppingTrip.endTime", None),
        ("shoppingTrip.endTime", "later"),
        ("shoppingTrip.endTime", "2026-02-09T13:00:00+02:00"),
        ("shoppingTrip.authEvents", None),
        ("shoppingTrip.authEvents", {}),
        (f"{_EVENT}.id", None),
        (f"{_EVENT}.id", "e" * 256),
        (f"{_EVENT}.id", "not a valid id!"),
        (f"{_EVENT}.timestamp", "noon"),
        (f"{_EVENT}.timestamp", "2024-12-31T23:59:60Z"),
        (f"{_EVENT}.location", "ROOF"),
        (f"{_EVENT}.payloadType", None),
        (f"{_EVENT}.payloadType", "BARTER"),
        (f"{_EVENT}.scanResult", "ada"),
        (f"{_EVENT}.scanResult.id", "i" * 256),
        (f"{_EVENT}.scanResult.type", "GHOST"),
        ("cartItems", None),
        ("cartItems", [None]),
        (f"{_ITEM}.id", None),
        (f"{_ITEM}.id", "i" * 256),
        (f"{_ITEM}.type", None),
        (f"{_ITEM}.type", "THING"),
        (f"{_ITEM}.quantity", None),
        (f"{_ITEM}.quantity.value", None),
        (f"{_ITEM}.quantity.value", 1.0),
        (f"{_ITEM}.quantity.value", "1.000000000"),
        (f"{_ITEM}.quantity.value", "-1.0"),
        (f"{_ITEM}.quantity.value", "1e3"),
        (f"{_ITEM}.quantity.value", "NaN"),
        (f"{_ITEM}.quantity.value", "\u0661"),
        (f"{_ITEM}.quantity.value", "1\n"),
        (f"{_ITEM}.quantity.unit", None),
        (f"{_ITEM}.externalIdentifiers", [{"id": "x", "type": "RUNE"}]),
        (f"{_ITEM}.externalIdentifiers", [{"id": "x" * 256}]),
        (f"{_ITEM}.lineItemId", "l" * 256),
        ("shopperIdentity", {"id": "i" * 256}),
        ("shopperDeviceId", "d" * 256),
    ],
)
def test_a_broken_field_is_400_and_leaves_the_trip_free(direct: Any, a_cart: Any, path: str, value: Any) -> None:
    cart = a_cart()
    _set(path, value)(cart)
    answer = direct.purchase(cart)
    assert (answer.status_code, bool(answer.json()["errorMsg"])) == (400, True)
    assert direct.purchase(a_cart()).json()["purchaseId"]
    assert not direct.events("cart_changed")


def test_repeated_line_item_id_is_400(direct: Any, a_cart: Any, a_line: Any) -> None:
    items = [a_line("SKU-001", lineItemId="line-1"), a_line("SKU-002", lineItemId="line-1")]
    assert direct.purchase(a_cart(cartItems=items)).status_code == 400


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("shoppingTrip.endTime", "2026-02-09T11:50:00Z"),
        ("shoppingTrip.authEvents", []),
        (f"{_EVENT}.location", "MANUAL_IN_STORE"),
        (f"{_EVENT}.timestamp", None),
        (f"{_EVENT}.scanResult", {"id": "", "type": "CASH"}),
        (f"{_EVENT}.payloadType", "FINANCIAL"),
        (f"{_ITEM}.quantity", {"value": "0.75", "unit": "lb"}),
        (f"{_ITEM}.lineItemId", "line-1"),
        ("shopperIdentity", {"id": ""}),
        ("paymentSource", {"id": "card"}),
        ("idempotentShoppingTripId", "any text, even with ' and \u0000"),
    ],
)
def test_what_the_contract_allows_is_accepted(direct: Any, a_cart: Any, path: str, value: Any) -> None:
    cart = a_cart()
    _set(path, value)(cart)
    assert direct.purchase(cart).status_code == 201


def test_a_cart_of_two_thousand_lines_is_priced(connector: Any, a_cart: Any, a_line: Any) -> None:
    items = [a_line("SKU-001", lineItemId=f"line-{number}") for number in range(2000)]
    assert connector.purchase(a_cart(cartItems=items)).status_code == 201
    assert connector.receipt("trip-1")["total"] == "3000.00"
