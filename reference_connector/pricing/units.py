"""Units of goods: pieces, and units of weight with their exact size in grams.

A table of four weights is exact and refuses every other unit. A general library of units would also accept `stone`,
`fl oz` and `2*lb`, which no price list means.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple


class Unit(NamedTuple):
    """A unit of a quantity or of a price. `size` is in grams for a weight, and 1 for a piece."""

    name: str
    size: Decimal
    is_weight: bool = True


PIECE = Unit("unit", Decimal(1), is_weight=False)
POUND = Unit("lb", Decimal("453.59237"))  # the international pound, exact by definition
OUNCE = Unit("oz", POUND.size / 16)
KILOGRAM = Unit("kg", Decimal(1000))
GRAM = Unit("g", Decimal(1))
WEIGHTS = {unit.name: unit for unit in (POUND, OUNCE, KILOGRAM, GRAM)}
NAMES = ", ".join([PIECE.name, *WEIGHTS])

_SPELLINGS = {
    # `unit` is the word of Create Purchases and `each` that of Checkout; the last word of a line is of UN/ECE Rec. 20.
    PIECE: "unit units each ea piece pieces pc pcs count c62 h87",
    POUND: "lb lbs pound pounds lbr",
    OUNCE: "oz ounce ounces onz",
    KILOGRAM: "kg kgs kilo kilos kilogram kilograms kilogramme kilogrammes kgm",
    GRAM: "g gram grams gramme grammes grm",
}
_UNITS = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings.split()}
_LONGEST = 20


def unit_named(text: str) -> Unit | None:
    """Return the unit of a name, in capitals or not; None if there is none."""
    known = _UNITS.get(text)
    if known is not None or len(text) > _LONGEST:
        return known
    return _UNITS.get(text.strip().removesuffix(".").lower())
