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


PRODUCT = '[[product]]\nsku = "A"\nname = "A"\nprice = "1.00"\n'
RATES = '[tax]\ndefault = "0.07"\n[tax.codes]\nFOOD = "0"\n'
PROMOTION = '[[promotion]]\nsku = "A"\nvalue = "10"\nkind = "percentage"\n'
KEY = '[[fixture_key]]\nidentity_key = "YQ=="\nvisitor_id = "v"\nstores = ["S"]\n'


def load(tmp_path: Path, toml: str, prices: str | None = None) -> Retailer:
    file, lists = tmp_path / "retailer.toml", ()
    file.write_text('[[store]]\nid = "S"\n' + toml)
    if prices is not None:
        (tmp_path / "prices.csv").write_text(prices)
        lists = (tmp_path / "prices.csv",)  # type: ignore[assignment] # one path or none
    return load_retailer([file], lists)


def test_shipped_sample_is_valid() -> None:
    retailer = load_retailer([SAMPLE_RETAILER], ())
    assert set(retailer.stores) == {"STORE-001", "TEST_STORE_001", "sample-store-id"}
    assert {retailer.assortment.by_sku("STORE-001", f"SKU-00{n}") is None for n in (1, 2, 3)} == {False}


def test_unknown_sections_and_members_are_ignored(tmp_path: Path) -> None:
    retailer = load(tmp_path, 'gates = ["G1"]\nqr_pattern = ".*"\n[weather]\nsun = true\n[[gate]]\nid = "G1"\n')
    assert set(retailer.stores) == {"S"}


def test_spelling_of_units_codes_and_zeros_does_not_matter(tmp_path: Path) -> None:
    toml = PRODUCT.replace('"1.00"', "-0.00") + f"sold_by = ' WEIGHT '\ntax_code = 'FOOD '\n{RATES}"
    product = load(tmp_path, toml).assortment.by_sku("S", "A")
    assert product is not None
    assert (str(product.unit_price), product.unit.name, product.tax_code) == ("0.00", "lb", "FOOD")


def test_promotion_may_have_a_name(tmp_path: Path) -> None:
    assert load(tmp_path, f"{PRODUCT}{PROMOTION}id = '1'\nname = 'Sale'\n").promotions["A"]


def test_a_price_list_row_sells_in_its_store_only(tmp_path: Path) -> None:
    rows = 'B,4011,PLU,"Tea, green",S,2.50,,FOOD,,,\nA,012345678905,UPC,Tea,S,2.75,,FOOD,,,weight\n'
    assortment = load(tmp_path, "", HEADER + rows).assortment
    product = assortment.by_sku("S", "A")
    assert product is not None
    assert (str(product.unit_price), product.sold_by, product.tax_code) == ("2.75", "weight", "FOOD")
    assert assortment.by_barcode("S", "12345678905") == product
    assert assortment.by_sku("T", "A") is None


@pytest.mark.parametrize(
    ("retailer", "sold_by", "unit"),
    [
        ("", "", "unit"),
        ("", "unit", "unit"),
        ("", "weight", "lb"),
        ('[retailer]\nweight_unit = "kg"\n', "weight", "kg"),
        ('[retailer]\nweight_unit = "kg"\n', "oz", "oz"),
        ("", "KG", "kg"),
        ("", "each", "unit"),
    ],
)
def test_price_is_for_one_unit(tmp_path: Path, retailer: str, sold_by: str, unit: str) -> None:
    product = '[[product]]\nsku = "B"\nname = "B"\nprice = "1"\n' + (f'sold_by = "{sold_by}"\n' if sold_by else "")
    assortment = load(tmp_path, retailer + product, HEADER + f"A,1,UPC,Tea,S,1.00,,,,,{sold_by}\n").assortment
    found = [assortment.by_sku("S", sku) for sku in ("A", "B")]
    assert [each and each.unit.name for each in found] == [unit, unit]


def test_stores_of_another_tax_region_have_its_rates(tmp_path: Path) -> None:
    retailer = load(tmp_path, 'tax_region = "north"\n[tax]\ndefault = "0.1"\n[tax.regions.north]\ndefault = "0.2"\n')
    assert str(retailer.tax["S"].default) == "0.2"


@pytest.mark.parametrize(
    ("toml", "named"),
    [
        ('[[store]]\nid = "S"\n', r"\[\[store\]\] number 2: S is there twice"),
        ('time_zone = "Moon/Sea"\n', r"\[\[store\]\] number 1: time_zone: no time zone of this name"),
        ('tax_region = "moon"\n', r"\[\[store\]\] number 1: no tax region moon"),
        ('[[shopper]]\nid = "a"\ncard_expires = "2031-13"\n', r"\[\[shopper\]\] number 1: card_expires"),
        ('[[shopper]]\nid = "a"\ntype = "GHOST"\n', "type"),
        ('[[fixture_key]]\nidentity_key = "?"\nvisitor_id = "v"\nstores = ["S"]\n', "identity_key"),
        ('[[fixture_key]]\nidentity_key = "YQ=="\nvisitor_id = "v"\nstores = ["T"]\n', "no store T"),
        ('[[product]]\nsku = "A"\nname = "A"\nprice = "-1"\n', r"\[\[product\]\] number 1: price"),
        ('[[product]]\nsku = "A"\nname = "A"\nprice = "1.005"\n', "price"),
        ('[[promotion]]\nsku = "A"\nkind = "fixed"\nvalue = "1"\n', "no product A"),
        (
            '[[product]]\nsku = "A"\nname = "A"\nprice = "1"\nsold_by = "pint"\n',
            "sold_by.* 'pint' is not a unit; write unit",
        ),
        ('[retailer]\nweight_unit = "stone"\n', r"\[retailer\]: weight_unit"),
        ('[tax]\ndefault = "7"\n', r"\[tax\]: default"),
        ('[product]\nsku = "A"\n', r"\[product\]: is one table"),
        ("[[", "is not valid TOML"),
        ('[[shopper]]\nid = "a"\n\n[[shopper]]\nid = "a"\n', "line 6, .*number 2: a is there twice, first in line 3, "),
        (
            '[[member]]\nid = "a"\ncode = "c"\n[[member]]\nid = "b"\ncode = "c"\n',
            "line 6, .*c is there twice, first in",
        ),
        (f"{KEY}{KEY}", "line 7, .*is there twice for S, first in line 3, "),
        (f"{PRODUCT}{PRODUCT}", "line 7, .*A is there twice, first in line 3, "),
        (f"{PRODUCT}barcode = '011'\n{PRODUCT.replace('A', 'B')}barcode = '11'", "barcode 11 is also on A, in line 3"),
        (f"{PRODUCT}{PROMOTION}{PROMOTION}", "line 11, .*repeats line 7, "),
        (PRODUCT.replace('"1.00"', '"1_99"'), r"price: '1_99' has an underscore"),
        (PRODUCT.replace('"1.00"', "1_99"), r"line 6: price: 1_99 is 199 in TOML"),
        (PRODUCT.replace('"1.00"', "true"), "price: must be a number"),
        (PRODUCT.replace('"1.00"', "nan"), "price: must be a finite number"),
        (PRODUCT.replace('"1.00"', '"4,99"'), "price: '4,99' has a decimal comma"),
        (PRODUCT.replace("price", "pirce"), "price is missing"),
        (f"{PRODUCT}tax_coed = 'FOOD'", r"tax_coed is not known; did you mean tax_code\?"),
        (f"{PRODUCT}barcode = '3.60003E+11'", "barcode: .*spreadsheet"),
        (f"{PRODUCT}[[promotions]]\nsku = 'A'", r"\[promotions\]: is not known; did you mean promotion\?"),
        ("[[shopper]]\nid = 'a'\nopen_balance = '1 000'\n", "open_balance: .*thousands"),
        ("[[shopper]]\nid = 'a'\nfraud_score = '1_0'\n", "fraud_score: must be a valid integer"),
        ("[[shopper]]\nid = 'a\u200b'\n", r"id: .*U\+200B"),
        ("[[card_shopper]]\nid = 'a'\nadjust_to = '25,00'\n", "adjust_to: .*decimal comma"),
        ("[[card_shopper]]\nid = 'a'\naccount = 'hall'\n", "line 3, .*account: no shopper hall"),
        (f"{PRODUCT}{PROMOTION}".replace('"10"', '"1_0"'), "value: .*underscore"),
        ("[tax]\ndefault = '0,07'\n", "default: .*decimal comma"),
        ("[tax]\ndefalt = '0.07'\n", r"\[tax\]: defalt is not known; did you mean default\?"),
        ("[tax.codes]\nFOOD = '7%'\n", "codes.FOOD: '7%' is not a number"),
        ("[tax]\ndefault = 1\n", r"default: .*less than 1\. Write 0\.07 for 7 %"),
        ("[tax]\nFOOD = '0'\n", r"\[tax\]: FOOD is not known"),
        ("[tax.rates]\nFOOD = '0'\n", r"\[tax\]: rates is not known"),
        ("[tax.regions.CA]\ndefualt = '0.09'\n", r"regions\.CA\.defualt is not known; did you mean default\?"),
        (f"{PRODUCT}tax_code = 'food'\n{RATES}", r"tax code food has no rate; did you mean FOOD\?"),
        (f"{PRODUCT}product_tax_code = 'FOOD'", r"product_tax_code is not known; did you mean tax_code\?"),
        (f"{PRODUCT}upc = '036000291452'", r"upc is not known; did you mean barcode\?"),
        (PRODUCT.replace('"1.00"', "1e99999999999999999999"), "a number that is too long"),
        (PRODUCT.replace('"1.00"', "9" * 5000), "a number that is too long"),
        (f"x = {'[' * 3000}", "brackets within each other"),
        (
            'product = [{sku = "A", name = "A", price = "1.00"}]\n',
            r"line 1, .*product is in this table.*\[\[product\]\]",
        ),
        (f"{PRODUCT}{PROMOTION}".replace('"10"', '"150"'), r"150 % is more than the price"),
        (f"{PRODUCT}{PROMOTION}".replace('"10"', '"0.5"').replace("percentage", "bogo"), "not a whole number"),
        (f"{PRODUCT}{PROMOTION}".replace('value = "10"\n', ""), "value is missing for the kind percentage"),
        (
            f"{PRODUCT}sold_by = 'kg'\n[[promotion]]\nsku = 'A'\nkind = 'bogo'\n",
            "bogo gives nothing for A, which is sold by weight",
        ),
        (f"{PRODUCT}{PROMOTION}max_off = '5.00'\n", "max_off is not known"),
        (f"{PRODUCT}{PROMOTION}stores = ['T']\n", "stores is not known"),
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


def test_all_errors_of_all_files_are_reported_at_once(tmp_path: Path) -> None:
    toml = '[[shopper]]\nid = "a"\ntype = "GHOST"\nfraud_score = -1\n[[store]]\nid = "S"\n'
    with pytest.raises(BadRetailerData) as error:
        load(tmp_path, toml, HEADER + "A,1,UPC,Tea,S,x,,,,,\n")
    found = str(error.value)
    assert found.startswith("4 errors\n")
    assert all(word in found for word in ("type: ", "fraud_score: ", "S is there twice", "prices.csv: line 2"))


def test_two_files_may_not_set_a_table_differently(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('[[store]]\nid = "S"\n[tax]\ndefault = "0.07"\n', "utf-8")
    (tmp_path / "b.toml").write_text('[tax]\ndefault = "0"\n', "utf-8")
    with pytest.raises(BadRetailerData, match=r"b\.toml: \[tax\]: is also in .*a\.toml, with other values"):
        load_retailer([tmp_path / "a.toml", tmp_path / "b.toml"], ())


def test_retailer_without_a_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"")
    with pytest.raises(BadRetailerData, match=r"a\.toml: there is no \[\[store\]\]"):
        load_retailer([tmp_path / "a.toml"], ())


def test_toml_of_other_editors_is_read(tmp_path: Path) -> None:
    text = '[[store]]\r\nid = "Caf\u00e9"\r\n'
    for encoding in ("utf-8-sig", "utf-16"):
        (tmp_path / "a.toml").write_bytes(text.encode(encoding))
        assert set(load_retailer([tmp_path / "a.toml"], ()).stores) == {"Caf\u00e9"}
    (tmp_path / "a.toml").write_bytes(text.encode("cp1252"))
    with pytest.raises(BadRetailerData, match="line 2 has the byte 0xE9, which is not valid UTF-8"):
        load_retailer([tmp_path / "a.toml"], ())


def test_barcode_of_every_store_may_not_be_on_another_sku_of_one_store(tmp_path: Path) -> None:
    with pytest.raises(
        BadRetailerData, match=r"prices\.csv: line 2: barcode 11 is also on A in store S, in .*toml, line 3"
    ):
        load(tmp_path, f"{PRODUCT}barcode = '011'\n", HEADER + "B,11,UPC,Tea,S,1.00,,,,,\n")


def test_price_list_may_replace_a_product_of_every_store(tmp_path: Path) -> None:
    assortment = load(tmp_path, f"{PRODUCT}barcode = '011'\n", HEADER + "A,11,UPC,Tea,S,2.00,,,,,\n").assortment
    product = assortment.by_barcode("S", "11")
    assert product is not None
    assert str(product.unit_price) == "2.00"


def test_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadRetailerData, match="cannot be read"):
        load_retailer([tmp_path / "none.toml"], ())
    with pytest.raises(BadRetailerData, match="cannot be read"):
        load_retailer([SAMPLE_RETAILER], [tmp_path / "none.csv"])
