"""The virtual cart: what a shopper took minus what they put back, one line for each item, and its JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from simulator.errors import BadCall, NotNow

ItemType = Literal["SKU", "SCANCODE"]
PIECES = "unit"
WEIGHTS = ("lb", "oz", "kg", "g")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?")
_LONGEST = 10
"""Characters of `quantity.value`, as limited by the titles of the published cases."""


class Line(NamedTuple):
    """The key of a cart line: an item and its unit. Weights and pieces of the same item are two lines."""

    type: ItemType
    id: str
    unit: str


class Cart:
    """The lines of one cart with their quantities, in the order in which the shopper first took each item."""

    def __init__(self) -> None:
        self._lines: dict[Line, Decimal] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def move(self, line: Line, quantity: Decimal) -> None:
        """Pick a quantity, or put it back if it is below zero. Raises the errors of `pick` and `put_back`."""
        if quantity < 0:
            self.put_back(line, -quantity)
        else:
            self.pick(line, quantity)

    def pick(self, line: Line, quantity: Decimal) -> None:
        """Add a quantity to a line. Raises BadCall if the total is too long for the message."""
        total = self._lines.get(line, Decimal(0)) + quantity
        if len(quantity_text(total)) > _LONGEST:
            raise BadCall(f"{total} {line.unit} of {line.id} is longer than {_LONGEST} characters, the cart's limit")
        self._lines[line] = total

    def put_back(self, line: Line, quantity: Decimal) -> None:
        """Take a quantity off a line. Raises NotNow if the cart holds less than that."""
        left = self._lines.get(line, Decimal(0)) - quantity
        if left < 0:
            raise NotNow(f"the cart holds less than {quantity} {line.unit} of {line.id}")
        if left:
            self._lines[line] = left
        else:
            self._lines.pop(line, None)

    def items(self, identifiers: Callable[[str], list[dict[str, str]]]) -> list[dict[str, Any]]:
        """Return `cartItems`. `identifiers` returns the barcodes of a SKU, or an empty list if they are not known."""
        return [
            _item(number, line, quantity, identifiers(line.id) if line.type == "SKU" else [])
            for number, (line, quantity) in enumerate(self._lines.items(), start=1)
        ]


def checked_quantity(text: str, unit: str, weight_unit: str) -> Decimal:
    """Parse a quantity. Raises BadCall if it is not above zero, not whole for pieces, or in an unknown unit.

    The units of weight are WEIGHTS, and `weight_unit` of the house.
    """
    weights = dict.fromkeys((weight_unit, *WEIGHTS))
    if unit != PIECES and unit not in weights:
        raise BadCall(
            f"the unit is {unit[:20]!r}", hint=f"goods are counted in {PIECES} or weighed in {', '.join(weights)}"
        )
    if not _QUANTITY.fullmatch(text) or len(text) > _LONGEST:
        raise BadCall(f"not a quantity: {text[:20]!r}", hint="decimal text such as 1 or 0.75, at most 10 characters")
    quantity = Decimal(text)
    if not quantity or (unit == PIECES and quantity != quantity.to_integral_value()):
        raise BadCall(f"{text} {unit} is not a valid quantity", hint="above zero, and whole for pieces")
    return quantity


def quantity_text(quantity: Decimal) -> str:
    """Format a quantity as the platform does: at least one decimal place, and no trailing zeros after it."""
    text = f"{quantity.normalize():f}"
    return text if "." in text else f"{text}.0"


def _item(number: int, line: Line, quantity: Decimal, identifiers: list[dict[str, str]]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": line.id,
        "type": line.type,
        "quantity": {"value": quantity_text(quantity), "unit": line.unit},
        "lineItemId": f"line-{number}",
    }
    return {**item, "externalIdentifiers": identifiers} if identifiers else item
