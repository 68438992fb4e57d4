"""Remarks about goods that are valid and look wrong: SKUs that differ in capitals only, and prices without decimals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

_MANY = 3
"""From this number on, prices that all lack decimals are a pattern."""
_LISTED = 5


def doubts(where: str, skus: Iterable[str], prices: Iterable[str]) -> Iterator[str]:
    """Yield a remark for each doubt about the goods of a store, with all its SKUs and prices."""
    if alike := _alike(skus):
        yield f"SKUs of {where} differ in capitals only, so each has its own price: {alike}"
    written = list(prices)
    if len(written) >= _MANY and not any("." in price for price in written):
        yield f"no price of {where} is written with decimals: if the prices are in cents, divide them by 100"


def _alike(skus: Iterable[str]) -> str:
    groups: dict[str, list[str]] = defaultdict(list)
    for sku in skus:
        groups[sku.casefold()].append(sku)
    found = [" and ".join(group) for group in groups.values() if len(group) > 1]
    return ", ".join(found[:_LISTED]) + (f" and {len(found) - _LISTED} more" if len(found) > _LISTED else "")
