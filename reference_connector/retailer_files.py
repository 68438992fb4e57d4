"""Reads retailer files (TOML) and price lists (CSV) into a Retailer, and reports every error of all files at once."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from contract.invalid import describe
from contract.scan_key import from_identity_key
from reference_connector.accepted_files import how_to_accept, is_accepted
from reference_connector.errors import BadRetailerData, UnreadableFile
from reference_connector.files.cut import check_last_price
from reference_connector.files.delimited import Columns, read_table
from reference_connector.files.doubts import doubts
from reference_connector.files.names import meant
from reference_connector.files.problems import Problems
from reference_connector.files.text import read_file
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.tax import TaxRates
from reference_connector.retailer import (
    EVERY_STORE,
    Account,
    Assortment,
    Policy,
    Retailer,
    Visitor,
    bare_barcode,
)
from reference_connector.retailer_rows import (
    CardShopperRow,
    FixtureKeyRow,
    MemberRow,
    PolicyRow,
    PriceListRow,
    ProductRow,
    PromotionRow,
    Row,
    ShopperRow,
    StoreRow,
    TaxRow,
    TaxSection,
)

R = TypeVar("R", bound=Row)

_SECTIONS = (
    "retailer", "store", "shopper", "card_shopper", "member", "fixture_key", "product", "promotion", "tax"
)  # fmt: skip
_COLUMNS = Columns(
    tuple(PriceListRow.model_fields),
    tuple(name for name, field in PriceListRow.model_fields.items() if field.is_required()),
)
_GROUPED_NUMBER = re.compile(
    r"^\s*\"?(\w+)\"?\s*=\s*[+-]?(?![0-9]{1,3}(?:_[0-9]{3})+\s*(?:#|$))[0-9]+(?:_[0-9]+)+", re.MULTILINE
)
_LISTED = 5
_WITHOUT_CENTS = frozenset(["CLP", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "UGX", "VND"])
"""Currencies in which prices usually have no decimals."""


class _Placed(NamedTuple):
    """A row of a section, and its place in the file."""

    file: str
    place: str
    row: Any

    def seen_from(self, other: _Placed) -> str:
        """Return the place, with its file if the other row is in another file."""
        return self.place if self.file == other.file else f"{self.file}, {self.place}"


class _Document(NamedTuple):
    file: str
    content: dict[str, Any]
    lines: dict[str, list[int]]
    """The line of each `[[section]]`, by section."""

    def placed(self, section: str, number: int, row: object) -> _Placed:
        """Return a row with its place; the line is known if the file writes each row under its own `[[section]]`."""
        lines, rows = self.lines.get(section, []), self.content[section]
        line = f"line {lines[number - 1]}, " if len(lines) == len(rows) else ""
        return _Placed(self.file, f"{line}[[{section}]] number {number}", row)


class _Files:
    """All retailer files and price lists, read section by section as if they were one file."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.problems = Problems()
        self.digests: dict[str, str] = {}
        self.notes: list[str] = []
        self._documents = [self._document(path) for path in paths]

    def rows(self, section: str, kind: type[R]) -> Iterator[tuple[_Placed, R]]:
        """Yield the valid rows of `[[section]]`, of all files."""
        for document in self._documents:
            rows = document.content.get(section, [])
            if not isinstance(rows, list):
                self.problems.add(document.file, f"[{section}]", "is one table", f"Write it as [[{section}]]")
                continue
            for number, row in enumerate(rows, 1):
                placed = document.placed(section, number, row)
                valid = self.checked(placed, kind)
                if valid is not None and not self._has_misspelt_member(placed, kind):
                    yield placed, valid

    def table(self, section: str, kind: type[R]) -> R:
        """Return `[section]`, or the defaults."""
        found = [
            _Placed(document.file, f"[{section}]", document.content[section])
            for document in self._documents
            if section in document.content
        ]
        for placed in found[1:]:
            if placed.row != found[0].row:
                self.add(placed, f"is also in {found[0].file}, with other values", "Keep one of them")
        valid = self.checked(found[0], kind) if found else None
        if valid is None or self._has_misspelt_member(found[0], kind):
            return kind()
        return valid

    def unique(self, section: str, kind: type[R], key: Callable[[R], str]) -> list[tuple[_Placed, R]]:
        """Return the valid rows of a section that has each key once."""
        seen: dict[str, _Placed] = {}
        kept = []
        for placed, row in self.rows(section, kind):
            first = seen.setdefault(key(row), placed)
            if first is placed:
                kept.append((placed, row))
            else:
                self.add(placed, f"{key(row)} is there twice, first in {first.seen_from(placed)}", "Remove one of them")
        return kept

    def add(self, placed: _Placed, problem: str, fix: str) -> None:
        """Add a problem of a row."""
        self.problems.add(placed.file, placed.place, problem, fix)

    def checked(self, placed: _Placed, kind: type[R]) -> R | None:
        """Return a row in its type. Add each of its problems; return None if it has one."""
        try:
            row = kind.model_validate(placed.row)
        except ValidationError as error:
            for each in error.errors():
                member = ".".join(map(str, each["loc"])) or "row"
                if each["type"] == "missing":
                    self.add(placed, f"{member} is missing", "Add it")
                elif each["type"] == "extra_forbidden":
                    self._add_unknown(placed, member, kind)
                else:
                    fix = each.get("ctx", {}).get("fix", f"Set {member} to a valid value")
                    self.add(placed, f"{member}: {describe(kind, each)}", fix)
            return None
        return row

    def _has_misspelt_member(self, placed: _Placed, kind: type[Row]) -> bool:
        """Find a member that looks like an absent one or is a section; other members belong to other programs."""
        absent = [name for name in kind.model_fields if name not in placed.row]
        for name, value in placed.row.items():
            if name in kind.model_fields:
                continue
            if name in _SECTIONS and isinstance(value, (dict, list)):
                self.add(
                    placed, f"{name} is in this table, where nothing reads it", f"Write it as [[{name}]] or [{name}]"
                )
                return True
            if near := meant(name, absent):
                self.add(placed, f"{name} is not known; did you mean {near}?", "Correct or remove it")
                return True
        return False

    def _add_unknown(self, placed: _Placed, member: str, kind: type[Row]) -> None:
        near = meant(member.rpartition(".")[2], [name for name in kind.model_fields if name not in placed.row])
        end = f"; did you mean {near}?" if near else ""
        self.add(placed, f"{member} is not known{end}", "Correct or remove it: it may change what is charged")

    def text(self, path: Path, *, only_unicode: bool = False) -> str | None:
        """Read a file. Add a problem and return None if it is not a text."""
        try:
            text, digest, note = read_file(path, only_unicode=only_unicode)
        except UnreadableFile as error:
            self.problems.add(str(path), "", str(error), error.hint)
            return None
        self.digests[str(path)] = digest
        if note:
            self.notes.append(f"{path}: {note}")
        return text

    def _document(self, path: Path) -> _Document:
        file, text = str(path), self.text(path, only_unicode=True)
        if text is None:
            return _Document(file, {}, {})
        text = text.removeprefix("\ufeff")
        try:
            content = tomllib.loads(text, parse_float=Decimal)
        except tomllib.TOMLDecodeError as error:
            self.problems.add(file, "file", f"is not valid TOML: {error}", "Fix it there")
            return _Document(file, {}, {})
        except (ValueError, ArithmeticError, RecursionError):
            what = "has a number that is too long, or too many brackets within each other"
            self.problems.add(file, "file", what, "Find that number or those brackets, and correct them")
            return _Document(file, {}, {})
        for found in _GROUPED_NUMBER.finditer(text):
            line = text.count("\n", 0, found.start(1)) + 1
            digits = found[0].rpartition("=")[2].strip()
            self.problems.add(
                file, f"line {line}", f"{found[1]}: {digits} is {int(digits)} in TOML", "Write 1.99 or 199"
            )
        absent = [name for name in _SECTIONS if name not in content]
        for name in content:
            if name not in _SECTIONS and (near := meant(name, absent)):
                self.problems.add(file, f"[{name}]", f"is not known; did you mean {near}?", "Correct or remove it")
        return _Document(file, content, _lines_of_sections(text))


def _lines_of_sections(text: str) -> dict[str, list[int]]:
    lines: dict[str, list[int]] = {}
    for number, line in enumerate(text.split("\n"), 1):
        if found := re.match(r"\s*\[\[\s*\"?(\w+)\"?\s*\]\]", line):
            lines.setdefault(found[1], []).append(number)
    return lines


def load_retailer(files: Sequence[Path], price_lists: Sequence[Path]) -> Retailer:
    """Read all files. Raises BadRetailerData if one is wrong; it lists all errors with file, row and remedy."""
    read = _Files(files)
    policy = read.table("retailer", PolicyRow)
    stores = _stores(read)
    accounts = read.unique("shopper", ShopperRow, lambda row: row.id)
    store_ids = None if stores is None else frozenset(row.id for _, row in stores)
    tax = _tax(read, stores or ())
    tax_codes = {code for rates in tax.values() for code in rates.codes}
    shelves = _Shelves(read, policy.weight_unit, tax_codes)
    skus_are_known = _fill(shelves, read, price_lists, store_ids)
    assortment = shelves.assortment
    retailer = Retailer(
        Policy(policy.currency, policy.max_open_balance, policy.max_fraud_score, policy.loyalty_provider),
        store_ids or frozenset(),
        {row.id: _account(row) for _, row in accounts},
        _fixture_keys(read, store_ids),
        assortment,
        _promotions(read, assortment if skus_are_known else None),
        tax,
        {row.id: row.card_shopper() for _, row in read.unique("card_shopper", CardShopperRow, lambda row: row.id)},
        {
            row.code: row.member(policy.loyalty_provider)
            for _, row in read.unique("member", MemberRow, lambda row: row.code)
        },
        read.digests,
        (*read.notes, *_doubts(assortment, policy.currency)),
    )
    if read.problems:
        raise BadRetailerData(read.problems.as_text(), hint=read.problems.first_fix)
    return retailer


def _doubts(assortment: Assortment, currency: str) -> Iterator[str]:
    for store, products in assortment.by_store().items():
        prices = () if currency in _WITHOUT_CENTS else (str(each.unit_price) for each in products.values())
        yield from doubts("every store" if store == EVERY_STORE else f"store {store}", products, prices)


def _stores(read: _Files) -> list[tuple[_Placed, StoreRow]] | None:
    """Return the stores, or None if they are not known because of a problem."""
    before = len(read.problems)
    stores = read.unique("store", StoreRow, lambda row: row.id)
    if not stores and not before and len(read.problems) == before:
        read.problems.add(
            " and ".join(read.digests) or "retailer files", "", "there is no [[store]]", "Add your stores"
        )
    return stores if len(read.problems) == before and stores else None


def _account(row: ShopperRow) -> Account:
    visitor = Visitor(row.id, row.type)
    return Account(visitor, row.flagged, row.card_month, row.fraud_score, row.open_balance, row.payment_method, row.pin)


def _fixture_keys(read: _Files, stores: frozenset[str] | None) -> dict[tuple[str, str], Visitor]:
    """Return the fixture keys; without known stores, do not check those that the keys name."""
    keys: dict[tuple[str, str], Visitor] = {}
    seen: dict[tuple[str, str], _Placed] = {}
    for placed, row in read.rows("fixture_key", FixtureKeyRow):
        for store_id in row.stores:
            key = (store_id, from_identity_key(row.identity_key))
            if stores is not None and store_id not in stores:
                read.add(placed, f"no store {store_id}", "Add a [[store]] with that id")
            elif key in keys:
                read.add(
                    placed,
                    f"is there twice for {store_id}, first in {seen[key].seen_from(placed)}",
                    "Remove one of them",
                )
            else:
                keys[key], seen[key] = Visitor(row.visitor_id, row.type), placed
    return keys


class _Shelves:
    """Fills an assortment, and finds SKUs and barcodes that a store has twice."""

    def __init__(self, read: _Files, weight_unit: str, tax_codes: Iterable[str]) -> None:
        self.assortment = Assortment()
        self._tax_codes = frozenset(tax_codes)
        self._alike_codes = {_spelling(code): code for code in self._tax_codes}
        self._weight_unit = weight_unit
        self._read = read
        self._skus: dict[tuple[str, str], _Placed] = {}
        self._barcodes: dict[tuple[str, str], tuple[str, str, _Placed]] = {}

    def add(self, placed: _Placed, store_id: str, row: ProductRow | PriceListRow, barcode: str) -> None:
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


def _fill(shelves: _Shelves, read: _Files, price_lists: Sequence[Path], stores: frozenset[str] | None) -> bool:
    """Fill the shelves; return whether they have all SKUs, as no file or row has a problem."""
    before = len(read.problems)
    for placed, row in read.rows("product", ProductRow):
        shelves.add(placed, EVERY_STORE, row, row.barcode)
    for path in price_lists:
        rows_by_store: Counter[str] = Counter()
        for placed, line in _price_list(read, path):
            rows_by_store[line.store_id] += 1
            shelves.add(placed, line.store_id, line, line.external_product_id)
        if stores is not None:
            _check_stores(read, str(path), rows_by_store, stores)
    return len(read.problems) == before


def _price_list(read: _Files, path: Path) -> Iterator[tuple[_Placed, PriceListRow]]:
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
        placed = _Placed(file, f"line {line.number}", line.values)
        row = read.checked(placed, PriceListRow)
        if row is not None:
            yield placed, row


def _check_stores(read: _Files, file: str, rows_by_store: Counter[str], stores: frozenset[str]) -> None:
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


def _promotions(read: _Files, assortment: Assortment | None) -> dict[str, list[Promotion]]:
    """Return the promotions; without a complete assortment, do not check the SKUs that they name."""
    promotions: dict[str, list[Promotion]] = {}
    seen: dict[PromotionRow, _Placed] = {}
    stores = () if assortment is None else tuple(assortment.by_store().values())
    for placed, row in read.rows("promotion", PromotionRow):
        first = seen.setdefault(row, placed)
        products = [sold[row.sku] for sold in stores if row.sku in sold]
        if first is not placed:
            read.add(placed, f"repeats {first.seen_from(placed)}, so it would apply twice", "Remove one of them")
        elif stores and not products:
            read.add(placed, f"no product {row.sku}", "Add it, or remove the promotion")
        elif products and row.kind == "bogo" and all(product.unit.is_weight for product in products):
            what = f"bogo gives nothing for {row.sku}, which is sold by weight"
            read.add(placed, what, "Write it as percentage or fixed, or remove it")
        promotions.setdefault(row.sku, []).append(row.promotion())
    return promotions


def _tax(read: _Files, stores: Iterable[tuple[_Placed, StoreRow]]) -> dict[str, TaxRates]:
    section = read.table("tax", TaxSection)
    regions: dict[str, TaxRow] = {"default": section, **section.regions}
    rates = {name: TaxRates(row.default, row.codes) for name, row in regions.items()}
    found = {}
    for placed, row in stores:
        if row.tax_region in rates:
            found[row.id] = rates[row.tax_region]
        else:
            read.add(placed, f"no tax region {row.tax_region}", f"Add [tax.regions.{row.tax_region}]")
    return found
