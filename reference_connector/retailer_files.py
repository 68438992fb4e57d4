"""Reads retailer files (TOML) and price lists (CSV) into a Retailer; the first wrong row raises BadRetailerData."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from contract.scan_key import from_identity_key
from reference_connector.errors import BadRetailerData
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.tax import TaxRates
from reference_connector.retailer import (
    EVERY_STORE,
    Account,
    Assortment,
    CardShopper,
    Member,
    Policy,
    Retailer,
    Visitor,
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


class _Placed(NamedTuple):
    """A row of a section, and its place in the file."""

    file: str
    place: str
    row: Any


class _Files:
    """All retailer files, read section by section as if they were one file."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._documents = [(str(path), _read_toml(path)) for path in paths]

    def rows(self, section: str, kind: type[R]) -> Iterator[tuple[_Placed, R]]:
        """Yield the rows of `[[section]]`, of all files."""
        for file, document in self._documents:
            rows = document.get(section, [])
            if not isinstance(rows, list):
                raise BadRetailerData(file, f"[{section}]", "is one table", f"Write it as [[{section}]]")
            for number, row in enumerate(rows, 1):
                placed = _Placed(file, f"[[{section}]] number {number}", row)
                yield placed, _checked(placed, kind)

    def table(self, section: str, kind: type[R]) -> R:
        """Return `[section]` of the last file that has it, or the defaults."""
        found = [_Placed(file, f"[{section}]", text[section]) for file, text in self._documents if section in text]
        return _checked(found[-1], kind) if found else kind()


def load_retailer(files: Sequence[Path], price_lists: Sequence[Path]) -> Retailer:
    """Read all files. Raises BadRetailerData, with file, row and remedy, if one is wrong."""
    read = _Files(files)
    policy = read.table("retailer", PolicyRow)
    stores = _unique(read.rows("store", StoreRow), lambda row: (row.id,))
    accounts = _unique(read.rows("shopper", ShopperRow), lambda row: (row.id,))
    assortment = _assortment(read, price_lists, policy.weight_unit)
    return Retailer(
        Policy(policy.currency, policy.max_open_balance, policy.max_fraud_score, policy.loyalty_provider),
        frozenset(row.id for _, row in stores),
        {row.id: _account(row) for _, row in accounts},
        _fixture_keys(read, {row.id for _, row in stores}),
        assortment,
        _promotions(read, assortment),
        _tax(read, stores),
        _card_shoppers(read),
        _members(read, policy.loyalty_provider),
    )


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadRetailerData(str(path), "file", f"cannot be read ({_reason(error)})", "Check the path") from error
    except tomllib.TOMLDecodeError as error:
        raise BadRetailerData(str(path), "file", f"is not valid TOML: {error}", "Fix it there") from error


def _checked(placed: _Placed, kind: type[R]) -> R:
    try:
        return kind.model_validate(placed.row)
    except ValidationError as error:
        first = error.errors()[0]
        member = ".".join(map(str, first["loc"])) or "row"
        raise BadRetailerData(
            placed.file, placed.place, f"{member}: {first['msg']}", f"Set {member} to a valid value"
        ) from error


def _unique(rows: Iterator[tuple[_Placed, R]], key: Any) -> list[tuple[_Placed, R]]:  # noqa: ANN401 - key of any row kind
    seen: set[object] = set()
    kept = []
    for placed, row in rows:
        name = key(row)
        if name in seen:
            raise BadRetailerData(placed.file, placed.place, f"{name[0]} is there twice", "Remove one of them")
        seen.add(name)
        kept.append((placed, row))
    return kept


def _account(row: ShopperRow) -> Account:
    visitor = Visitor(row.id, row.type)
    return Account(visitor, row.flagged, row.card_month, row.fraud_score, row.open_balance, row.payment_method, row.pin)


def _card_shoppers(read: _Files) -> dict[str, CardShopper]:
    rows = _unique(read.rows("card_shopper", CardShopperRow), lambda row: (row.id,))
    return {row.id: row.card_shopper() for _, row in rows}


def _members(read: _Files, provider: str) -> dict[str, Member]:
    rows = _unique(read.rows("member", MemberRow), lambda row: (row.code,))
    return {row.code: row.member(provider) for _, row in rows}


def _fixture_keys(read: _Files, stores: set[str]) -> dict[tuple[str, str], Visitor]:
    keys: dict[tuple[str, str], Visitor] = {}
    for placed, row in read.rows("fixture_key", FixtureKeyRow):
        for store_id in row.stores:
            key = (store_id, from_identity_key(row.identity_key))
            if store_id not in stores:
                raise BadRetailerData(placed.file, placed.place, f"no store {store_id}", "Add a [[store]] with that id")
            if key in keys:
                raise BadRetailerData(placed.file, placed.place, f"is there twice for {store_id}", "Remove one of them")
            keys[key] = Visitor(row.visitor_id, row.type)
    return keys


def _assortment(read: _Files, price_lists: Sequence[Path], weight_unit: str) -> Assortment:
    assortment = Assortment()
    for _, row in _unique(read.rows("product", ProductRow), lambda row: (row.sku,)):
        assortment.add(EVERY_STORE, row.product(weight_unit), row.barcode)
    for path in price_lists:
        for line in _price_list(path):
            assortment.add(line.store_id, line.product(weight_unit), line.external_product_id)
    return assortment


def _price_list(path: Path) -> Iterator[PriceListRow]:
    """Read a CSV; an empty value counts as absent."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            for fields in reader:
                yield _checked(_placed_line(path, reader.line_num, dict(fields)), PriceListRow)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadRetailerData(
            str(path), "file", f"cannot be read as CSV ({_reason(error)})", "Check path and format"
        ) from error


def _placed_line(path: Path, line: int, fields: dict[Any, Any]) -> _Placed:
    place = f"line {line}"
    if None in fields:
        raise BadRetailerData(str(path), place, "more values than the header has columns", "Quote values with commas")
    return _Placed(str(path), place, {name: value for name, value in fields.items() if value})


def _promotions(read: _Files, assortment: Assortment) -> dict[str, list[Promotion]]:
    known = assortment.skus()
    promotions: dict[str, list[Promotion]] = {}
    for placed, row in read.rows("promotion", PromotionRow):
        if row.sku not in known:
            raise BadRetailerData(placed.file, placed.place, f"no product {row.sku}", "Add it, or remove the promotion")
        promotions.setdefault(row.sku, []).append(row.promotion())
    return promotions


def _tax(read: _Files, stores: list[tuple[_Placed, StoreRow]]) -> dict[str, TaxRates]:
    section = read.table("tax", TaxSection)
    regions: dict[str, TaxRow] = {"default": section, **section.regions}
    for placed, row in stores:
        if row.tax_region not in regions:
            raise BadRetailerData(
                placed.file, placed.place, f"no tax region {row.tax_region}", f"Add [tax.regions.{row.tax_region}]"
            )
    rates = {name: TaxRates(row.default, row.codes) for name, row in regions.items()}
    return {row.id: rates[row.tax_region] for _, row in stores}
