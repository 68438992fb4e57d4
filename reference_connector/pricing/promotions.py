"""Promotions, and the amounts that they take off a line.

Promotions that stack apply one after the other, each to the remaining amount. A promotion that does not stack applies
alone. The shopper gets the larger discount.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from reference_connector.pricing.goods import ZERO, Product, cents

_HUNDRED = Decimal(100)


class Promotion(NamedTuple):
    """`percentage`: value percent off. `fixed`: value off each piece, or off the line of weighed goods.

    `bogo`: for each `value` paid pieces, one more is free. The limits are for one cart. `most_pieces` is the largest
    number of pieces, or units of weight of the price, that get the discount or are free. `most_off` is the largest
    discount.
    """

    kind: Literal["percentage", "fixed", "bogo"]
    value: Decimal
    most_pieces: Decimal | None = None
    most_off: Decimal | None = None
    stacks: bool = True


def discount(promotions: Sequence[Promotion], product: Product, quantity: Decimal, gross: Decimal) -> Decimal:
    """Return the discount on a line of `gross`, never more than `gross`; the quantity is in pieces or grams."""
    if not quantity:
        return ZERO
    stacked = _in_turn((each for each in promotions if each.stacks), product, quantity, gross)
    alone = (_in_turn([each], product, quantity, gross) for each in promotions if not each.stacks)
    return max(stacked, *alone, ZERO)


def _in_turn(promotions: Iterable[Promotion], product: Product, quantity: Decimal, gross: Decimal) -> Decimal:
    left = gross
    for promotion in promotions:
        off = cents(_amount(promotion, product, quantity, left))
        left -= min(left, off if promotion.most_off is None else min(off, promotion.most_off))
    return gross - left


def _amount(promotion: Promotion, product: Product, quantity: Decimal, left: Decimal) -> Decimal:
    by_weight = product.unit.is_weight
    most = promotion.most_pieces
    within = quantity if most is None else min(quantity, most * product.unit.size)
    if promotion.kind == "percentage":
        return _share(left * promotion.value / _HUNDRED, within, quantity)
    if promotion.kind == "fixed":
        return promotion.value if by_weight else promotion.value * within
    if by_weight:
        return ZERO
    return _share(left, min(quantity // (promotion.value + 1), within), quantity)


def _share(left: Decimal, pieces: Decimal, quantity: Decimal) -> Decimal:
    return left if pieces == quantity else left * pieces / quantity
