"""Fills the assortment from the products of the retailer files and from price lists."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from reference_connector.accepted_files import how_to_accept, is_accepted
from reference_connector.files.cut import check_last_price
from reference_connector.files.delimited import Columns, read_table
from reference_connector.files.sections import Placed, Sections
from reference_connector.retailer import EVERY_STORE, Assortment, bare_barcode
from reference_connector.retailer_rows import PriceListRow, ProductRow

_COLUMNS = Columns(
    tuple(PriceListRow.model_fields),
    tuple(name for name, field in PriceListRow.model_fields.items() if field.is_required()),
)
_LISTED = 5


class Shelves:
    """Fills an assortment, and finds SKUs and barcodes that a store has twice."""

    def __init__(self, read: Sections, weight_unit: str, tax_codes: Iterable[str]) -> None:
        self.assortment = Assortment()
        self._tax_codes = frozenset(tax_codes)
        self._alike_codes = {_spelling(code): code for code in self._tax_codes}
        self._weight_unit = weight_unit
        self._read = read
        self._skus: dict[tuple[str, str], Placed] = {}
        self._barcodes: dict[tuple[str, str], tuple[str, str, Placed]] = {}

    def fill(self, price_lists: Sequence[Path], stores: frozenset[str] | None) -> bool:
        """Add all products; return whether the shelves have all SKUs, as no file or row has a problem."""
        read, before = self._read, len(self._read.problems)
        for placed, row in read.rows("product", ProductRow):
            self._add(placed, EVERY_STORE, row, row.barcode)
        for path in price_lists:
            rows_by_store: Counter[str] = Counter()
            for placed, line in _price_list(read, path):
                rows_by_store[line.store_id] += 1
                self._add(placed, line.store_id, line, line.external_product_id)
            if stores is not None:
                _check_stores(read, str(path), rows_by_store, stores)
        return len(read.problems) == before

    def _add(self, placed: Placed, store_id: str, row: ProductRow | PriceListRow, barcode: str) -> None:
        """Add a product of a store, unless its SKU or its barcode is there already."""
        product = row.product(self._weight_unit)
        first = self._skus.setdefault((store_id, product.sku), placed)
        if first is not placed:
            what = f"{product.sku} is there twice{_in_store(store_id)}, first in {first.seen_from(placed)}"
            self._read.add(placed, what, "Remove one of them")
            return
        for store in dict.fromkeys((store_id, EVERY_STORE)):
            other = self._barcodes.get((store, bare_barcode(barcode))) if barcode else None
            if other and other[0] != product.sku:
                owner, written, where = other[0], other[1], other[2].seen_from(placed)
                zeros = "" if written == barcode else f" (there {written}, the same without leading zeros and hyphens)"
                what = f"barcode {barcode} is also on {owner}{_in_store(store_id)}, in {where}{zeros}"
                self._read.add(placed, what, "Give each SKU its own barcode")
                return
        code = product.tax_code
        if code and code not in self._tax_codes and (near := self._alike_codes.get(_spelling(code))):
            self._read.add(placed, f"tax code {code} has no rate; did you mean {near}?", "Correct it, or add its rate")
            return
        if barcode:
            self._barcodes[store_id, bare_barcode(barcode)] = (product.sku, barcode, placed)
        self.assortment.add(store_id, product, barcode)


def _in_store(store_id: str) -> str:
    return "" if store_id == EVERY_STORE else f" in store {store_id}"


def _price_list(read: Sections, path: Path) -> Iterator[tuple[Placed, PriceListRow]]:
    """Yield the valid rows of a price list. An empty value counts as absent."""
    text, file = read.text(path), str(path)
    if text is None:
        return
    before = len(read.problems)
    table = read_table(file, text, _COLUMNS, read.problems)
    check_last_price(file, table, "standard_price", read.problems)
    if not table.lines and len(read.problems) == before and not is_accepted(path, read.digests[file]):
        read.problems.add(file, "", "has no rows, so nothing would be sold", f"To accept this: {how_to_accept(path)}")
    for line in table.lines:
        placed = Placed(file, f"line {line.number}", line.values)
        row = read.checked(placed, PriceListRow)
        if row is not None:
            yield placed, row


def _check_stores(read: Sections, file: str, rows_by_store: Counter[str], stores: frozenset[str]) -> None:
    """Report stores of a price list that the retailer does not have, each once with the number of its rows."""
    unknown = {store: rows for store, rows in rows_by_store.items() if store not in stores}
    alike = {_spelling(store): store for store in stores}
    for store, rows in unknown.items():
        if near := alike.get(_spelling(store)):
            read.problems.add(
                file, "", f"store_id {store} ({_rows(rows)}) is not a store; did you mean {near}?", "Correct it"
            )
    others = {store: rows for store, rows in unknown.items() if _spelling(store) not in alike}
    listed = ", ".join(f"{store} ({_rows(rows)})" for store, rows in list(others.items())[:_LISTED])
    listed += f" and {len(others) - _LISTED} more" if len(others) > _LISTED else ""
    if others and unknown.keys() == rows_by_store.keys():
        known = ", ".join(sorted(stores)[:_LISTED])
        read.problems.add(
            file,
            "",
            f"no row is for a store of this retailer: store_id {listed}",
            f"Correct store_id, or add a [[store]] with that id. The stores are {known}",
        )
    elif others:
        read.notes.append(f"{file}: store_id {listed} is not a store of this retailer, so these rows sell nothing")


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count} rows"


def _spelling(store: str) -> str:
    """Return what spellings of one store id have in common: `store-1` and `STORE-001`."""
    return re.sub(r"(?<![0-9])0+(?=[0-9])", "", re.sub(r"[\W_]+", "", store.casefold()))
