"""The quantity of a cart's line in pieces or grams, or the problem why the line has no price."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
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


class Problem(NamedTuple):
    """Why a cart has no price: a stable code, the SKU or barcode of the line if it is one, and what to do."""

    code: Literal[
        "unknown_item",
        "unknown_unit",
        "unit_does_not_fit",
        "fraction_of_a_piece",
        "negative_quantity",
        "unknown_store",
        "amount_too_large",
    ]
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
    if product is None:
        text = f"{code} is not in the price list of this store; add it to the price list"
        return Problem("unknown_item", text, code)
    unit, held = unit_named(unit_name), f"the cart holds {quantity:f} {unit_name[:_SHOWN]!r} of {code}"
    if unit is None:
        return Problem("unknown_unit", f"{held}; only {NAMES} have a price, so charge this cart by hand", code)
    if unit.is_weight != product.unit.is_weight:
        right = f"one of {', '.join(WEIGHTS)}" if unit.is_weight else PIECE.name
        text = f"{held}, and its price is for one {product.unit.name!r}; if the cart is right, set sold_by to {right}"
        return Problem("unit_does_not_fit", f"{text} and the price for that unit in the price list", code)
    if quantity < 0:
        return Problem("negative_quantity", f"{held}, less than nothing; check the cart", code)
    if not unit.is_weight and quantity != quantity.to_integral_value():
        text = f"{held}, which is sold by whole pieces; if it is weighed, set sold_by to a unit of weight"
        return Problem("fraction_of_a_piece", f"{text} in the price list", code)
    return Held(product, quantity * unit.size)


def add_up(cart: Iterable[Held]) -> list[Held]:
    """Return one entry for each product, in the order of the cart."""
    sums: dict[str, Held] = {}
    for each in cart:
        sku, earlier = each.product.sku, sums.get(each.product.sku)
        sums[sku] = each if earlier is None else Held(each.product, earlier.quantity + each.quantity)
    return list(sums.values())


def quantity_text(quantity: Decimal) -> str:
    """Write a quantity for the receipt: with one to eight decimals, and no trailing zeros after the first."""
    text = f"{round(quantity, _DECIMALS).normalize():f}"
    return text if "." in text else f"{text}.0"
