"""Compares the retailer's data before and after a reload, and finds a change that looks like an accident."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Any

from reference_connector.retailer import EVERY_STORE, Retailer

_FEW = 1
"""Losing this number of rows is never an accident."""
_TENFOLD = 10


def accidents(old: Retailer, new: Retailer, share: float) -> list[str]:
    """List each part of the data that loses more than a share of its rows, or of which the prices change tenfold."""
    before, after = _rows(old), _rows(new)
    found = [
        f"{lost} of {len(rows)} {part} are missing"
        for part, rows in before.items()
        if _is_large(lost := len(rows - after.get(part, set())), len(rows), share)
    ]
    return [*found, *_jumps(old, new, share)]


def _is_large(count: int, of: int, share: float) -> bool:
    return count > max(_FEW, share * of)


def _rows(retailer: Retailer) -> dict[str, AbstractSet[Any]]:
    """Return the keys of each part of the data. Promotions are counted, since new ones often replace all of them."""
    rates = {(name, code) for name, rates in retailer.tax.items() for code in ("", *rates.codes)}
    promotions = sum(map(len, retailer.promotions.values()))
    parts: dict[str, AbstractSet[Any]] = {
        "stores": retailer.stores,
        "shoppers": retailer.accounts.keys(),
        "fixture keys": retailer.fixture_keys.keys(),
        "card shoppers": retailer.card_shoppers.keys(),
        "members": retailer.members.keys(),
        "promotions": set(range(promotions)),
        "tax rates": rates,
    }
    return parts | {_products_of(store): products.keys() for store, products in retailer.assortment.by_store().items()}


def _products_of(store: str) -> str:
    return "products of every store" if store == EVERY_STORE else f"products of store {store}"


def _jumps(old: Retailer, new: Retailer, share: float) -> Iterator[str]:
    after = new.assortment.by_store()
    for store, products in old.assortment.by_store().items():
        pairs = [
            (product.unit_price, after[store][sku].unit_price)
            for sku, product in products.items()
            if sku in after.get(store, {})
        ]
        count = sum(_is_tenfold(*pair) for pair in pairs)
        if _is_large(count, len(pairs), share):
            yield f"{count} of {len(pairs)} prices of the {_products_of(store)} change at least tenfold"


def _is_tenfold(before: Decimal, after: Decimal) -> bool:
    low, high = sorted((before, after))
    return high >= _TENFOLD * low and low != high
