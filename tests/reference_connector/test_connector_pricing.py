"""Charge calculation: examples, and properties that hold for every cart."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference_connector.pricing.goods import Product, cents
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.quantities import CartLine
from reference_connector.pricing.receipt import Priced, as_json, price
from reference_connector.pricing.tax import TaxRates
from reference_connector.pricing.units import PIECE, POUND, WEIGHTS, Unit

NO_TAX = TaxRates(Decimal(0), {})


def bill(
    *quantities: str,
    unit_price: str = "1.00",
    promotions: tuple[Promotion, ...] = (),
    rates: TaxRates = NO_TAX,
    tax_code: str = "",
    by_weight: bool = False,
) -> Priced:
    unit = POUND if by_weight else PIECE
    product = Product("SKU", "A thing", Decimal(unit_price), tax_code, unit)
    cart = [CartLine("SKU", Decimal(quantity), unit.name, product) for quantity in quantities]
    return price(cart, lambda _sku: promotions, rates)


def off(kind: str, value: str = "1") -> Promotion:
    return Promotion(kind, Decimal(value))  # type: ignore[arg-type] # the kinds are the test's own literals


def test_the_published_example() -> None:
    priced = as_json(bill("1.0", promotions=(off("fixed", "0.01"),)))
    assert [priced[name] for name in ("total", "subtotal", "promotions", "tax")] == ["0.99", "1.00", "0.01", "0.00"]


@pytest.mark.parametrize(("amount", "rounded"), [("0.005", "0.01"), ("0.015", "0.02"), ("0.0149", "0.01")])
def test_half_a_cent_goes_up(amount: str, rounded: str) -> None:
    assert str(cents(Decimal(amount))) == rounded


@pytest.mark.parametrize(
    ("promotions", "quantity", "unit_price", "total"),
    [
        ((off("percentage", "10"),), "3.0", "4.99", "13.47"),
        ((off("fixed", "0.25"),), "3.0", "1.00", "2.25"),
        ((off("bogo"),), "1.0", "1.00", "1.00"),
        ((off("bogo"),), "2.0", "1.00", "1.00"),
        ((off("bogo"),), "5.0", "1.00", "3.00"),
        ((off("bogo", "2"),), "6.0", "1.00", "4.00"),
        ((off("percentage", "50"), off("fixed", "0.20")), "1.0", "1.00", "0.30"),
        ((off("fixed", "0.20"), off("percentage", "50")), "1.0", "1.00", "0.40"),
        ((off("fixed", "9.99"),), "1.0", "1.00", "0.00"),
        ((off("percentage", "100"), off("fixed", "5")), "1.0", "1.00", "0.00"),
    ],
)
def test_promotions(promotions: tuple[Promotion, ...], quantity: str, unit_price: str, total: str) -> None:
    assert str(bill(quantity, unit_price=unit_price, promotions=promotions).total) == total


def test_two_pieces_on_two_lines_are_two_pieces_for_a_promotion() -> None:
    priced = bill("1.0", "1.0", promotions=(off("bogo"),))
    assert (str(priced.total), len(priced.lines), str(priced.lines[0].quantity)) == ("1.00", 1, "2.0")


def test_weighed_goods_are_priced_by_weight_and_never_bogo() -> None:
    assert str(bill("1.255", unit_price="2.00", by_weight=True).total) == "2.51"
    assert str(bill("2.0", by_weight=True, promotions=(off("bogo"),)).total) == "2.00"
    assert str(bill("2.5", by_weight=True, promotions=(off("fixed", "0.10"),)).total) == "2.40"


def test_tax_applies_after_promotions_at_the_rate_of_the_code() -> None:
    rates = TaxRates(Decimal("0.10"), {"FOOD": Decimal(0), "DRINK": Decimal("0.20")})
    half = (off("percentage", "50"),)
    assert str(bill("1.0", unit_price="10.00", promotions=half, rates=rates).tax) == "0.50"
    assert str(bill("1.0", unit_price="10.00", promotions=half, rates=rates, tax_code="DRINK").tax) == "1.00"
    assert str(bill("1.0", unit_price="10.00", promotions=half, rates=rates, tax_code="FOOD").tax) == "0.00"


promotion = st.builds(
    Promotion,
    st.sampled_from(["percentage", "fixed", "bogo"]),
    st.decimals(min_value="0.01", max_value="500", places=2),
    st.none() | st.decimals(min_value=1, max_value=9, places=0),
    st.none() | st.decimals(min_value=0, max_value=99, places=2),
    st.booleans(),
)
pieces = st.integers(min_value=0, max_value=9999).map(str)
weight = st.decimals(min_value=0, max_value=9999, places=2).map(str)
prices = st.decimals(min_value=0, max_value=9999, places=2).map(str)
rate = st.decimals(min_value=0, max_value=1, places=4)


taken = st.booleans().flatmap(
    lambda by_weight: st.tuples(st.just(by_weight), st.lists(weight if by_weight else pieces))
)


@given(taken, prices, st.lists(promotion, max_size=4), rate)
def test_totals_agree_and_are_never_negative(
    taken: tuple[bool, list[str]], unit_price: str, promotions: list[Promotion], tax: Decimal
) -> None:
    by_weight, quantities = taken
    rates = TaxRates(tax, {})
    priced = bill(*quantities, unit_price=unit_price, promotions=tuple(promotions), rates=rates, by_weight=by_weight)
    assert priced.total == priced.subtotal - priced.promotions + priced.tax == sum(line.total for line in priced.lines)
    assert priced.total >= 0
    assert priced.tax >= 0
    assert 0 <= priced.promotions <= priced.subtotal
    assert priced.total == cents(priced.total)
    assert not priced.problems


@given(st.lists(pieces, min_size=1, max_size=8), prices, st.lists(promotion, max_size=3))
def test_the_order_of_lines_does_not_matter(
    quantities: list[str], unit_price: str, promotions: list[Promotion]
) -> None:
    there = bill(*quantities, unit_price=unit_price, promotions=tuple(promotions))
    back = bill(*reversed(quantities), unit_price=unit_price, promotions=tuple(promotions))
    assert there.total == back.total


units = st.sampled_from(list(WEIGHTS.values()))


@given(st.lists(st.tuples(weight, units), min_size=1, max_size=6), prices, units)
def test_a_weight_in_any_units_costs_its_exact_share_of_the_price(
    weights: list[tuple[str, Unit]], unit_price: str, priced_in: Unit
) -> None:
    product = Product("SKU", "A thing", Decimal(unit_price), "", priced_in)
    cart = [CartLine("SKU", Decimal(quantity), unit.name, product) for quantity, unit in weights]
    grams = sum((Fraction(quantity) * Fraction(unit.size) for quantity, unit in weights), Fraction(0))
    exact_cents = grams / Fraction(priced_in.size) * Fraction(unit_price) * 100
    assert price(cart, lambda _sku: (), NO_TAX).subtotal * 100 == math.floor(exact_cents + Fraction(1, 2))


def test_unknown_product_makes_the_cart_incomplete() -> None:
    priced = price([CartLine("ghost", Decimal(1), "unit", None)], lambda _sku: (), NO_TAX)
    [problem] = priced.problems
    assert (problem.code, str(priced.total), priced.lines[0].sku) == ("unknown_item", "0.00", "ghost")


def test_a_share_of_a_line_is_rounded_only_once() -> None:
    promotion = Promotion("percentage", Decimal(15), most_pieces=Decimal(1))
    assert str(bill("3", unit_price="0.03", promotions=(promotion,)).promotions) == "0.00"  # 0.0045
    assert str(bill("7", unit_price="0.10", promotions=(promotion,)).promotions) == "0.02"  # 0.015, half a cent
