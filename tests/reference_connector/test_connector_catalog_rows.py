"""Catalog rows from files."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from reference_connector.catalog_client.rows import read_rows
from reference_connector.errors import BadRows
from tests.reference_connector.small_platform import some_rows


def test_rows_from_csv_lack_our_column_and_empty_values(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["item_sku", "external_product_id", "item_name", "store_id", "brand_name", "sold_by"])
        writer.writerow(["SKU-1", "012345678905", "Water, still", "STORE-001", "", "unit"])
    row = {"item_sku": "SKU-1", "external_product_id": "012345678905", "item_name": "Water, still"}
    assert read_rows(path).rows == [row | {"store_id": "STORE-001"}]


def test_rows_come_from_json(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(some_rows(2)))
    assert read_rows(path).rows == some_rows(2)


HEADER = "item_sku,external_product_id,external_product_id_type,store_id,standard_price,item_name\n"
TEA = "A,036000291452,UPC,S1,1.00,Tea\n"
ROW = {"item_sku": "A", "external_product_id": "4011", "item_name": "Tea", "store_id": "S1"}


def read(tmp_path: Path, content: str | bytes, name: str = "rows.csv", **options: Any) -> list[dict[str, Any]]:
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_rows(tmp_path / name, **options).rows


@pytest.mark.parametrize(
    ("rows", "named"),
    [
        ('B,4012,PLU,S1,1.00,"6 in\nC,4013,PLU,S1,1.00,Nut\nD,4014,PLU,S1,1.00,9 in"\n', "line 3: item_name .*3 to 5"),
        ('B,4012,PLU,S1,1.00,"6 in\n', "line 3: the quote at column 20 opens a value and is never closed"),
        ("A,4012,PLU,S1,2.00,Nut\n", "line 3: A is there twice in store S1, first in line 2"),
        ("B,0036000291452,EAN,S1,2.00,Nut\n", "line 3: barcode 0036000291452 is also on A .*line 2 .*leading zeros"),
        ("B,0-36000-29145-2,UPC,S1,2.00,Nut\n", "line 3: barcode 0-36000-29145-2 is also on A .*line 2 .*hyphens"),
        ("B,3.60003E+11,UPC,S1,2.00,Nut\n", "line 3: external_product_id: .* a spreadsheet replaced the digits"),
        ("B,4012,PLU,S1,1_99,Nut\n", "line 3: standard_price: '1_99' has an underscore"),
        ('B,4012,PLU,S1,"4,99",Nut\n', "line 3: standard_price: '4,99' has a decimal comma"),
        ("B,36000291452,UPC,S1,2.00,Nut\n", "line 3: external_product_id: .*leading zero: 036000291452"),
        ("B,36000291452,,S1,2.00,Nut\n", "line 3: external_product_id: .*leading zero: 036000291452"),
        ("B,306406152,ISBN,S1,2.00,Nut\n", "line 3: external_product_id: .*leading zero: 0306406152"),
        ("B,1234565,UPC,S1,2.00,Nut\n", "line 3: external_product_id: .*leading zero: 01234565"),
        ("B,12345670,EAN,S1,2.00,Nut\nB,,UPC,S1,1.00,X\n", "line 4: external_product_id is missing"),
        (f"B,4012,PLU,S1,2.00,{'x' * 256}\n", "line 3: item_name is longer than 255"),
        ("B,4012,PLU\n", "line 3: fewer values"),
        ("B,4012,PLU,S1,2.00,Nut,more\n", "line 3: more values"),
    ],
)
def test_wrong_row_of_a_csv_is_refused_with_its_line(tmp_path: Path, rows: str, named: str) -> None:
    with pytest.raises(BadRows, match=rf"rows\.csv: {named}"):
        read(tmp_path, HEADER + TEA + rows)


@pytest.mark.parametrize(
    "barcode",
    ["41299900007,UPC", "12345678901,UPC", "201399900008,EAN", "123456789013,UPC", "ABC,UPC", "4011,PLU", "4011,"],
)
def test_barcode_that_no_zero_makes_right_is_left_to_the_platform(tmp_path: Path, barcode: str) -> None:
    assert len(read(tmp_path, HEADER + f"A,{barcode},S1,1.00,Tea\n")) == 1


def test_all_wrong_rows_are_reported_at_once(tmp_path: Path) -> None:
    rows = "".join(f"P-{number},4{number:03},PLU,S1,4;99,Tea\n" for number in range(60))
    with pytest.raises(BadRows) as error:
        read(tmp_path, HEADER + rows)
    lines = str(error.value).splitlines()
    assert (lines[0], len(lines), lines[-1].split(": ")[1]) == ("60 errors", 52, "and 10 more errors")
    assert ("line 2: " in lines[1], "line 51: " in lines[50]) == (True, True)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_spreadsheet_files_are_read(tmp_path: Path, encoding: str, delimiter: str) -> None:
    content = (HEADER.replace("item_sku", "Item_SKU") + TEA + ",,,,,\n").replace(",", delimiter)
    assert [row["item_sku"] for row in read(tmp_path, content.encode(encoding))] == ["A"]
    assert read(tmp_path, json.dumps([ROW]).encode(encoding), "rows.json") == [ROW]


def test_column_that_appears_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRows, match=r"line 1: column item_name appears twice, as columns 6 and 7"):
        read(tmp_path, HEADER.replace("\n", ",Item Name\n") + TEA.replace("\n", ",X\n"))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (json.dumps([ROW]).replace("}", ', "item_sku": "B"}'), "member item_sku appears twice"),
        (json.dumps([ROW | {"standard_price": 4.99}]), "row 1, SKU A: standard_price must be of type string"),
        (json.dumps([ROW | {"external_product_id": 4011}]), "external_product_id must be .*Write it in quotes"),
        (json.dumps([ROW | {"standard_price": float("nan")}]), "row 1, SKU A: standard_price: 'NaN' is not a number"),
        (json.dumps([ROW | {"item_name": "a\nb"}]), "row 1, SKU A: item_name: .*line break"),
        (json.dumps([ROW | {"brand_name": "\ud800"}]), "row 1: has a value that a catalog cannot have"),
        (json.dumps([ROW, ROW]), "row 2, SKU A: A is there twice in store S1, first in row 1"),
        (json.dumps([ROW, 1]), "row 2: is not an object"),
        (json.dumps({"catalogItems": [ROW]}), "is not a list of objects"),
        (json.dumps([ROW])[:-1] + ",]", "line 1, column .*is not valid JSON"),
        (json.dumps(ROW) + "\n" + json.dumps(ROW), "line 2, column 1: is not valid JSON"),
        ("[" * 100_000, "is not a catalog"),
        (
            json.dumps([ROW | {"additional_external_product_information": [{"external_product_id": "3.6E+11"}]}]),
            "row 1, SKU A: external_product_id: .*spreadsheet",
        ),
    ],
)
def test_wrong_json_is_refused_with_its_row(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(BadRows, match=rf"rows\.json: .*{named}"):
        read(tmp_path, text, "rows.json")


def test_null_in_json_counts_as_absent(tmp_path: Path) -> None:
    assert read(tmp_path, json.dumps([ROW | {"brand_name": None}]), "rows.json") == [ROW]


def test_shared_barcodes_may_be_left_to_the_platform(tmp_path: Path) -> None:
    rows = HEADER + TEA + TEA.replace("A,", "B,", 1)
    assert len(read(tmp_path, rows, shared_barcodes="send")) == 2


@pytest.mark.parametrize(("name", "text"), [("a.json", "{}"), ("a.json", "{"), ("a.csv", ""), ("a.csv", "a,b\n1\n")])
def test_file_without_rows_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadRows, match=name):
        read_rows(path)


def test_file_that_looks_wrong_has_remarks(tmp_path: Path) -> None:
    rows = TEA.replace("1.00", "199").replace("Tea", "Café") + "".join(
        f"{sku},{code},PLU,S1,299,Nut\n" for sku, code in (("a", 4011), ("B", 4012))
    )
    (tmp_path / "rows.csv").write_bytes((HEADER + rows).encode("cp1252"))
    encoding, capitals, cents = read_rows(tmp_path / "rows.csv").remarks
    assert "line 2 is not UTF-8; the file was read as Windows-1252" in encoding
    assert "SKUs of store S1 differ in capitals only, so each has its own price: A and a" in capitals
    assert "if the prices are in cents" in cents
