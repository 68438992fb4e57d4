"""The catalogs that a client uploads, as rows and as files, and their comparison with the stored items.

Every barcode begins with a zero, prices may end with a zero, and each SKU is sold in two stores: a spreadsheet or a set
of SKUs would lose these. The platform rejects a wrong row by its check digit.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from conformance.match import Mismatch

Row = dict[str, str]
Key = tuple[str, str]
COLUMNS = ("item_sku", "external_product_id", "external_product_id_type", "item_name", "store_id", "standard_price")
_REQUIRED = ("external_product_id", "item_name")
_SHOWN = 3


def catalog(count: int, stores: Sequence[str], *, wrong: int | None = None) -> list[Row]:
    """Return `count` rows, one for each store of each SKU. The row with the index `wrong` has a wrong check digit."""
    rows = [_row(number // len(stores), stores[number % len(stores)]) for number in range(count)]
    if wrong is not None:
        rows[wrong]["external_product_id"] = _break_check_digit(rows[wrong]["external_product_id"])
    return rows


def write(rows: Sequence[Row], folder: Path) -> tuple[Path, Path]:
    """Write rows as CSV with a header and as a JSON list; return both paths."""
    as_csv, as_json = folder / "catalog.csv", folder / "catalog.json"
    with as_csv.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    as_json.write_text(json.dumps(rows), encoding="utf-8")
    return as_csv, as_json


def key_of(item: Mapping[str, Any]) -> Key:
    """Return the key of a row: its store and its SKU."""
    return str(item.get("store_id")), str(item.get("item_sku"))


def compare_catalogs(expected: Iterable[Row], stored: Iterable[Mapping[str, Any]]) -> Mismatch | None:
    """Match the stored items against the expected rows: no row is missing, and no row is changed."""
    rows, items = {key_of(row): row for row in expected}, {key_of(item): item for item in stored}
    missing = [key for key in rows if key not in items]
    changed = [key for key in rows if key in items and _is_changed(rows[key], items[key])]
    problems = [text for text in (list_keys("missing", missing), list_keys("changed", changed)) if text]
    if not problems:
        return None
    return Mismatch(f"the {len(rows)} rows of the file in the platform's catalog", "; ".join(problems))


def list_keys(problem: str, keys: Sequence[Key]) -> str:
    """Say how many rows have a problem, and name the first few; an empty text for no rows."""
    if not keys:
        return ""
    first = ", ".join(f"{sku} of {store}" for store, sku in keys[:_SHOWN])
    return f"{len(keys)} {problem}: {first}{' …' if len(keys) > _SHOWN else ''}"


def _row(number: int, store: str) -> Row:
    digits = f"0{number + 1:010d}"
    return {
        "item_sku": f"SKU-{number + 1:05d}",
        "external_product_id": digits + _check_digit(digits),
        "external_product_id_type": "UPC",
        "item_name": f"Product {number + 1}",
        "store_id": store,
        "standard_price": f"{number % 90 + 1}.{number % 10}0",
    }


def _check_digit(digits: str) -> str:
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def _break_check_digit(barcode: str) -> str:
    return barcode[:-1] + str((int(barcode[-1]) + 5) % 10)


def _is_changed(row: Row, item: Mapping[str, Any]) -> bool:
    optional = "external_product_id_type"
    if any(item.get(name) != row[name] for name in _REQUIRED) or item.get(optional, row[optional]) != row[optional]:
        return True
    return _amount(item.get("standard_price", row["standard_price"])) != Decimal(row["standard_price"])


def _amount(text: object) -> Decimal | None:
    """Parse a price, so that `4.1` equals `4.10`; None if the text is not a number."""
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None
