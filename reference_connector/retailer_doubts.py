"""Remarks about goods that are valid and look wrong: SKUs that differ in capitals only, and prices without decimals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from reference_connector.retailer import EVERY_STORE, Assortment

_MANY = 3
"""From this number on, prices that all lack decimals are a pattern."""
_LISTED = 5
_WITHOUT_CENTS = frozenset(["CLP", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "UGX", "VND"])
"""Currencies in which prices usually have no decimals."""


def doubts(assortment: Assortment, currency: str) -> Iterator[str]:
    """Yield a remark for each doubt about the goods of a store."""
    for store, products in assortment.by_store().items():
        where = "every store" if store == EVERY_STORE else f"store {store}"
        if alike := _alike(products):
            yield f"SKUs of {where} differ in capitals only, so each has its own price: {alike}"
        prices = [product.unit_price for product in products.values()]
        if currency not in _WITHOUT_CENTS and len(prices) >= _MANY and all(map(_is_written_whole, prices)):
            yield f"no price of {where} is written with decimals: if the prices are in cents, divide them by 100"


def _is_written_whole(price: Decimal) -> bool:
    exponent = price.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= 0


def _alike(skus: Iterable[str]) -> str:
    groups: dict[str, list[str]] = defaultdict(list)
    for sku in skus:
        groups[sku.casefold()].append(sku)
    found = [" and ".join(group) for group in groups.values() if len(group) > 1]
    return ", ".join(found[:_LISTED]) + (f" and {len(found) - _LISTED} more" if len(found) > _LISTED else "")
