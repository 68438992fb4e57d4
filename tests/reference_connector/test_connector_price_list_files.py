"""Price lists as programs and people save them: what is read, and what is refused with its line."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from reference_connector.errors import BadRetailerData
from reference_connector.retailer import Retailer
from reference_connector.retailer_files import load_retailer

HEADER = "item_sku,external_product_id,store_id,standard_price,item_name\n"
TEA = "P-0,4011,S1,2.71,Tea\n"
NO_TEXT = b"P-0,4011,S1,2.71,Caf"
Load = Callable[[str | bytes], Retailer]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load one price list of a retailer with the stores S1 and S2."""
    retailer, prices = tmp_path / "retailer.toml", tmp_path / "prices.csv"
    retailer.write_text('[[store]]\nid = "S1"\n[[store]]\nid = "S2"\n', "utf-8")

    def run(content: str | bytes) -> Retailer:
        prices.write_bytes(content if isinstance(content, bytes) else content.encode())
        return load_retailer([retailer], [prices])

    return run


def sold(retailer: Retailer, store: str = "S1") -> dict[str, tuple[str, str]]:
    return {sku: (str(each.unit_price), each.name) for sku, each in retailer.assortment.by_store()[store].items()}


PLAIN = HEADER + TEA


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        "sep=,\n" + PLAIN,
        '"sep=;"\r\n' + PLAIN.replace(",", ";").replace("\n", "\r\n"),
        "sep=,\n" + PLAIN.replace(",", ";"),
        PLAIN.replace("\n", "\r"),
        PLAIN + "\x1a",
        PLAIN.replace("item_sku", "Item_SKU").replace("store_id", " Store Id ").replace("item_name", "itemName"),
        ",,,,\n" + PLAIN + ",,,,\n,,,,,,,\n \n",
        PLAIN.replace("\n", ",,\n"),
        PLAIN.replace(",", ", ").replace("Tea", '"Tea"'),
        PLAIN.replace("\n", ',"Notes\n(optional)"\n', 1).replace("Tea", 'Tea,"two\nlines"'),
        PLAIN.rstrip("\n"),
        PLAIN.encode("utf-8-sig"),
        PLAIN.encode("utf-16"),
        b"\xfe\xff" + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
    ],
)
def test_delimiters_encodings_and_headers_of_spreadsheets_are_read(load: Load, content: str | bytes) -> None:
    assert sold(load(content)) == {"P-0": ("2.71", "Tea")}


@pytest.mark.parametrize(
    "name", ["Café crème", "“Best” Müsli \u2013 5°", "SMÖRGÅSBORD", "Jalapeño ½ lb", "Bob\u2019s œuf"]
)
def test_windows_1252_is_read_and_noted(load: Load, name: str) -> None:
    retailer = load((HEADER + TEA.replace("Tea", name)).encode("cp1252"))
    assert sold(retailer) == {"P-0": ("2.71", name)}
    assert "line 2 is not UTF-8" in retailer.notes[0]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ((HEADER + TEA.replace("Tea", "Чай")).encode("cp1251"), "line 2 has the byte 0xD7.*CSV UTF-8"),
        ((HEADER + TEA.replace("Tea", "żółta łąka")).encode("cp1250"), "line 2 .*CSV UTF-8"),
        ((HEADER + TEA.replace("Tea", "Crème")).encode("cp850"), "line 2 .*CSV UTF-8"),
        ((HEADER + TEA.replace("Tea", "Café")).encode("mac_roman"), "line 2 .*CSV UTF-8"),
        ((HEADER + TEA.replace("Tea", "緑茶")).encode("cp932"), "line 2 .*CSV UTF-8"),
        (HEADER.encode() + NO_TEXT + "é\n".encode() + NO_TEXT + b"\xe9\n", "line 3 .*other characters.*UTF-8"),
        (HEADER.encode() + NO_TEXT + b"\xc3", "line 2 .*ends within a character"),
        ((HEADER + TEA).encode("utf-16")[:-1], "UTF-16-LE: the file is damaged or cut"),
        (b"PK\x03\x04", "Excel workbook.*save it as CSV UTF-8"),
        (b"\xd0\xcf\x11\xe0", "old Excel workbook"),
        (b"\x1f\x8b\x08", "gzip"),
        (b"item_sku\x00,x\n", "line 1 has a zero byte"),
        (b'[{"item_sku": "A"}]', "this is JSON"),
        (b"<html>", "this is HTML"),
    ],
)
def test_other_encodings_and_formats_are_refused_with_what_to_save(load: Load, content: bytes, named: str) -> None:
    with pytest.raises(BadRetailerData, match=rf"prices\.csv: .*{named}") as error:
        load(content)
    assert "codec" not in str(error.value)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ('P-1,4012,S1,1.99,"Pipe 5\nP-2,4013,S1,2.99,Nut\n', "line 3: the quote at column 18 .* is never closed"),
        ('P-1,4012,S1,1.99,"6 in\nP-2,4013,S1,2.99,Nut\nP-3,4014,S1,1.00,9 in"\n', "line 3: item_name .*lines 3 to 5"),
        ('P-1,4012,S1,1.99,"Two\nlines"\n', "line 3: item_name has a line break"),
        ('"P\n1",4012,S1,1.99,Tea\n', "line 3: item_sku has a line break"),
        ('P-1,"40\r12",S1,1.99,Tea\n', "line 3: external_product_id has a line break"),
        ('P-1,4012,S1,1.99,Pipe 5"\n', "line 3: a stray quote near column 24"),
        ('P-1,4012,S1,1.99,"Pipe" 5\n', "line 3: a stray quote near column 24"),
        ('P-1,4012,S1,1.99,=CONCAT("a")\n', "line 3: a stray quote"),
        ("P-1,4012,S1,1.\n", "line 3: fewer values than the header has columns: 4 instead of 5"),
        ("P-1,4012,S1,4,99,Tea\n", "line 3: more values than the header has columns: 6 instead of 5"),
        ("P-1,4012,S1,1.99,Caf\ufffd\n", r"line 3: item_name: .*U\+FFFD"),
        ("P-1,4012,S1,1.99,Tea\u2028green\n", r"line 3: item_name: .*U\+2028"),
        ("P-0,4012,S1,1.99,Tea\n", "line 3: P-0 is there twice in store S1, first in line 2"),
        (TEA, "line 3: P-0 is there twice in store S1, first in line 2"),
        ("P-1,04011,S1,1.99,Tea\n", "line 3: barcode 04011 is also on P-0 in store S1, in line 2.*leading zeros"),
        ("P-1,4011,S1,1.99,Tea\n", "line 3: barcode 4011 is also on P-0 in store S1, in line 2"),
    ],
)
def test_row_that_would_hide_another_is_refused_with_its_line(load: Load, rows: str, line: str) -> None:
    with pytest.raises(BadRetailerData, match=rf"prices\.csv: {line}"):
        load(HEADER + TEA + rows)


def test_rows_of_two_stores_may_share_skus_and_barcodes(load: Load) -> None:
    retailer = load(HEADER + TEA + TEA.replace("S1", "S2").replace("2.71", "3.00"))
    assert (sold(retailer)["P-0"][0], sold(retailer, "S2")["P-0"][0]) == ("2.71", "3.00")


def test_barcode_with_hyphens_is_the_one_without_them(load: Load) -> None:
    assortment = load(HEADER + TEA.replace("4011", "978-3-16-148410-0")).assortment
    assert assortment.by_barcode("S1", "9783161484100") == assortment.by_sku("S1", "P-0")
    with pytest.raises(BadRetailerData, match="line 3: barcode 036000291452 is also on P-0 in store S1, in line 2"):
        load(HEADER + TEA.replace("4011", "0-36000-29145-2") + "P-1,036000291452,S1,1.99,Nut\n")


@pytest.mark.parametrize(
    ("rows", "note"),
    [
        (TEA + "p-0,4012,S1,9.99,Tea\n", "SKUs of store S1 differ in capitals only.*: P-0 and p-0"),
        ("P-0,1,S1,271,Tea\nP-1,2,S1,199,Nut\nP-2,3,S1,50,Pin\n", "no price of store S1 is written with decimals"),
    ],
)
def test_goods_that_look_wrong_are_noted(load: Load, rows: str, note: str) -> None:
    (found,) = load(HEADER + rows).notes
    assert re.search(note, found)


def test_doubled_quotes_and_quoted_delimiters_are_text(load: Load) -> None:
    assert sold(load(HEADER + 'P-1,4012,S1,1.99,"Pipe 5"", long"\n'))["P-1"] == ("1.99", 'Pipe 5", long')


def test_rows_that_a_note_in_quotes_would_swallow_are_found(load: Load) -> None:
    rows = 'P-1,4012,S1,1.99,Tea,"5\nP-2,4013,S1,2.99,Nut,x\nP-3,4014,S1,1.00,Nut,9"\n'
    with pytest.raises(BadRetailerData, match="line 2: lines 2 to 4 are one row"):
        load(HEADER.replace("\n", ",notes\n") + rows)


@pytest.mark.parametrize(
    ("header", "named"),
    [
        (HEADER.replace("\n", ",Standard Price\n"), "line 1: column standard_price appears twice, as columns 4 and 6"),
        (HEADER.replace("\n", ",item_name\n"), "line 1: column item_name appears twice"),
        (HEADER.replace("\n", ",note,note\n"), "line 1: column note appears twice"),
        (HEADER.replace("standard_price", "price"), "line 1: standard_price is missing among the columns item_sku"),
        (HEADER.replace("item_sku", "item_ski"), r"line 1: item_sku is missing .*is it the column item_ski\?"),
        (HEADER.replace("product_id", "product_ids"), "line 1: column external_product_ids .*external_product_id"),
        (HEADER.replace("external_product_id", "UPC"), r"line 1: column UPC is not known; did you mean external_prod"),
        (HEADER.replace("\n", ",tax_code\n"), r"line 1: column tax_code is not known; did you mean product_tax_code"),
        (f'"{HEADER.strip()}"\n"{TEA.strip()}"\n', "line 1: is not a header.*Remove the quotes around the whole line"),
        (HEADER + TEA + HEADER, "line 3: the header is there again"),
        (HEADER + TEA + "\ufeff" + HEADER, "line 3: the header is there again"),
        ("hello\n", "line 1: is not a header with the columns item_sku, .*it has hello"),
        (TEA, "line 1: is not a header"),
        (HEADER.replace("store_id", '"store_id'), "line 1: the quote at column 30 .* is never closed"),
        ("", "is empty"),
        ("\n\n", "is empty"),
        (HEADER, "has no rows"),
        (HEADER + ",,,,\n", "has no rows"),
    ],
)
def test_wrong_header_and_empty_list_are_refused(load: Load, header: str, named: str) -> None:
    with pytest.raises(BadRetailerData, match=rf"prices\.csv: {named}"):
        load(header)


PRICES = {
    "1_99": "underscore", "4,99": "decimal comma", ",99": "decimal comma", "1,999.00": "thousands",
    "1.999": "thousands", "2.500": "thousands", "1 999": "thousands", "1\u2019999.00": "thousands", "$4.99": "currency",
    "4.99 EUR": "currency", "4.99€": "currency", "3.6E+2": "spreadsheet", "1e2": "spreadsheet", "1-Feb": "a date",
    "2026-04-09": "a date", "4. Mai": "a date", "Apr 99": "a date", "1/2": "a date", "4:99": "a time", "#REF!": "error",
    "#N/A": "error", "####": "error", "#BEZUG!": "error", "=A1*2": "formula", "'4.99": "apostrophe",
    "NaN": "empty cell",
    "Infinity": "empty cell", "None": "empty cell", "-1.99": "negative", "\u22121.99": "negative", "(1.99)": "negative",
    "\uff11.99": "another alphabet", "٤.٩٩": "another alphabet", "4.": "not a number", "4..99": "not a number",
    "+4.99": "not a number", "free": "letters|not a number", "1.9900000001": "decimals", "99999999999": "digits",
}  # fmt: skip
BARCODES = {
    "3.60003E+11": "spreadsheet", "3,60003E+11": "spreadsheet", "36000291452.0": "decimals", "36 000 291 452": "number",
    "360,002,914,520": "number", "#REF!": "error", "1-Feb": "a date", "2026-04-09": "a date", "NaN": "empty cell",
    "\uff10\uff13\uff16": r"U\+FF10", "'036": "apostrophe", "036;037": "one barcode", "036|037": "one barcode",
    "036'": "one barcode", "-36": "one barcode",
    "03\u200b6": r"U\+200B",
}  # fmt: skip
CODES = {"1.23E+05": "spreadsheet", "1-Mar": "a date", "12345.0": "decimals", "A\u200bB": r"U\+200B", "#NAME?": "error",
         "nan": "empty cell", "\uff21\uff11": r"U\+FF11", "A\u00a0B": r"U\+00A0", "=A1": "formula"}  # fmt: skip
DAMAGED = [("standard_price", text, cause) for text, cause in PRICES.items()]
DAMAGED += [("external_product_id", text, cause) for text, cause in BARCODES.items()]
DAMAGED += [("item_sku", text, cause) for text, cause in CODES.items()]
DAMAGED += [("item_name", "#NAME?", "error"), ("item_name", "=A1&B1", "formula"), ("item_name", "nan", "empty cell")]


@pytest.mark.parametrize(("column", "text", "cause"), DAMAGED)
def test_value_that_a_spreadsheet_changed_is_refused_with_the_cause(
    load: Load, column: str, text: str, cause: str
) -> None:
    names = HEADER.strip().split(",")
    row = TEA.strip().split(",")
    row[names.index(column)] = text
    content = HEADER.replace(",", "\t") + "\t".join(row) + "\n"
    with pytest.raises(BadRetailerData, match=rf"prices\.csv: line 2: {column}: .*(?:{cause})"):
        load(content)


@pytest.mark.parametrize(
    ("price", "charged"), [("4", "4"), (".99", "0.99"), ("007.50", "7.50"), ("2.5000", "2.5000"), (" 2.50 ", "2.50")]
)
def test_plain_price_is_read(load: Load, price: str, charged: str) -> None:
    assert sold(load(HEADER + TEA.replace("2.71", price)))["P-0"][0] == charged


@pytest.mark.parametrize("code", ["036000291452", "36000291452", "978-3-16-148410-0", "030640615X", "GIFT-CARD-25"])
def test_plain_barcode_is_found_with_and_without_its_zeros(load: Load, code: str) -> None:
    assortment = load(HEADER + TEA.replace("4011", code)).assortment
    assert (
        assortment.by_barcode("S1", code) == assortment.by_barcode("S1", f"0{code}") == assortment.by_sku("S1", "P-0")
    )


@pytest.mark.parametrize("sku", ["MAR-01", "2E10", "#12", "12.0", "1/2", "A B", "Straße", "10-12-2026", "#AB12"])
def test_code_that_only_resembles_damage_is_read(load: Load, sku: str) -> None:
    assert sku in sold(load(HEADER + TEA.replace("P-0", sku)))


def test_all_errors_are_reported_at_once_with_their_lines(load: Load) -> None:
    rows = TEA + "\n" + 'P-1,3.6E+11,S1,1_99,"a\nb"\n' + "P-2,3.6E+11,S1,1_99,B\n" + ",,S1,$4,C\n" + "P-3,1,S1\n"
    with pytest.raises(BadRetailerData) as error:
        load(HEADER + rows)
    text = str(error.value)
    places = [line.partition("prices.csv: ")[2].split(": ")[:2] for line in text.splitlines()[1:]]
    assert [(place, what.split()[0]) for place, what in places] == [
        ("line 4", "item_name"),
        ("line 6", "external_product_id"),
        ("line 6", "standard_price"),
        ("line 7", "item_sku"),
        ("line 7", "standard_price"),
        ("line 8", "fewer"),
    ]
    assert text.startswith("6 errors")


def test_the_first_fifty_errors_are_listed_and_the_others_counted(load: Load) -> None:
    with pytest.raises(BadRetailerData) as error:
        load(HEADER + "".join(f"P-{number},{number},S1,x,Tea\n" for number in range(70)))
    lines = str(error.value).splitlines()
    assert (lines[0], len(lines), lines[-1][-18:]) == ("70 errors", 52, ": and 20 more errors"[-18:])


def test_price_that_ends_with_the_file_may_be_cut(load: Load) -> None:
    header = "item_sku,item_name,store_id,standard_price\n"
    with pytest.raises(BadRetailerData, match=r"line 3: the file ends within this line, and 2\.9 has fewer decimals"):
        load(header + "A,A,S1,1.99\nB,B,S1,2.9")
    assert sold(load(header + "A,A,S1,1.99\nB,B,S1,2.99"))["B"][0] == "2.99"
    assert sold(load(header + "A,A,S1,1.9\nB,B,S1,2.9"))["B"][0] == "2.9"


def test_store_that_is_wrong_in_all_rows_is_named_once(load: Load) -> None:
    rows = "".join(f"P-{number},{number + 1},S9,1.00,Tea\n" for number in range(7))
    with pytest.raises(
        BadRetailerData, match=r"prices\.csv: no row is for a store .*: store_id S9 \(7 rows\)"
    ) as error:
        load(HEADER + rows)
    assert (str(error.value).count("S9"), "The stores are S1, S2" in str(error.value)) == (1, True)


def test_misspelt_store_is_refused_and_a_foreign_one_is_noted(load: Load) -> None:
    with pytest.raises(BadRetailerData, match=r"store_id s-01 \(1 row\) is not a store; did you mean S1\?"):
        load(HEADER + TEA + TEA.replace("S1", "s-01"))
    retailer = load(HEADER + TEA + TEA.replace("S1", "ELSEWHERE"))
    assert "store_id ELSEWHERE (1 row) is not a store of this retailer" in retailer.notes[0]
