"""Reads retailer files (TOML) and price lists (CSV) into a Retailer, and reports every error of all files at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from jwo_contract.house import DEFAULT, ScanKeyRules
from jwo_contract.scan_key import from_identity_key
from reference_connector.errors import BadRetailerData
from reference_connector.files.badge_rows import read_badges
from reference_connector.files.doubts import doubts
from reference_connector.files.sections import Placed, Sections
from reference_connector.files.shelves import Shelves
from reference_connector.pricing.promotions import Promotion
from reference_connector.pricing.tax import TaxRates
from reference_connector.retailer import EVERY_STORE, Account, Assortment, CardShopper, Retailer, Visitor
from reference_connector.retailer_rows import (
    CardShopperRow,
    FixtureKeyRow,
    MemberRow,
    PolicyRow,
    PromotionRow,
    ShopperRow,
    StoreRow,
    TaxRow,
    TaxSection,
)

_WITHOUT_CENTS = frozenset(["CLP", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "UGX", "VND"])
"""Currencies in which prices usually have no decimals."""


def load_retailer(
    files: Sequence[Path], price_lists: Sequence[Path], codes: ScanKeyRules = DEFAULT.scan_key
) -> Retailer:
    """Read all files; `codes` is the form of the app's codes.

    Raises BadRetailerData if a file is wrong; it lists all errors with file, row and remedy.
    """
    read = Sections(files)
    policy = read.table("retailer", PolicyRow)
    stores = _stores(read)
    before = len(read.problems)
    accounts = {row.id: _account(row) for _, row in read.unique("shopper", ShopperRow, lambda row: row.id)}
    known_accounts = accounts if len(read.problems) == before else None
    store_ids = None if stores is None else frozenset(row.id for _, row in stores)
    tax = _tax(read, stores or ())
    tax_codes = {code for rates in tax.values() for code in rates.codes}
    shelves = Shelves(read, policy.weight_unit, tax_codes)
    skus_are_known = shelves.fill(price_lists, store_ids)
    assortment = shelves.assortment
    fixture_keys = _fixture_keys(read, store_ids)
    badges, badge_doubts = read_badges(read, known_accounts, {text for _, text in fixture_keys}, codes)
    retailer = Retailer(
        policy.policy(),
        {row.id: row.payment for _, row in stores or ()},
        accounts,
        fixture_keys,
        assortment,
        _promotions(read, assortment if skus_are_known else None),
        tax,
        _card_shoppers(read, known_accounts),
        {
            row.code: row.member(policy.loyalty_provider)
            for _, row in read.unique("member", MemberRow, lambda row: row.code)
        },
        read.digests,
        (*read.notes, *_doubts(assortment, policy.currency), *badge_doubts),
        badges,
        {row.id: row.time_zone for _, row in stores or ()},
    )
    if read.problems:
        raise BadRetailerData(read.problems.as_text(), hint=read.problems.first_fix)
    return retailer


def _doubts(assortment: Assortment, currency: str) -> Iterator[str]:
    for store, products in assortment.by_store().items():
        prices = () if currency in _WITHOUT_CENTS else (str(each.unit_price) for each in products.values())
        yield from doubts("every store" if store == EVERY_STORE else f"store {store}", products, prices)


def _stores(read: Sections) -> list[tuple[Placed, StoreRow]] | None:
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
    risk = (row.flagged, row.card_month, row.fraud_score, row.open_balance)
    first, *others = [each for each in (row.payment_method, *row.other_payment_methods) if each] or [""]
    return Account(visitor, *risk, first, row.pin, tuple(others))


def _card_shoppers(read: Sections, accounts: Mapping[str, Account] | None) -> dict[str, CardShopper]:
    """Return the shoppers with cards; without known accounts, do not check those that the cards name."""
    rows = read.unique("card_shopper", CardShopperRow, lambda row: row.id)
    for placed, row in rows:
        if accounts is not None and row.account and row.account not in accounts:
            read.add(placed, f"account: no shopper {row.account}", "Add a [[shopper]] with that id, or remove account")
    return {row.id: row.card_shopper() for _, row in rows}


def _fixture_keys(read: Sections, stores: frozenset[str] | None) -> dict[tuple[str, str], Visitor]:
    """Return the fixture keys; without known stores, do not check those that the keys name."""
    keys: dict[tuple[str, str], Visitor] = {}
    seen: dict[tuple[str, str], Placed] = {}
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


def _promotions(read: Sections, assortment: Assortment | None) -> dict[str, list[Promotion]]:
    """Return the promotions; without a complete assortment, do not check the SKUs that they name."""
    promotions: dict[str, list[Promotion]] = {}
    seen: dict[PromotionRow, Placed] = {}
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


def _tax(read: Sections, stores: Iterable[tuple[Placed, StoreRow]]) -> dict[str, TaxRates]:
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
