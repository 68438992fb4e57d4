"""Prices the lines of a cart, and adds them up.

Lines of one product become one line of the receipt, so that a promotion on two pieces applies to two lines of one
piece. Pieces and grams are added up first, whatever the units of the lines; then the amount is rounded, once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from reference_connector.pricing.goods import EXACT, ZERO, as_text, cents
from reference_connector.pricing.promotions import Promotion, discount
from reference_connector.pricing.quantities import CartLine, Held, Problem, add_up, measure, quantity_text
from reference_connector.pricing.tax import TaxRates


class PricedLine(NamedTuple):
    """One line of a receipt; `gross` is before promotions, `total` after them and with tax."""

    sku: str
    name: str
    quantity: Decimal
    unit: str
    unit_price: Decimal
    gross: Decimal
    promotion: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """The amount to pay for this line."""
        return self.gross - self.promotion + self.tax


class Priced(NamedTuple):
    """A priced cart; `problems` has each line that has no price, such as a product that the retailer does not sell."""

    lines: tuple[PricedLine, ...]
    problems: tuple[Problem, ...]
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


def price(cart: Sequence[CartLine], promotions_on: PromotionsOn, rates: TaxRates) -> Priced:
    """Price a cart; a line that has a problem is at the end of the receipt, with its own unit and a price of 0."""
    subtotal = promotions = tax = ZERO
    with localcontext(EXACT):
        found = [measure(line) for line in cart]
        held = [each for each in found if isinstance(each, Held)]
        lines = [price_line(each, promotions_on(each.product.sku), rates) for each in add_up(held)]
        for line in lines:
            subtotal += line.gross
            promotions += line.promotion
            tax += line.tax
    problems = [each for each in found if isinstance(each, Problem)]
    if problems:
        lines += [_unpriced(line) for line, each in zip(cart, found, strict=True) if isinstance(each, Problem)]
    return Priced(tuple(lines), tuple(problems), subtotal, promotions, tax)


def price_line(held: Held, promotions: Sequence[Promotion] | None, rates: TaxRates) -> PricedLine:
    """Price a quantity of one product; call it in the context EXACT."""
    product, quantity = held
    unit, in_unit = product.unit, quantity
    gross = quantity * product.unit_price
    if unit.is_weight:
        in_unit = quantity / unit.size
        gross /= unit.size
    gross = cents(gross)
    off = discount(promotions, product, quantity, gross) if promotions else ZERO
    tax = rates.on(gross - off, product.tax_code)
    return PricedLine(product.sku, product.name, in_unit, unit.name, product.unit_price, gross, off, tax)


def _unpriced(line: CartLine) -> PricedLine:
    sku, name = (line.product.sku, line.product.name) if line.product else (line.code, "")
    return PricedLine(sku, name, line.quantity, line.unit, ZERO, ZERO, ZERO, ZERO)


def as_json(priced: Priced) -> dict[str, object]:
    """Write lines and totals for the app; amounts are texts with two decimals."""
    lines = [line_as_json(line) for line in priced.lines]
    return {"lines": lines, **totals_as_json(priced.subtotal, priced.promotions, priced.tax)}


def line_as_json(line: PricedLine) -> dict[str, str]:
    """Write one line of a receipt; the quantity and the price are for the same unit."""
    sku, name, quantity, unit, unit_price, gross, promotion, tax = line
    return {
        "sku": sku,
        "name": name,
        "quantity": quantity_text(quantity),
        "unit": unit,
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
