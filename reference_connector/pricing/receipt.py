"""From cart to priced lines and totals.

Lines of one product are one line of the receipt: a promotion on two pieces also holds when they came one by one.
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
        """What this line adds to the bill."""
        return self.gross - self.promotion + self.tax


class Priced(NamedTuple):
    """A priced cart; `complete` is False when it holds something that the retailer does not sell."""

    lines: tuple[PricedLine, ...]
    complete: bool

    @property
    def subtotal(self) -> Decimal:
        """The sum before promotions and tax."""
        return sum((line.gross for line in self.lines), ZERO)

    @property
    def promotions(self) -> Decimal:
        """All that was taken off, as a positive amount."""
        return sum((line.promotion for line in self.lines), ZERO)

    @property
    def tax(self) -> Decimal:
        """The sum of the lines' taxes."""
        return sum((line.tax for line in self.lines), ZERO)

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return self.subtotal - self.promotions + self.tax


def price(cart: Iterable[CartLine], promotions_on: Callable[[str], Sequence[Promotion]], rates: TaxRates) -> Priced:
    """Price a cart; what is not known stands on the receipt at nothing, and makes it incomplete."""
    merged: dict[tuple[bool, str], tuple[Product | None, Decimal]] = {}
    for code, quantity, product in cart:
        key = (True, product.sku) if product else (False, code)
        merged[key] = (product, merged[key][1] + quantity) if key in merged else (product, quantity)
    lines = tuple(
        _line(product, quantity, promotions_on(sku), rates) if product else _unknown(sku, quantity)
        for (_, sku), (product, quantity) in merged.items()
    )
    return Priced(lines, all(known for known, _ in merged))


def _line(product: Product, quantity: Decimal, promotions: Sequence[Promotion], rates: TaxRates) -> PricedLine:
    gross = cents(quantity * product.unit_price)
    off = discount(promotions, product, quantity, gross)
    tax = rates.on(gross - off, product.tax_code)
    return PricedLine(product.sku, product.name, quantity, product.unit_price, gross, off, tax)


def _unknown(code: str, quantity: Decimal) -> PricedLine:
    return PricedLine(code, "", quantity, ZERO, ZERO, ZERO, ZERO)


def as_json(priced: Priced) -> dict[str, object]:
    """Write lines and totals as the app shows them; amounts are texts with two decimals."""
    lines = [line_as_json(line) for line in priced.lines]
    return {"lines": lines, **totals_as_json(priced.subtotal, priced.promotions, priced.tax)}


def line_as_json(line: PricedLine) -> dict[str, str]:
    """Write one line of a receipt."""
    return {
        "sku": line.sku,
        "name": line.name,
        "quantity": str(line.quantity),
        "unitPrice": as_text(line.unit_price),
        "promotion": as_text(line.promotion),
        "tax": as_text(line.tax),
        "total": as_text(line.total),
    }


def totals_as_json(subtotal: Decimal, promotions: Decimal, tax: Decimal) -> dict[str, str]:
    """Write the sums of a receipt, and what is to be paid."""
    return {
        "subtotal": as_text(subtotal),
        "promotions": as_text(promotions),
        "tax": as_text(tax),
        "total": as_text(subtotal - promotions + tax),
    }
