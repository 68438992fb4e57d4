"""The quantity of a cart's line in pieces or grams, or the problem why the line has no price."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple

from reference_connector.pricing.goods import Product
from reference_connector.pricing.units import NAMES, PIECE, WEIGHTS, unit_named

_SHOWN, _DECIMALS = 40, 8


class CartLine(NamedTuple):
    """A line of the cart: a SKU or barcode, the quantity and its unit, and the product, None if it is not sold here."""

    code: str
    quantity: Decimal
    unit: str
    product: Product | None


ProblemCode = Literal[
    "unknown_item",
    "unknown_unit",
    "unit_does_not_fit",
    "fraction_of_a_piece",
    "negative_quantity",
    "unknown_store",
    "amount_too_large",
]


class Problem(NamedTuple):
    """Why a cart has no price: a stable code, the SKU or barcode of the line if it is one, and what to do."""

    code: ProblemCode
    text: str
    item: str = ""

    def as_json(self) -> dict[str, str]:
        """Write the problem for operators."""
        return {"code": self.code, "item": self.item, "problem": self.text}


class Held(NamedTuple):
    """A product in the cart, and its quantity in pieces or grams."""

    product: Product
    quantity: Decimal


def measure(line: CartLine) -> Held | Problem:
    """Return the product of a line with its quantity in pieces or grams, or why the line has no price."""
    code, quantity, unit_name, product = line
    unit = unit_named(unit_name)
    if product is None:
        return Problem("unknown_item", f"{code} is not in the price list of this store; add it to the price list", code)
    if unit is None:
        return _problem("unknown_unit", line, f"only {NAMES} have a price, so charge this cart by hand")
    if unit.is_weight != product.unit.is_weight:
        right = f"one of {', '.join(WEIGHTS)}" if unit.is_weight else PIECE.name
        text = f"its price is for one {product.unit.name!r}; if the cart is right, set sold_by to {right}"
        return _problem("unit_does_not_fit", line, f"{text} and the price for that unit in the price list")
    if quantity < 0:
        return _problem("negative_quantity", line, "that is less than nothing; check the cart")
    if not unit.is_weight and quantity != quantity.to_integral_value():
        text = "it is sold by whole pieces; if it is weighed, set sold_by to a unit of weight in the price list"
        return _problem("fraction_of_a_piece", line, text)
    return Held(product, quantity * unit.size if unit.is_weight else quantity)


def _problem(code: ProblemCode, line: CartLine, text: str) -> Problem:
    held = f"the cart holds {line.quantity:f} {line.unit[:_SHOWN]!r} of {line.code}"
    return Problem(code, f"{held}; {text}", line.code)


def add_up(cart: Iterable[Held]) -> list[Held]:
    """Return one entry for each product, in the order of the cart."""
    sums: dict[str, Held] = {}
    for each in cart:
        sku = each.product.sku
        sums[sku] = Held(each.product, sums[sku].quantity + each.quantity) if sku in sums else each
    return list(sums.values())


@lru_cache(maxsize=4096)  # quantities repeat
def quantity_text(quantity: Decimal) -> str:
    """Write a quantity for the receipt: with one to eight decimals, and no trailing zeros after the first."""
    text = f"{round(quantity, _DECIMALS).normalize():f}"
    return text if "." in text else f"{text}.0"
