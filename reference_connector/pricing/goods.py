"""Products, and the rounding and writing of amounts."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from reference_connector.pricing.units import PIECE, Unit

ZERO = Decimal("0.00")
_CENT = Decimal("0.01")
EXACT = Context(prec=60)
"""Has room for every sum of weights and for its price: only `cents` rounds, and a division if it is the last step."""


class Product(NamedTuple):
    """A product of one store; `unit_price` is for one `unit`: a piece, or a unit of weight."""

    sku: str
    name: str
    unit_price: Decimal
    tax_code: str = ""
    unit: Unit = PIECE

    @property
    def sold_by(self) -> Literal["unit", "weight"]:
        """Whether the product is counted or weighed."""
        return "weight" if self.unit.is_weight else "unit"


def cents(amount: Decimal) -> Decimal:
    """Round to two decimals, half up."""
    return amount.quantize(_CENT, ROUND_HALF_UP)


@lru_cache(maxsize=4096)  # prices repeat
def as_text(amount: Decimal) -> str:
    """Write an amount with its two decimals."""
    return f"{amount:.2f}"
