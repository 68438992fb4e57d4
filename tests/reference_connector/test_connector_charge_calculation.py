"""Pricing with worked figures, by both paths: the steps of charge_calculation.feature and units_of_goods.feature."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from jwo_contract.register import register
from reference_connector.accelerated.price_index import PriceIndex
from reference_connector.pricing.bill import CodedLine, PriceList, bill_of
from reference_connector.pricing.goods import Product
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.quantities import CartLine, Problem
from reference_connector.pricing.receipt import Priced, line_as_json, price
from reference_connector.pricing.tax import TaxRates
from reference_connector.pricing.units import unit_named

FEATURES = [
    Path(__file__).with_name("features") / f"{name}.feature" for name in ("charge_calculation", "units_of_goods")
]
scenarios(*map(str, FEATURES))


class Counter:
    """A shop's prices, promotions and taxes, and one cart."""

    def __init__(self) -> None:
        self.products: dict[str, Product] = {}
        self.promotions: dict[str, list[Promotion]] = {}
        self.standard = Decimal(0)
        self.rates: dict[str, Decimal] = {}
        self.cart: list[CodedLine] = []
        self.seconds = 0.0

    def offer(self, sku: str, kind: Any, value: str, **limits: Any) -> None:
        self.promotions.setdefault(sku, []).append(Promotion(kind, Decimal(value), **limits))

    def sell(self, sku: str, unit_price: str, unit: str, tax_code: str = "") -> None:
        found = unit_named(unit)
        assert found is not None
        self.products[sku] = Product(sku, sku.title(), Decimal(unit_price), tax_code, found)

    def take(self, sku: str, quantity: str, unit: str = "") -> None:
        self.cart.append(("SKU", sku, quantity, unit or self.products[sku].unit.name))

    @property
    def prices(self) -> PriceList:
        return PriceList(
            lambda _kind, code: self.products.get(code), self.promotions.get, TaxRates(self.standard, self.rates)
        )

    @property
    def bill(self) -> Priced:
        """Price the cart line by line; the price index must agree."""
        _, promotions_on, rates = self.prices
        lines = [CartLine(sku, Decimal(text), unit, self.products.get(sku)) for _, sku, text, unit in self.cart]
        started = time.thread_time()
        priced = price(lines, promotions_on, rates)
        self.seconds = time.thread_time() - started
        plain, indexed = bill_of(self.prices, self.cart), PriceIndex(self.prices).bill(self.cart)
        assert (str(indexed.total), indexed.problems) == (str(plain.total), plain.problems)
        assert (str(plain.total), plain.problems) == (str(priced.total), priced.problems)
        return priced

    @property
    def problem(self) -> Problem:
        [found] = self.bill.problems
        return found


@pytest.fixture
def counter() -> Counter:
    return Counter()


@given("the store sells")
def _sells(counter: Counter, datatable: list[list[str]]) -> None:
    for row in datatable[1:]:
        counter.sell(*row)


@given(parsers.re(r"the price list sells (?P<sku>[A-Z]+) by the (?P<unit>\w+), at (?P<unit_price>[\d.]+)$"))
@when(parsers.re(r"the price list sells (?P<sku>[A-Z]+) by the (?P<unit>\w+), at (?P<unit_price>[\d.]+)$"))
def _sells_by(counter: Counter, sku: str, unit: str, unit_price: str) -> None:
    counter.sell(sku, unit_price, unit)


@given(parsers.re(r"(?P<sku>[A-Z]+) (?:is|are) (?P<percent>[\d.]+) percent off$"))
def _percent(counter: Counter, sku: str, percent: str) -> None:
    counter.offer(sku, "percentage", percent)


@given(parsers.re(r"(?P<sku>[A-Z]+) (?:is|are) (?P<percent>[\d.]+) percent off, alone$"))
def _percent_alone(counter: Counter, sku: str, percent: str) -> None:
    counter.offer(sku, "percentage", percent, stacks=False)


@given(parsers.re(r"(?P<sku>[A-Z]+) are (?P<percent>[\d.]+) percent off, for at most (?P<pieces>\d+) pieces$"))
def _percent_limited(counter: Counter, sku: str, percent: str, pieces: str) -> None:
    counter.offer(sku, "percentage", percent, most_pieces=Decimal(pieces))


@given(parsers.re(r"(?P<sku>[A-Z]+) is (?P<percent>[\d.]+) percent off, for at most (?P<amount>[\d.]+) in all$"))
def _percent_capped(counter: Counter, sku: str, percent: str, amount: str) -> None:
    counter.offer(sku, "percentage", percent, most_off=Decimal(amount))


@given(parsers.re(r"(?P<sku>[A-Z]+) is (?P<amount>[\d.]+) off$"))
def _fixed(counter: Counter, sku: str, amount: str) -> None:
    counter.offer(sku, "fixed", amount)


@given(parsers.re(r"for each (?P<paid>\d+) of (?P<sku>[A-Z]+) bought one more is free$"))
def _bogo(counter: Counter, paid: str, sku: str) -> None:
    counter.offer(sku, "bogo", paid)


@given(
    parsers.re(r"for each (?P<paid>\d+) of (?P<sku>[A-Z]+) bought one more is free, for at most (?P<most>\d+) pieces$")
)
def _bogo_limited(counter: Counter, paid: str, sku: str, most: str) -> None:
    counter.offer(sku, "bogo", paid, most_pieces=Decimal(most))


@given(parsers.re(r"the standard tax is (?P<percent>[\d.]+) percent$"))
def _standard_tax(counter: Counter, percent: str) -> None:
    counter.standard = Decimal(percent) / 100


@given(parsers.re(r"(?P<code>[A-Z]+) is taxed at (?P<percent>[\d.]+) percent$"))
def _tax(counter: Counter, code: str, percent: str) -> None:
    counter.rates[code] = Decimal(percent) / 100


@when(parsers.re(r"the cart holds (?P<quantity>[\d.]+) of (?P<sku>[A-Z]+)$"))
def _holds(counter: Counter, quantity: str, sku: str) -> None:
    counter.take(sku, quantity)


@when(parsers.re(r"the cart holds (?P<quantity>-?[\d.]+) (?P<unit>\S+) of (?P<sku>[A-Z]+)$"))
def _holds_unit(counter: Counter, quantity: str, unit: str, sku: str) -> None:
    counter.take(sku, quantity, unit)


@when(parsers.re(r"the cart holds (?P<quantity>[\d.]+) of (?P<sku>[A-Z]+), on (?P<lines>\d+) lines$"))
def _holds_lines(counter: Counter, quantity: str, sku: str, lines: str) -> None:
    for _ in range(int(lines)):
        counter.take(sku, quantity)


@then(parsers.re(r"the total is (?P<total>[\d.]+)$"))
def _total(counter: Counter, total: str) -> None:
    assert str(counter.bill.total) == total


_BILL = r"subtotal (?P<subtotal>\S+), promotions (?P<off>\S+), tax (?P<tax>\S+), total (?P<total>\S+)$"


@then(parsers.re(f"the bill reads {_BILL}"))
def _reads(counter: Counter, subtotal: str, off: str, tax: str, total: str) -> None:
    bill = counter.bill
    assert [str(each) for each in (bill.subtotal, bill.promotions, bill.tax, bill.total)] == [subtotal, off, tax, total]


@then(parsers.re(r"the receipt shows (?P<quantity>[\d.]+) (?P<unit>\S+) of (?P<sku>[A-Z]+)$"))
def _shows(counter: Counter, quantity: str, unit: str, sku: str) -> None:
    lines = [line_as_json(line) for line in counter.bill.lines if line.sku == sku]
    assert [(line["quantity"], line["unit"]) for line in lines] == [(quantity, unit)]


@then(parsers.re(r"it is a bad cart because of (?P<sku>[A-Z]+): (?P<code>\w+), \"(?P<words>.+)\"$"))
def _is_bad(counter: Counter, sku: str, code: str, words: str) -> None:
    assert (counter.problem.item, counter.problem.code) == (sku, code)
    assert words in counter.problem.text


@then("the lines add up to the total")
def _adds_up(counter: Counter) -> None:
    assert sum(line.total for line in counter.bill.lines) == counter.bill.total


@then("no line is negative")
def _not_negative(counter: Counter) -> None:
    assert all(min(line.total, line.tax, line.gross - line.promotion) >= 0 for line in counter.bill.lines)


@then("pricing took less than 1 second")
def _in_time(counter: Counter) -> None:
    assert not counter.bill.problems
    assert counter.seconds < 1


def test_every_pricing_case_has_a_scenario() -> None:
    tagged = {tag for file in FEATURES for tag in re.findall(r"@(PRICE-\S+)", file.read_text("utf-8"))}
    assert tagged == {name for name in register() if name.startswith("PRICE-")}
