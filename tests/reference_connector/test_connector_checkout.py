"""Checkout Cart: the totals of a sale pass the platform's check to the cent, and each trip has one order."""

from __future__ import annotations

from decimal import Decimal
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
from simulator.checkout.totals import disagreement, total_of

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
            weight = Decimal(draw(st.integers(1, 50_000))).scaleb(-draw(st.integers(0, 4)))
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
