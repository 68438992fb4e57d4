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
    """List each part of the data that loses more than a share of its rows, or of which prices or their units change."""
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
    for store, products in retailer.assortment.by_store().items():
        parts[f"products of {_name(store)}"] = products.keys()
        parts[f"tax codes of the products of {_name(store)}"] = {sku for sku in products if products[sku].tax_code}
    for store, barcodes in retailer.assortment.barcodes_by_store().items():
        parts[f"barcodes of {_name(store)}"] = barcodes.keys()
    return parts


def _name(store: str) -> str:
    return "every store" if store == EVERY_STORE else f"store {store}"


def _jumps(old: Retailer, new: Retailer, share: float) -> Iterator[str]:
    after = new.assortment.by_store()
    for store, products in old.assortment.by_store().items():
        pairs = [(product, after[store][sku]) for sku, product in products.items() if sku in after.get(store, {})]
        jumps = sum(_is_tenfold(before.unit_price, now.unit_price) for before, now in pairs)
        if _is_large(jumps, len(pairs), share):
            yield f"{jumps} of {len(pairs)} prices of the products of {_name(store)} change at least tenfold"
        units = sum(before.unit != now.unit for before, now in pairs)
        if _is_large(units, len(pairs), share):
            yield f"{units} of {len(pairs)} prices of the products of {_name(store)} are for another unit"


def _is_tenfold(before: Decimal, after: Decimal) -> bool:
    low, high = sorted((before, after))
    return high >= _TENFOLD * low and low != high
