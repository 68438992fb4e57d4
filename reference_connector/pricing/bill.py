"""Prices a cart at one store, and writes the bill for the receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from reference_connector.pricing.goods import Product
from reference_connector.pricing.quantities import CartLine, Problem
from reference_connector.pricing.receipt import PromotionsOn, as_json, price
from reference_connector.pricing.tax import TaxRates

CodedLine = tuple[str, str, str, str]
"""A line of the request: the kind of its code, SKU or SCANCODE; the code; the quantity as a decimal text; its unit."""


class PriceList(NamedTuple):
    """What one store charges: `find` looks a product up by kind and code, and `promotions_on` its promotions by SKU."""

    find: Callable[[str, str], Product | None]
    promotions_on: PromotionsOn
    rates: TaxRates


class Bill(NamedTuple):
    """A priced cart: the amount to pay, the lines and totals as JSON, and why a line has no price."""

    total: Decimal
    json: dict[str, object]
    problems: tuple[Problem, ...] = ()


def bill_of(prices: PriceList, cart: Sequence[CodedLine]) -> Bill:
    """Price a cart."""
    find, promotions_on, rates = prices
    lines = [CartLine(code, Decimal(quantity), unit, find(kind, code)) for kind, code, quantity, unit in cart]
    priced = price(lines, promotions_on, rates)
    return Bill(priced.total, as_json(priced), priced.problems)
