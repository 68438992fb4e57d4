"""A price index: keeps the price of each line that was priced before, and looks it up.

While prices, promotions and tax do not change, the product and the quantity alone decide the price of a line. An index
belongs to one store and to the retailer's current data. When the data change, a new index replaces it.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, localcontext
from operator import itemgetter
from typing import NamedTuple, TypeVar

import orjson

from reference_connector.pricing.bill import Bill, CodedLine, PriceList, bill_of
from reference_connector.pricing.goods import EXACT, ZERO, Product
from reference_connector.pricing.quantities import CartLine, Held, Problem, add_up, measure
from reference_connector.pricing.receipt import line_as_json, price_line, totals_as_json
from reference_connector.retailer import Retailer
from reference_connector.sales import price_list

K = TypeVar("K")
T = TypeVar("T")
_SKU = itemgetter(0)
_MOST = 50_000


class PriceIndexes:
    """The price indexes of the retailer's current data, by store."""

    def __init__(self) -> None:
        self._retailer: Retailer | None = None
        self._indexes: dict[str, PriceIndex] = {}

    def price_cart(self, retailer: Retailer, store_id: str, cart: Sequence[CodedLine]) -> Bill:
        """Price a cart; for a store that is not the retailer's, make a new index each time."""
        if self._retailer is not retailer:
            self._retailer, self._indexes = retailer, {}
        index = self._indexes.get(store_id)
        if index is None:
            index = PriceIndex(price_list(retailer, store_id))
            if store_id in retailer.stores:
                self._indexes[store_id] = index
        return index.bill(cart)


class _IndexedLine(NamedTuple):
    sku: str
    gross: Decimal
    promotion: Decimal
    tax: Decimal
    json: orjson.Fragment


class PriceIndex:
    """Prices carts of one store."""

    def __init__(self, prices: PriceList) -> None:
        self._prices = prices
        self._indexed: dict[CodedLine, _IndexedLine] = {}
        self._products: dict[tuple[str, str], Product] = {}
        self._lines: dict[tuple[str, Decimal], _IndexedLine] = {}

    def bill(self, cart: Sequence[CodedLine]) -> Bill:
        """Price a cart, exactly as `bill_of` does."""
        known = [line for line in map(self._indexed.get, cart) if line]
        if len(set(map(_SKU, known))) == len(cart):
            return _sum_up(known)
        return self._bill(cart)

    def _bill(self, cart: Sequence[CodedLine]) -> Bill:
        """Price a cart that has new lines, or several lines of one product, which are added up first."""
        held: list[Held] = []
        with localcontext(EXACT):
            for kind, code, quantity, unit in cart:
                product = self._products.get((kind, code)) or self._product(kind, code)
                found = measure(CartLine(code, Decimal(quantity), unit, product))
                if isinstance(found, Problem):
                    return bill_of(self._prices, cart)
                held.append(found)
            lines = [self._line(each) for each in add_up(held)]
        if len(lines) == len(cart):
            for coded, line in zip(cart, lines, strict=True):
                _keep(self._indexed, coded, line)
        return _sum_up(lines)

    def _product(self, kind: str, code: str) -> Product | None:
        product = self._prices.find(kind, code)
        if product is not None:
            _keep(self._products, (kind, code), product)
        return product

    def _line(self, held: Held) -> _IndexedLine:
        """Return the line of a quantity of a product."""
        sku, key = held.product.sku, (held.product.sku, held.quantity)
        known = self._lines.get(key)
        if known is not None:
            return known
        line = price_line(held, self._prices.promotions_on(sku), self._prices.rates)
        fragment = orjson.Fragment(orjson.dumps(line_as_json(line)))
        indexed = _IndexedLine(line.sku, line.gross, line.promotion, line.tax, fragment)
        _keep(self._lines, key, indexed)
        return indexed


def _keep(kept: dict[K, T], key: K, value: T) -> None:
    """Keep a value. At the limit, drop all values first; the most used ones are soon there again."""
    if len(kept) >= _MOST:
        kept.clear()
    kept[key] = value


def _sum_up(lines: list[_IndexedLine]) -> Bill:
    subtotal = promotions = tax = ZERO
    for _, gross, promotion, line_tax, _ in lines:
        subtotal += gross
        promotions += promotion
        tax += line_tax
    total = subtotal - promotions + tax
    json: dict[str, object] = {"lines": [line.json for line in lines], **totals_as_json(subtotal, promotions, tax)}
    return Bill(total, json)
