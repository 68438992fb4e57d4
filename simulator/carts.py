"""The virtual cart: what was taken minus what was put back, one line for each item, and its JSON form."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from simulator.errors import BadCall, NotNow

ItemType = Literal["SKU", "SCANCODE"]
PIECES = "unit"
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?")
_LONGEST = 10
"""Characters of `quantity.value`, as limited by the titles of the published cases."""


class Line(NamedTuple):
    """The key of a line; weights and pieces of the same item are two lines."""

    type: ItemType
    id: str
    unit: str


class Cart:
    """Merges picks and returns; lines keep the order in which they were first taken."""

    def __init__(self) -> None:
        self._lines: dict[Line, Decimal] = {}

    def __len__(self) -> int:
        return len(self._lines)

    def move(self, line: Line, quantity: Decimal) -> None:
        """Add to the cart, or take from it if the quantity is below zero; raises what `pick` and `put_back` raise."""
        if quantity < 0:
            self.put_back(line, -quantity)
        else:
            self.pick(line, quantity)

    def pick(self, line: Line, quantity: Decimal) -> None:
        """Add to the cart. Raises BadCall if the sum no longer fits the message."""
        total = self._lines.get(line, Decimal(0)) + quantity
        if len(quantity_text(total)) > _LONGEST:
            raise BadCall(f"{total} {line.unit} of {line.id} is more than a cart line can say")
        self._lines[line] = total

    def put_back(self, line: Line, quantity: Decimal) -> None:
        """Take from the cart. Raises NotNow if the cart holds less than that."""
        left = self._lines.get(line, Decimal(0)) - quantity
        if left < 0:
            raise NotNow(f"the cart holds less than {quantity} {line.unit} of {line.id}")
        if left:
            self._lines[line] = left
        else:
            self._lines.pop(line, None)

    def items(self, identifiers: Callable[[str], list[dict[str, str]]]) -> list[dict[str, Any]]:
        """Return `cartItems`; `identifiers` returns the barcodes of a SKU, empty if they are not known."""
        return [
            _item(number, line, quantity, identifiers(line.id) if line.type == "SKU" else [])
            for number, (line, quantity) in enumerate(self._lines.items(), start=1)
        ]


def checked_quantity(text: str, unit: str, weight_unit: str) -> Decimal:
    """Read a quantity above zero; pieces are whole, weights are in `weight_unit`. Raises BadCall otherwise."""
    if unit not in {PIECES, weight_unit}:
        raise BadCall(f"the unit is {unit!r}", hint=f"goods are counted in {PIECES!r} or weighed in {weight_unit!r}")
    if not _QUANTITY.fullmatch(text) or len(text) > _LONGEST:
        raise BadCall(f"not a quantity: {text[:20]!r}", hint="decimal text such as 1 or 0.75, at most 10 characters")
    quantity = Decimal(text)
    if not quantity or (unit == PIECES and quantity != quantity.to_integral_value()):
        raise BadCall(f"{text} {unit} cannot be taken", hint="more than nothing, and pieces are whole")
    return quantity


def quantity_text(quantity: Decimal) -> str:
    """Write a quantity as the platform does: at least one decimal, and no further trailing zeros."""
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
