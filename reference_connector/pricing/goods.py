"""Products and the lines of a cart, and the rounding and writing of amounts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

ZERO = Decimal("0.00")
_CENT = Decimal("0.01")


class Product(NamedTuple):
    """A product of one store; `unit_price` is for a piece, or for one unit of weight."""

    sku: str
    name: str
    unit_price: Decimal
    tax_code: str = ""
    sold_by: Literal["unit", "weight"] = "unit"


CartLine = tuple[str, Decimal, Product | None]
"""A line of the cart: a SKU or barcode, the quantity, and the product, or None if the store does not sell it."""


def cents(amount: Decimal) -> Decimal:
    """Round to two decimals, half up."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


@lru_cache(maxsize=4096)  # prices repeat
def as_text(amount: Decimal) -> str:
    """Write an amount with its two decimals."""
    return f"{amount:.2f}"
