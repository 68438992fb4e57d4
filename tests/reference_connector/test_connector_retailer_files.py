"""Retailer files and price lists: the data, and the errors for bad data."""

from __future__ import annotations

from pathlib import Path

import pytest

from reference_connector.errors import BadRetailerData
from reference_connector.retailer import Retailer
from reference_connector.retailer_files import load_retailer
from reference_connector.settings import SAMPLE_RETAILER

HEADER = (
    "item_sku,external_product_id,external_product_id_type,item_name,store_id,standard_price,brand_name,"
    "product_tax_code,product_category,product_subcategory,sold_by\n"
)


def load(tmp_path: Path, toml: str, prices: str | None = None) -> Retailer:
    file, lists = tmp_path / "retailer.toml", ()
    file.write_text('[[store]]\nid = "S"\n' + toml)
    if prices is not None:
        (tmp_path / "prices.csv").write_text(prices)
        lists = (tmp_path / "prices.csv",)  # type: ignore[assignment] # one path or none
    return load_retailer([file], lists)


def test_shipped_sample_is_valid() -> None:
    retailer = load_retailer([SAMPLE_RETAILER], ())
    assert retailer.stores == {"STORE-001", "TEST_STORE_001", "sample-store-id"}
    assert {retailer.assortment.by_sku("STORE-001", f"SKU-00{n}") is None for n in (1, 2, 3)} == {False}


def test_unknown_sections_and_members_are_ignored(tmp_path: Path) -> None:
    retailer = load(tmp_path, 'gates = ["G1"]\nqr_pattern = ".*"\n[weather]\nsun = true\n[[gate]]\nid = "G1"\n')
    assert retailer.stores == {"S"}


def test_a_price_list_row_sells_in_its_store_only(tmp_path: Path) -> None:
    rows = 'B,4011,PLU,"Tea, green",S,2.50,,FOOD,,,\nA,012345678905,UPC,Tea,S,2.75,,FOOD,,,weight\n'
    assortment = load(tmp_path, "", HEADER + rows).assortment
    product = assortment.by_sku("S", "A")
    assert product is not None
    assert (str(product.unit_price), product.sold_by, product.tax_code) == ("2.75", "weight", "FOOD")
    assert assortment.by_barcode("S", "12345678905") == product
    assert assortment.by_sku("T", "A") is None


def test_stores_of_another_tax_region_have_its_rates(tmp_path: Path) -> None:
    retailer = load(tmp_path, 'tax_region = "north"\n[tax]\ndefault = "0.1"\n[tax.regions.north]\ndefault = "0.2"\n')
    assert str(retailer.tax["S"].default) == "0.2"


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ('[[store]]\nid = "S"\n', r"\[\[store\]\] number 2: S is there twice"),
        ('tax_region = "moon"\n', r"\[\[store\]\] number 1: no tax region moon"),
        ('[[shopper]]\nid = "a"\ncard_expires = "2031-13"\n', r"\[\[shopper\]\] number 1: card_expires"),
        ('[[shopper]]\nid = "a"\ntype = "GHOST"\n', "type"),
        ('[[fixture_key]]\nidentity_key = "?"\nvisitor_id = "v"\nstores = ["S"]\n', "identity_key"),
        ('[[fixture_key]]\nidentity_key = "YQ=="\nvisitor_id = "v"\nstores = ["T"]\n', "no store T"),
        ('[[product]]\nsku = "A"\nname = "A"\nprice = "-1"\n', r"\[\[product\]\] number 1: price"),
        ('[[product]]\nsku = "A"\nname = "A"\nprice = "1.005"\n', "price"),
        ('[[promotion]]\nsku = "A"\nkind = "fixed"\nvalue = "1"\n', "no product A"),
        ('[tax]\ndefault = "7"\n', r"\[tax\]: default"),
        ('[product]\nsku = "A"\n', r"\[product\]: is one table"),
        ("[[", "is not valid TOML"),
    ],
)
def test_error_names_file_and_row(tmp_path: Path, toml: str, named: str) -> None:
    with pytest.raises(BadRetailerData, match=rf"retailer\.toml: .*{named}") as error:
        load(tmp_path, toml)
    assert error.value.hint


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("A,1,UPC,Tea,S,,,,,,\n", "line 2: standard_price"),
        ("A,1,UPC,Tea,S,cheap,,,,,\n", "line 2: standard_price"),
        ("A,1,UPC,Tea,S,1.00,,,,,litre\n", "line 2: sold_by"),
        ("A,1,UPC,Tea, green,S,1.00,,,,,unit\n", "line 2: more values"),
        (",1,UPC,Tea,S,1.00,,,,,\n", "line 2: item_sku"),
    ],
)
def test_error_names_file_and_line_of_a_price_list(tmp_path: Path, row: str, named: str) -> None:
    with pytest.raises(BadRetailerData, match=rf"prices\.csv: {named}"):
        load(tmp_path, "", HEADER + row)


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadRetailerData, match="cannot be read"):
        load_retailer([tmp_path / "none.toml"], ())
    with pytest.raises(BadRetailerData, match="cannot be read"):
        load_retailer([SAMPLE_RETAILER], [tmp_path / "none.csv"])
