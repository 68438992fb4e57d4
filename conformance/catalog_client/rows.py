"""The catalogs that a client is told to upload, as rows, as files, and against what the platform holds in the end.

Every barcode begins with a zero, prices may end with one, and each SKU is sold in two stores: what a spreadsheet or a
set of SKUs would spoil. The last row of a catalog with a wrong one is rejected by its check digit.
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


def catalog(count: int, stores: Sequence[str], *, wrong: int = 0) -> list[Row]:
    """Return `count` rows, store by store for each SKU, of which the last `wrong` have a wrong check digit."""
    rows = [_row(number // len(stores), stores[number % len(stores)]) for number in range(count)]
    for row in rows[count - wrong :]:
        row["external_product_id"] = _with_wrong_digit(row["external_product_id"])
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
    """Return what a row is known by: its store and its SKU."""
    return str(item.get("store_id")), str(item.get("item_sku"))


def lost(wanted: Iterable[Row], held: Iterable[Mapping[str, Any]]) -> Mismatch | None:
    """Match the platform's catalog against the rows that it should hold: none is missing, none was changed."""
    asked, there = {key_of(row): row for row in wanted}, {key_of(item): item for item in held}
    missing = [key for key in asked if key not in there]
    changed = [key for key in asked if key in there and _is_changed(asked[key], there[key])]
    said = [trouble for trouble in (listed("missing", missing), listed("changed", changed)) if trouble]
    return Mismatch(f"the {len(asked)} rows of the file in the platform's catalog", "; ".join(said)) if said else None


def listed(what: str, keys: Sequence[Key]) -> str:
    """Count rows and name the first few; empty when there are none."""
    if not keys:
        return ""
    some = ", ".join(f"{sku} of {store}" for store, sku in keys[:_SHOWN])
    return f"{len(keys)} {what}: {some}{' …' if len(keys) > _SHOWN else ''}"


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


def _with_wrong_digit(barcode: str) -> str:
    return barcode[:-1] + str((int(barcode[-1]) + 5) % 10)


def _is_changed(row: Row, item: Mapping[str, Any]) -> bool:
    optional = "external_product_id_type"
    if any(item.get(name) != row[name] for name in _REQUIRED) or item.get(optional, row[optional]) != row[optional]:
        return True
    return _amount(item.get("standard_price", row["standard_price"])) != Decimal(row["standard_price"])


def _amount(text: object) -> Decimal | None:
    """Read a price; `4.1` is `4.10`."""
    try:
        return Decimal(str(text))
    except InvalidOperation:
        return None
