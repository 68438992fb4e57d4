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
        "stores": retailer.stores.keys(),
        "shoppers": retailer.accounts.keys(),
        "fixture keys": retailer.fixture_keys.keys(),
        "card shoppers": retailer.card_shoppers.keys(),
        "members": retailer.members.keys(),
        "badges": retailer.badges.keys(),
        "promotions": set(range(promotions)),
        "tax rates": rates,
    }
    products = retailer.assortment.by_store().items()
    return parts | {f"products of {_name(store)}": found.keys() for store, found in products}


def _name(store: str) -> str:
    return "every store" if store == EVERY_STORE else f"store {store}"


def _jumps(old: Retailer, new: Retailer, share: float) -> Iterator[str]:
    """Yield what happens to many of the products that a store keeps."""
    had, has = _with_barcode(old), _with_barcode(new)
    after = new.assortment.by_store()
    for store, products in old.assortment.by_store().items():
        kept = {sku: (product, after[store][sku]) for sku, product in products.items() if sku in after.get(store, {})}
        pairs = kept.values()
        events = {
            "have no barcode now": [(store, sku) not in has for sku in kept if (store, sku) in had],
            "have no tax code now": [not now.tax_code for before, now in pairs if before.tax_code],
            "have a price for another unit": [before.unit != now.unit for before, now in pairs],
            "have a price that changes at least tenfold": [
                _is_tenfold(before.unit_price, now.unit_price) for before, now in pairs
            ],
        }
        for event, found in events.items():
            if _is_large(sum(found), len(found), share):
                yield f"{sum(found)} of {len(found)} products of {_name(store)} {event}"


def _with_barcode(retailer: Retailer) -> set[tuple[str, str]]:
    """Return the products that have a barcode, by store and SKU."""
    return {(store, sku) for store, skus in retailer.assortment.barcodes_by_store().items() for sku in skus.values()}


def _is_tenfold(before: Decimal, after: Decimal) -> bool:
    low, high = sorted((before, after))
    return high >= _TENFOLD * low and low != high
