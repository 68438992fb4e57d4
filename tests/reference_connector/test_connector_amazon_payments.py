"""Payments that Amazon holds: the platform's journal has one effect for each step, and totals to the cent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.reference_connector.amazon_shop import AmazonShop, Steps, a_cart, amazon_shop
from tests.reference_connector.conftest import both_databases
from tests.simulator.in_process import KEY

REFUND = "3b241101-e2bb-4255-8caf-000000000001"
ITEMS = [("SKU-001", "2"), ("SKU-002", "1")]
PAID: Steps = [("Adjust", "changed"), ("Capture", "changed")]
HOUR = 3_600
RECEIPTS = "/app/shoppers/ada/receipts"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AmazonShop]:
    folder = tmp_path_factory.mktemp("shop")
    storage = {"store": {"path": folder / "connector.sqlite3"}, "admin": {"token": "a-token-of-the-operator"}}
    with amazon_shop(folder, storage) as running:
        yield running


def total(shop: AmazonShop, trip: str) -> str:
    return str(shop.run("GET", f"/ops/receipts/{trip}").json()["total"])


@both_databases
@pytest.mark.parametrize("accelerated", [True, False], ids=["accelerated", "plain"])
def test_sale_is_adjusted_to_its_total_and_captured_once(
    storage: dict[str, Any], tmp_path: Path, *, accelerated: bool
) -> None:
    with amazon_shop(tmp_path, storage, accelerated=accelerated) as shop:
        trip, empty = shop.sell(ITEMS), shop.sell([])
        charge = shop.charge(trip, "captured")
        shop.charge(empty, "released")
        shop.deliver(a_cart(trip, ITEMS))
        shop.deliver(a_cart(empty, []))
        shop.run("POST", "/ops/refunds", json={"refundRequestId": REFUND, "shoppingTripId": trip, "amount": "0.10"})
        shop.refund(REFUND, "done")
        shop.wait(HOUR)

        assert shop.steps(trip) == [*PAID, ("Refund", "changed")]
        assert shop.amounts(trip) == [total(shop, trip), total(shop, trip), "0.10"]
        assert (charge["amount"], charge["owed"]) == (total(shop, trip), "0.00")
        assert Decimal(charge["amount"]) > 0
        assert shop.steps(empty) == [("Cancel", "changed")]


LOST = [("Adjust", "changed"), ("Adjust", "repeated"), ("Capture", "changed")]


@pytest.mark.parametrize(
    ("fault", "operation", "steps"),
    [
        ("throttle", "Adjust Charge", PAID),
        ("throttle", "Capture Charge", PAID),
        ("error_500_retry", "Adjust Charge", PAID),
        ("error_500_retry", "Capture Charge", PAID),
        ("error_503", "Adjust Charge", PAID),
        ("error_503", "Capture Charge", PAID),
        ("answer_lost", "Adjust Charge", LOST),
        ("answer_lost", "Capture Charge", [*PAID, ("Capture", "repeated")]),
    ],
)
def test_failed_call_is_repeated_as_it_was(shop: AmazonShop, fault: str, operation: str, steps: Steps) -> None:
    shop.fault(fault, operation)
    trip = shop.sell(ITEMS)
    shop.charge(trip, "captured")
    assert shop.steps(trip) == steps
    assert set(shop.amounts(trip)) == {total(shop, trip)}
    bodies = [
        entry["request"]["body"]
        for entry in shop.platform.get(f"/journal?kind=retailer_call&trip={trip}")
        if entry["operation"] == operation
    ]
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize("fault", ["throttle", "error_503"])
def test_empty_cart_is_cancelled_once_in_spite_of_faults(shop: AmazonShop, fault: str) -> None:
    shop.fault(fault, "Cancel Charge")
    trip = shop.sell([])
    shop.charge(trip, "released")
    assert shop.steps(trip) == [("Cancel", "changed")]


def test_no_call_is_repeated_before_retry_after(shop: AmazonShop) -> None:
    shop.fault("throttle", "Adjust Charge")
    trip = shop.sell(ITEMS)
    throttled = shop.charge(trip, "adjust_at_amazon", attempts=1, turn_s=0)
    assert throttled["trouble"] == "refused_429: Too Many Requests"
    shop.wait(29)
    assert shop.steps(trip) == []
    shop.charge(trip, "captured")


def test_declined_total_is_a_debt_and_nothing_is_captured(shop: AmazonShop) -> None:
    trip = shop.platform.enter()
    shop.platform.post("/faults", {"name": "charge_declined", "where": {"trip": trip}})
    shop.sell(ITEMS, trip, scanResult={"id": "ada", "type": "SHOPPER"})
    charge = shop.charge(trip, "declined")
    shop.wait(HOUR)
    assert shop.steps(trip) == [("Adjust", "changed"), ("Cancel", "changed")]
    assert (charge["owed"], charge["trouble"]) == (total(shop, trip), "adjust_declined")
    assert shop.run("POST", f"/ops/charges/{trip}/retry").status_code == 409
    shop.sign_in()
    [debt] = shop.run("GET", "/app/shoppers/ada/debts").json()["debts"]
    assert (debt["shoppingTripId"], debt["amount"]) == (trip, total(shop, trip))
    assert shop.run("POST", f"/app/shoppers/ada/debts/{trip}/settle").status_code == 409
    refund = {"refundRequestId": REFUND, "shoppingTripId": trip}
    assert shop.run("POST", "/ops/refunds", json=refund).status_code == 409
    assert shop.run("POST", f"/ops/debts/{trip}/settle").json()["state"] == "settled"


def test_pending_total_is_asked_for_until_it_settles(shop: AmazonShop) -> None:
    trip = shop.platform.enter()
    shop.platform.post("/faults", {"name": "charge_pending", "amount": HOUR, "where": {"trip": trip}})
    shop.sell(ITEMS, trip)
    waiting = shop.charge(trip, "adjust_at_amazon", attempts=6)  # more often than a failed call is repeated
    assert waiting["trouble"] == "payment_pending"
    assert {step for step, _ in shop.steps(trip)} == {"Adjust"}
    shop.wait(HOUR)
    shop.charge(trip, "captured")
    assert shop.steps(trip)[-2:] == [("Adjust", "repeated"), ("Capture", "changed")]
    assert set(shop.amounts(trip)) == {total(shop, trip)}


def test_refused_call_is_not_repeated_until_an_operator_does_it(shop: AmazonShop) -> None:
    shop.fault("error_500_final", "Capture Charge")
    trip = shop.sell(ITEMS)
    stuck = shop.charge(trip, "stuck")
    shop.wait(HOUR)
    assert stuck["trouble"] == "refused_500: Internal Server Error. Do not retry."
    assert shop.steps(trip) == PAID[:1]
    assert shop.run("POST", f"/ops/charges/{trip}/retry").status_code == 202
    shop.charge(trip, "captured")
    assert shop.steps(trip) == PAID


def test_bad_request_is_never_repeated_and_names_its_reason(shop: AmazonShop) -> None:
    shop.sell(ITEMS, "no-such-trip")
    assert shop.charge("no-such-trip", "stuck")["trouble"] == "refused_400: UnknownShoppingTrip"
    shop.wait(HOUR)
    assert len(shop.platform.get("/journal?kind=retailer_call&trip=no-such-trip")) == 1
    [step] = [each for each in shop.events("payment_step") if each["id"] == "no-such-trip"]
    assert step["trouble"] == "refused_400: UnknownShoppingTrip"


def test_failing_platform_leaves_a_stuck_charge_and_a_retry_ends_it(shop: AmazonShop) -> None:
    shop.fault("error_503", "Adjust Charge", times=4)
    trip = shop.sell(ITEMS)
    assert shop.charge(trip, "stuck")["attempts"] == 4
    shop.run("POST", f"/ops/charges/{trip}/retry")
    shop.charge(trip, "captured")
    assert shop.steps(trip) == PAID


def test_refund_keeps_its_id_over_failures_and_returns_at_most_what_was_captured(shop: AmazonShop) -> None:
    trip = shop.sell(ITEMS)
    captured = Decimal(shop.charge(trip, "captured")["amount"])
    first, second = "3b241101-e2bb-4255-8caf-000000000002", "3b241101-e2bb-4255-8caf-000000000003"

    def ask(refund_id: str, amount: Decimal) -> int:
        body = {"refundRequestId": refund_id, "shoppingTripId": trip, "amount": str(amount)}
        return shop.run("POST", "/ops/refunds", json=body).status_code

    shop.fault("answer_lost", "Refund Charge")
    assert [ask(first, Decimal("1.25")), ask(first, Decimal("1.25"))] == [202, 202]
    assert ask(second, captured) == 409
    assert ask(second, captured - Decimal("1.25")) == 202
    for each in (first, second):
        shop.refund(each, "done")
    refunds = [entry for entry in shop.platform.charges(trip) if entry["operation"] == "Refund Charge"]
    changed = [Decimal(entry["amount"]["amount"]) for entry in refunds if entry["effect"] == "changed"]
    assert (len(changed), sum(changed)) == (2, captured)
    assert {entry["refundRequestId"] for entry in refunds} == {first, second}


def test_refund_after_its_window_is_declined_with_the_reason(shop: AmazonShop) -> None:
    trip, refund_id = shop.sell(ITEMS), "3b241101-e2bb-4255-8caf-000000000004"
    shop.charge(trip, "captured")
    shop.wait(8 * 24 * HOUR)
    shop.run("POST", "/ops/refunds", json={"refundRequestId": refund_id, "shoppingTripId": trip})
    assert shop.refund(refund_id, "declined")["trouble"] == "refused_400: BadRequestException"


def test_refund_id_that_amazon_refuses_is_refused_at_once(shop: AmazonShop) -> None:
    trip = shop.sell(ITEMS)
    shop.charge(trip, "captured")
    body = {"refundRequestId": "3b241101-e2bb-7255-8caf-000000000005", "shoppingTripId": trip}
    answer = shop.run("POST", "/ops/refunds", json=body)
    assert answer.status_code == 409
    assert "versions 0 to 5" in answer.json()["errorMsg"]


@pytest.mark.parametrize(
    ("event", "steps"),
    [
        ({"payloadType": "SCAN_CODE", "scanResult": {"id": "ada", "type": "SHOPPER"}}, PAID),
        ({"payloadType": "SCAN_CODE", "scanResult": {"id": "erin", "type": "ASSOCIATE"}}, []),
        ({"payloadType": "SCAN_CODE", "scanResult": {"id": "carl", "type": "CASH"}}, []),
    ],
    ids=["app", "associate", "cash"],
)
def test_amazon_charges_shoppers_and_leaves_staff_and_cash(
    shop: AmazonShop, event: dict[str, Any], steps: Steps
) -> None:
    trip = shop.sell(ITEMS, **event)
    shop.wait(1)
    if steps:
        shop.charge(trip, "captured")
    assert shop.steps(trip) == steps


def test_bad_cart_is_charged_once_it_has_a_price(storage: dict[str, Any], tmp_path: Path) -> None:
    with amazon_shop(tmp_path, storage, watch_files_s=0.01) as shop:
        trip = shop.sell([*ITEMS, ("SKU-LATER", "1")])
        assert shop.run("POST", "/ops/parked/sell").json() == {"sold": 0, "parked": 1}
        assert shop.steps(trip) == []
        with (tmp_path / "retailer.toml").open("a") as file:
            file.write('[[product]]\nsku = "SKU-LATER"\nname = "Pear"\nprice = "0.75"\n')
        shop.charge(trip, "captured")
        assert shop.steps(trip) == PAID
        assert set(shop.amounts(trip)) == {total(shop, trip)}


@pytest.mark.parametrize(("model", "held"), [("amazon", 0), ("mixed", 1)])
def test_gate_asks_no_provider_in_an_amazon_store(
    storage: dict[str, Any], tmp_path: Path, model: str, held: int
) -> None:
    with amazon_shop(tmp_path, storage, model) as shop:
        assert shop.enter_with_the_app() == 200
        assert len(shop.run("GET", "/ops/authorisations/held").json()["authorisations"]) == held


def test_mixed_store_leaves_app_shoppers_to_the_provider(storage: dict[str, Any], tmp_path: Path) -> None:
    with amazon_shop(tmp_path, storage, "mixed") as shop:
        by_card = shop.sell(ITEMS)
        by_app = shop.sell(ITEMS, payloadType="SCAN_CODE", scanResult={"id": "ada", "type": "SHOPPER"})
        charges = [shop.charge(trip, "captured") for trip in (by_card, by_app)]
        assert [charge["amazonStore"] for charge in charges] == ["STORE-001", ""]
        assert [shop.steps(trip) for trip in (by_card, by_app)] == [PAID, []]


@pytest.mark.parametrize(("items", "steps"), [(ITEMS, PAID), ([], [("Cancel", "changed")])], ids=["goods", "empty"])
def test_group_that_pays_by_card_releases_what_its_app_shopper_reserved(
    storage: dict[str, Any], tmp_path: Path, items: list[Any], steps: Steps
) -> None:
    with amazon_shop(tmp_path, storage, "mixed") as shop:
        assert shop.enter_with_the_app() == 200
        trip = shop.platform.enter()
        cart = a_cart(trip, items)
        entry = {"id": "11111111-2222-3333-4444-555555555555", "payloadType": "SCAN_CODE"}
        cart["shoppingTrip"]["authEvents"] += [
            cart["shoppingTrip"]["authEvents"][0] | entry | {"scanResult": {"id": "ada", "type": "SHOPPER"}}
        ]
        shop.deliver(cart)
        shop.charge(trip, "captured" if items else "released")
        shop.wait(1)
        assert shop.steps(trip) == steps
        [released] = shop.run("GET", "/ops/authorisations/released").json()["authorisations"]
        assert released["shopperId"] == "ada"


def test_receipt_shows_the_card_and_does_without_it(storage: dict[str, Any], tmp_path: Path) -> None:
    ada = {"payloadType": "SCAN_CODE", "scanResult": {"id": "ada", "type": "SHOPPER"}}
    with amazon_shop(tmp_path, storage, shows_card=True) as shop:
        trip = shop.sell(ITEMS, **ada)
        paid_with = shop.charge(trip, "captured")["paidWith"]
        shop.fault("error_503", "Get Transactional Data")
        other = shop.sell(ITEMS, **ada)
        assert shop.charge(other, "captured")["paidWith"] == ""
        assert re.fullmatch(r"(VISA|MASTERCARD|AMEX) [0-9]{4}", paid_with)
        assert [shop.steps(each) for each in (trip, other)] == [PAID, PAID]
        shop.enter_with_the_app()
        payments = {one["shoppingTripId"]: one["payment"] for one in shop.run("GET", RECEIPTS).json()["receipts"]}
        assert payments[trip] == {"state": "paid", "owed": "0.00", "refunded": "0.00", "paidWith": paid_with}
        assert "paidWith" not in payments[other]


def test_secrets_are_in_no_log(shop: AmazonShop) -> None:
    shop.charge(shop.sell(ITEMS), "captured")
    written = shop.log.getvalue()
    assert [secret for secret in (KEY.secret_access_key, "Signature=") if secret in written] == []
