"""Catalog rows from files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

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
    assert read_rows(path) == [row | {"store_id": "STORE-001"}]


def test_rows_come_from_json(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(some_rows(2)))
    assert read_rows(path) == some_rows(2)


@pytest.mark.parametrize(("name", "text"), [("a.json", "{}"), ("a.json", "{"), ("a.csv", ""), ("a.csv", "a,b\n1\n")])
def test_file_without_rows_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadRows, match=name):
        read_rows(path)
