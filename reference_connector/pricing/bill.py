"""Prices a cart at one store, and writes the bill for the receipt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from reference_connector.pricing.goods import Product
from reference_connector.pricing.receipt import PromotionsOn, as_json, price
from reference_connector.pricing.tax import TaxRates

CodedLine = tuple[str, str, str]
"""A line of the request: the kind of its code, SKU or SCANCODE; the code; the quantity as a decimal text."""


class PriceList(NamedTuple):
    """What one store charges: `find` looks a product up by kind and code, and `promotions_on` its promotions by SKU."""

    find: Callable[[str, str], Product | None]
    promotions_on: PromotionsOn
    rates: TaxRates


class Bill(NamedTuple):
    """A priced cart: the amount to pay, and the lines and totals as JSON; `complete` has the meaning of `Priced`."""

    total: Decimal
    complete: bool
    json: dict[str, object]


def bill_of(prices: PriceList, cart: Sequence[CodedLine]) -> Bill:
    """Price a cart."""
    find, promotions_on, rates = prices
    lines = [(code, Decimal(quantity), find(kind, code)) for kind, code, quantity in cart]
    priced = price(lines, promotions_on, rates)
    return Bill(priced.total, priced.complete, as_json(priced))
