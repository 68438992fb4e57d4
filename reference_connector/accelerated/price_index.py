"""A price book: what the retailer's lines cost, worked out once for each product and quantity, then looked up.

What a line costs follows from product and quantity alone while prices, promotions and tax stand still; a book is of one
store as it is now, and is thrown away when something of that changes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from operator import itemgetter
from typing import NamedTuple, TypeVar

import orjson

from reference_connector.pricing.goods import ZERO, CartLine, Product
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.receipt import as_json, line_as_json, price
from reference_connector.pricing.tax import TaxRates

K = TypeVar("K")
T = TypeVar("T")
_SKU = itemgetter(0)
_MOST, _LONGEST_SUM = 50_000, 64


CodedLine = tuple[str, str, str]
"""A line as it came: what the code is, a SKU or a scanned code; the code; the quantity as a decimal text."""


class Bill(NamedTuple):
    """A priced cart: what is to be paid, and the lines and totals as JSON; `complete` is as in `Priced`."""

    total: Decimal
    complete: bool
    json: dict[str, object]


class _BookedLine(NamedTuple):
    sku: str
    gross: Decimal
    promotion: Decimal
    tax: Decimal
    json: orjson.Fragment


class PriceIndex:
    """Prices carts of one store; `find` looks a product up by kind and code."""

    def __init__(
        self,
        find: Callable[[str, str], Product | None],
        promotions_on: Callable[[str], Sequence[Promotion]],
        rates: TaxRates,
    ) -> None:
        self._find = find
        self._promotions_on = promotions_on
        self._rates = rates
        self._booked: dict[CodedLine, _BookedLine] = {}
        self._products: dict[tuple[str, str], Product] = {}
        self._lines: dict[tuple[str, str], _BookedLine] = {}

    def bill(self, cart: Sequence[CodedLine]) -> Bill:
        """Price a cart, exactly as `price` does."""
        known = [line for line in map(self._booked.get, cart) if line]
        if len(set(map(_SKU, known))) == len(cart):
            return _sum_up(known)
        return self._bill(cart)

    def _bill(self, cart: Sequence[CodedLine]) -> Bill:
        """Price a cart whose lines are not all known, or of one product in part: those are added up first."""
        sums: dict[str, str] = {}
        products: dict[str, Product] = {}
        for kind, code, quantity in cart:
            product = self._products.get((kind, code)) or self._product(kind, code)
            if product is None:
                return self._incomplete(cart)
            sku = product.sku
            sums[sku] = f"{sums[sku]}+{quantity}" if sku in sums else quantity
            products[sku] = product
        lines = [self._line(products[sku], terms) for sku, terms in sums.items()]
        if len(lines) == len(cart):
            for coded, line in zip(cart, lines, strict=True):
                _keep(self._booked, coded, line)
        return _sum_up(lines)

    def _product(self, kind: str, code: str) -> Product | None:
        product = self._find(kind, code)
        if product is not None:
            _keep(self._products, (kind, code), product)
        return product

    def _line(self, product: Product, terms: str) -> _BookedLine:
        """Return the line of a product and a sum of quantities; long sums are rare, and not kept."""
        known = self._lines.get((product.sku, terms))
        if known is not None:
            return known
        cart = [CartLine(product.sku, Decimal(term), product) for term in terms.split("+")]
        line = price(cart, self._promotions_on, self._rates).lines[0]
        booked = _BookedLine(
            line.sku, line.gross, line.promotion, line.tax, orjson.Fragment(orjson.dumps(line_as_json(line)))
        )
        if len(terms) <= _LONGEST_SUM:
            _keep(self._lines, (product.sku, terms), booked)
        return booked

    def _incomplete(self, cart: Iterable[CodedLine]) -> Bill:
        lines = [CartLine(code, Decimal(quantity), self._find(kind, code)) for kind, code, quantity in cart]
        priced = price(lines, self._promotions_on, self._rates)
        return Bill(priced.total, priced.complete, as_json(priced))


def _keep(kept: dict[K, T], key: K, value: T) -> None:
    """Keep a value; past the limit all are forgotten, and what is asked for most is soon there again."""
    if len(kept) >= _MOST:
        kept.clear()
    kept[key] = value


def _sum_up(lines: list[_BookedLine]) -> Bill:
    subtotal = promotions = tax = ZERO
    for _, gross, promotion, line_tax, _ in lines:
        subtotal += gross
        promotions += promotion
        tax += line_tax
    total = subtotal - promotions + tax
    json: dict[str, object] = {  # as `totals_as_json` writes them: all are sums of amounts of two decimals
        "lines": [line.json for line in lines],
        "subtotal": str(subtotal),
        "promotions": str(promotions),
        "tax": str(tax),
        "total": str(total),
    }
    return Bill(total, complete=True, json=json)
