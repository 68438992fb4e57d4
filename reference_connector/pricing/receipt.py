"""Prices the lines of a cart, and adds them up.

Lines of one product become one line of the receipt, so that a promotion on two pieces applies to two lines of one
piece.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from reference_connector.pricing.goods import ZERO, CartLine, Product, as_text, cents
from reference_connector.pricing.promotions import Promotion, discount
from reference_connector.pricing.tax import TaxRates


class PricedLine(NamedTuple):
    """One line of a receipt; `gross` is before promotions, `total` after them and with tax."""

    sku: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    gross: Decimal
    promotion: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """The amount to pay for this line."""
        return self.gross - self.promotion + self.tax


class Priced(NamedTuple):
    """A priced cart; `complete` is False if it has a product that the retailer does not sell."""

    lines: tuple[PricedLine, ...]
    complete: bool
    subtotal: Decimal
    """The sum before promotions and tax."""
    promotions: Decimal
    """The sum of all discounts, as a positive amount."""
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """The amount to pay."""
        return self.subtotal - self.promotions + self.tax


PromotionsOn = Callable[[str], Sequence[Promotion] | None]
"""Returns the promotions on a SKU, if any, in the order in which they apply."""


def price(cart: Iterable[CartLine], promotions_on: PromotionsOn, rates: TaxRates) -> Priced:
    """Price a cart; an unknown product is on the receipt with a price of 0, and makes the cart incomplete."""
    merged: dict[tuple[bool, str], tuple[Product | None, Decimal]] = {}
    for code, quantity, product in cart:
        key = (True, product.sku) if product else (False, code)
        merged[key] = (product, merged[key][1] + quantity) if key in merged else (product, quantity)
    lines = []
    subtotal = promotions = tax = ZERO
    for (_, sku), (product, quantity) in merged.items():
        line = _line(product, quantity, promotions_on(sku), rates) if product else _unknown(sku, quantity)
        lines.append(line)
        subtotal += line.gross
        promotions += line.promotion
        tax += line.tax
    return Priced(tuple(lines), all(known for known, _ in merged), subtotal, promotions, tax)


def _line(product: Product, quantity: Decimal, promotions: Sequence[Promotion] | None, rates: TaxRates) -> PricedLine:
    gross = cents(quantity * product.unit_price)
    off = discount(promotions, product, quantity, gross) if promotions else ZERO
    tax = rates.on(gross - off, product.tax_code)
    return PricedLine(product.sku, product.name, quantity, product.unit_price, gross, off, tax)


def _unknown(code: str, quantity: Decimal) -> PricedLine:
    return PricedLine(code, "", quantity, ZERO, ZERO, ZERO, ZERO)


def as_json(priced: Priced) -> dict[str, object]:
    """Write lines and totals for the app; amounts are texts with two decimals."""
    lines = [line_as_json(line) for line in priced.lines]
    return {"lines": lines, **totals_as_json(priced.subtotal, priced.promotions, priced.tax)}


def line_as_json(line: PricedLine) -> dict[str, str]:
    """Write one line of a receipt."""
    sku, name, quantity, unit_price, gross, promotion, tax = line
    return {
        "sku": sku,
        "name": name,
        "quantity": str(quantity),
        "unitPrice": as_text(unit_price),
        "promotion": str(promotion),  # this and the next two have two decimals already
        "tax": str(tax),
        "total": str(gross - promotion + tax),
    }


def totals_as_json(subtotal: Decimal, promotions: Decimal, tax: Decimal) -> dict[str, str]:
    """Write the sums of a receipt, and the amount to pay; all are sums of amounts of two decimals."""
    return {
        "subtotal": str(subtotal),
        "promotions": str(promotions),
        "tax": str(tax),
        "total": str(subtotal - promotions + tax),
    }
