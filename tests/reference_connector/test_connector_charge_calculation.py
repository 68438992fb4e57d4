"""The published pricing cases, PRICE-7c.1 to 7c.13, with worked figures: the steps of charge_calculation.feature."""

from __future__ import annotations

import re
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd import given, parsers, scenarios, then, when

from contract.register import register
from reference_connector.pricing.goods import CartLine, Product
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.receipt import Priced, price
from reference_connector.pricing.tax import TaxRates

FEATURE = Path(__file__).with_name("features") / "charge_calculation.feature"
scenarios(str(FEATURE))


class Counter:
    """A shop's prices, promotions and taxes, and one cart."""

    def __init__(self) -> None:
        self.products: dict[str, Product] = {}
        self.promotions: dict[str, list[Promotion]] = {}
        self.standard = Decimal(0)
        self.rates: dict[str, Decimal] = {}
        self.cart: list[CartLine] = []
        self.seconds = 0.0

    def offer(self, sku: str, kind: Any, value: str, **limits: Any) -> None:
        self.promotions.setdefault(sku, []).append(Promotion(kind, Decimal(value), **limits))

    @property
    def bill(self) -> Priced:
        started = time.thread_time()
        rates = TaxRates(self.standard, self.rates)
        priced = price(self.cart, lambda sku: self.promotions.get(sku, ()), rates)
        self.seconds = time.thread_time() - started
        return priced


@pytest.fixture
def counter() -> Counter:
    return Counter()


@given("the store sells")
def _sells(counter: Counter, datatable: list[list[str]]) -> None:
    for sku, unit_price, sold_by, tax_code in datatable[1:]:
        counter.products[sku] = Product(sku, sku.title(), Decimal(unit_price), tax_code, sold_by)  # type: ignore[arg-type] # the table's own words


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
    counter.cart.append((sku, Decimal(quantity), counter.products[sku]))


@when(parsers.re(r"the cart holds (?P<quantity>[\d.]+) of (?P<sku>[A-Z]+), on (?P<lines>\d+) lines$"))
def _holds_lines(counter: Counter, quantity: str, sku: str, lines: str) -> None:
    counter.cart += [(sku, Decimal(quantity), counter.products[sku])] * int(lines)


@then(parsers.re(r"the total is (?P<total>[\d.]+)$"))
def _total(counter: Counter, total: str) -> None:
    assert str(counter.bill.total) == total


_BILL = r"subtotal (?P<subtotal>\S+), promotions (?P<off>\S+), tax (?P<tax>\S+), total (?P<total>\S+)$"


@then(parsers.re(f"the bill reads {_BILL}"))
def _reads(counter: Counter, subtotal: str, off: str, tax: str, total: str) -> None:
    bill = counter.bill
    assert [str(each) for each in (bill.subtotal, bill.promotions, bill.tax, bill.total)] == [subtotal, off, tax, total]


@then("the lines add up to the total")
def _adds_up(counter: Counter) -> None:
    assert sum(line.total for line in counter.bill.lines) == counter.bill.total


@then("no line is negative")
def _not_negative(counter: Counter) -> None:
    assert all(min(line.total, line.tax, line.gross - line.promotion) >= 0 for line in counter.bill.lines)


@then("pricing took less than 1 second")
def _in_time(counter: Counter) -> None:
    assert counter.bill.complete
    assert counter.seconds < 1


def test_every_published_pricing_case_has_a_scenario() -> None:
    tagged = set(re.findall(r"@(PRICE-\S+)", FEATURE.read_text("utf-8")))
    assert tagged == {name for name in register() if re.fullmatch(r"PRICE-7c\.\d+", name)}
