"""Checkout Cart: the totals of a sale pass the platform's check to the cent, and each trip has one order."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jwo_contract.house import Checkout
from jwo_contract.messages import message, parse_object
from reference_connector.payments.checkout_cart import CheckoutPrices, checkout_cart
from reference_connector.pricing.goods import Product
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.quantities import CartLine
from reference_connector.pricing.receipt import as_json, price
from reference_connector.pricing.tax import TaxRates
from reference_connector.pricing.units import PIECE, WEIGHTS, unit_named
from reference_connector.retailer import CurrentRetailer
from reference_connector.retailer_files import load_retailer
from reference_connector.sales import Sales
from reference_connector.store import Purchase
from simulator.checkout.totals import disagreement, total_of
from tests.reference_connector.amazon_shop import AmazonShop, a_cart, amazon_shop, retailer_file
from tests.reference_connector.conftest import both_databases
from tests.reference_connector.payment_bench import NOW
from tests.simulator.in_process import STORE

READINGS: tuple[CheckoutPrices, ...] = ("line", "price_of_unit")
_WEIGHTS = sorted(WEIGHTS)
_PROMOTIONS: tuple[tuple[Promotion, ...], ...] = (
    (),
    (Promotion("percentage", Decimal("33.3")),),
    (Promotion("percentage", Decimal("12.5")), Promotion("fixed", Decimal("0.05"))),
    (Promotion("percentage", Decimal(100)),),
)


def cart_of(lines: list[CartLine], promotions: dict[str, Any], rate: str, prices: CheckoutPrices) -> bytes:
    priced = price(lines, promotions.get, TaxRates(Decimal(rate), {}))
    assert not priced.problems
    ids = {"shoppingTripId": "trip-1", "storeId": "STORE-001", "currency": "USD"}
    return checkout_cart({**ids, **as_json(priced)}, prices)  # type: ignore[dict-item]  # texts


@st.composite
def carts(draw: Any) -> tuple[list[CartLine], dict[str, Any]]:
    lines, promotions = [], {}
    for number in range(draw(st.integers(1, 5))):
        sku, cost = f"SKU-{number}", Decimal(draw(st.integers(1, 20_000))).scaleb(-2)
        promotions[sku] = draw(st.sampled_from(_PROMOTIONS))
        if draw(st.booleans()):
            product = Product(sku, sku, cost)
            lines.append(CartLine(sku, Decimal(draw(st.integers(1, 40))), "unit", product))
        else:
            sold_by = unit_named(draw(st.sampled_from(_WEIGHTS)))
            weight = Decimal(draw(st.integers(1, 50_000))).scaleb(-draw(st.integers(3, 4)))
            product = Product(sku, sku, cost, unit=sold_by or PIECE)
            lines.append(CartLine(sku, weight, draw(st.sampled_from(_WEIGHTS)), product))
    return lines, promotions


@settings(max_examples=120, deadline=None)
@given(cart=carts(), rate=st.sampled_from(["0", "0.07", "0.08875", "0.005"]), prices=st.sampled_from(READINGS))
def test_every_cart_passes_the_check_of_lines_and_totals(cart: Any, rate: str, prices: CheckoutPrices) -> None:
    body = cart_of(*cart, rate, prices)
    sent = parse_object(body)

    assert message("checkout_cart.request").violations(sent) == []
    assert disagreement(sent, Checkout(readings=(prices,))) == ""
    priced = price(cart[0], cart[1].get, TaxRates(Decimal(rate), {}))
    assert total_of(sent).amount == priced.total


@pytest.mark.parametrize("prices", READINGS)
def test_half_cents_are_rounded_once_per_line(prices: CheckoutPrices) -> None:
    ham = Product("HAM", "Ham", Decimal("9.99"), unit=WEIGHTS["lb"])
    pen = Product("PEN", "Pen", Decimal("1.00"))
    lines = [CartLine("HAM", Decimal("0.5"), "lb", ham), CartLine("PEN", Decimal(3), "unit", pen)]
    promotions = {"PEN": (Promotion("percentage", Decimal("3.5")),)}  # 0.105 off

    sent = orjson.loads(cart_of(lines, promotions, "0.05", prices))

    totals = {name: member["amount"] for name, member in sent["orderTotals"].items()}
    assert totals == {"priceTotal": "8.28", "subTotal": "8.00", "promotionsTotal": "0.11", "salesTaxTotal": "0.39"}
    assert disagreement(sent, Checkout(readings=(prices,), rounding_cents=0)) == ""


ITEMS = [("SKU-001", "3"), ("SKU-002", "1")]
CHECKED_OUT = [("Checkout Cart", "changed")]


def leave(shop: AmazonShop, items: list[Any], trip: str = "", **event: Any) -> str:
    """Let a shopper in and out, and deliver the cart; return the trip's id."""
    trip = trip or shop.platform.enter()
    shop.platform.post(f"/trips/{trip}/leave")
    return shop.sell(items, trip, **event)


def calls(shop: AmazonShop, trip: str) -> list[dict[str, Any]]:
    bodies = [
        entry["request"]["body"]
        for entry in shop.platform.get("/journal?kind=retailer_call&limit=1000")
        if entry["operation"] == "Checkout Cart"
    ]
    return [body for body in bodies if body["idempotentShoppingTripId"] == trip]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AmazonShop]:
    folder = tmp_path_factory.mktemp("shop")
    storage = {"store": {"path": folder / "connector.sqlite3"}, "admin": {"token": "a-token-of-the-operator"}}
    with amazon_shop(folder, storage, "checkout") as running:
        yield running


@both_databases
@pytest.mark.parametrize("accelerated", [True, False], ids=["accelerated", "plain"])
def test_sale_is_checked_out_once_and_its_order_is_shown(
    storage: dict[str, Any], tmp_path: Path, *, accelerated: bool
) -> None:
    with amazon_shop(tmp_path, storage, "checkout", accelerated=accelerated) as shop:
        trip, empty = leave(shop, ITEMS), leave(shop, [])
        charge = shop.charge(trip, "captured")
        shop.deliver(a_cart(trip, ITEMS))
        shop.deliver(a_cart(empty, []))
        refund = {"refundRequestId": "3b241101-e2bb-4255-8caf-000000000001", "shoppingTripId": trip, "amount": "0.10"}
        shop.run("POST", "/ops/refunds", json=refund)
        shop.refund(refund["refundRequestId"], "done")

        [entry] = shop.platform.get(f"/journal?kind=checkout&trip={trip}")
        receipt = shop.run("GET", f"/ops/receipts/{trip}").json()
        assert (charge["orderId"], charge["amount"]) == (entry["orderId"], receipt["total"])
        assert entry["total"]["amount"] == receipt["total"] != "0.00"
        assert shop.steps(trip) == [*CHECKED_OUT, ("Refund", "changed")]
        assert (len(calls(shop, trip)), calls(shop, empty), shop.steps(empty)) == (1, [], [])


@pytest.mark.parametrize("fault", ["throttle", "error_500_retry", "error_503", "answer_lost"])
def test_failed_call_is_repeated_with_the_same_id_and_body(shop: AmazonShop, fault: str) -> None:
    shop.fault(fault, "Checkout Cart")
    trip = leave(shop, ITEMS)
    shop.charge(trip, "captured", turn_s=20)  # Retry-After is 600 seconds

    assert shop.steps(trip) == CHECKED_OUT
    first, second = calls(shop, trip)
    assert first == second
    assert len(shop.platform.get(f"/journal?kind=checkout&trip={trip}")) == 1


def test_refused_cart_is_not_repeated_until_an_operator_retries_it(shop: AmazonShop) -> None:
    trip = shop.platform.enter()
    shop.sell(ITEMS, trip)  # the shopper is still inside
    stuck = shop.charge(trip, "stuck")
    assert stuck["trouble"].startswith("refused_400: BadRequest")
    shop.wait(3600)
    assert len(calls(shop, trip)) == 1

    shop.platform.post(f"/trips/{trip}/leave")
    shop.run("POST", f"/ops/charges/{trip}/retry")
    shop.charge(trip, "captured")
    assert shop.steps(trip) == CHECKED_OUT


@pytest.mark.parametrize(
    ("kind", "items"), [("ASSOCIATE", ITEMS), ("CASH", ITEMS), ("SHOPPER", [])], ids=["associate", "cash", "empty"]
)
def test_trip_that_amazon_does_not_charge_is_not_checked_out(shop: AmazonShop, kind: str, items: list[Any]) -> None:
    trip = leave(shop, items, payloadType="SCAN_CODE", scanResult={"id": "ada", "type": kind})
    shop.wait(60)
    assert calls(shop, trip) == []


def test_bad_cart_is_checked_out_when_it_has_a_price(tmp_path: Path) -> None:
    retailer = CurrentRetailer(load_retailer([retailer_file(tmp_path, {STORE: "checkout"})], []))
    sales = Sales(retailer, lambda: NOW, lambda _trip: "p-1")
    items = orjson.dumps(a_cart("trip-1", ITEMS)["cartItems"])
    bad = Purchase("trip-1", "p-1", STORE, "", "parked", "platform", b"{}", items, b"", NOW)

    charge = sales.price_again(bad).charge

    assert charge is not None
    assert (charge.state, charge.amazon_store) == ("checkout_at_amazon", STORE)
    assert total_of(parse_object(charge.cart.encode())).amount == charge.amount > 0
