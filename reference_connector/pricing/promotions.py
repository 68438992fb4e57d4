"""Promotions: what one takes off a line. Several on a SKU apply in turn, each to what the earlier ones left."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal, NamedTuple

from reference_connector.pricing.goods import ZERO, Product, cents

_HUNDRED = Decimal(100)


class Promotion(NamedTuple):
    """`percentage`: value percent off. `fixed`: value off each piece, or off the line of weighed goods.

    `bogo`: for each `value` pieces that are paid for, one more is free.
    """

    kind: Literal["percentage", "fixed", "bogo"]
    value: Decimal


def discount(promotions: Sequence[Promotion], product: Product, quantity: Decimal, gross: Decimal) -> Decimal:
    """Return what the promotions take off a line of `gross`, never more than all of it."""
    left = gross
    for promotion in promotions:
        left -= min(left, cents(_amount(promotion, product, quantity, left)))
    return gross - left


def _amount(promotion: Promotion, product: Product, quantity: Decimal, left: Decimal) -> Decimal:
    by_weight = product.sold_by == "weight"
    if promotion.kind == "percentage":
        return left * promotion.value / _HUNDRED
    if promotion.kind == "fixed":
        return promotion.value if by_weight else promotion.value * quantity
    if by_weight:
        return ZERO
    return product.unit_price * (quantity // (promotion.value + 1))
