"""Makes the price list of the reference connector from a world's catalog, in which some rows are wrong on purpose."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path


def write_price_list(products_csv: Path, folder: Path, more_stores: Iterable[str] = ()) -> Path:
    """Write the rows that a connector can sell to `prices.csv` in a folder, and return its path.

    `more_stores` sell the same goods, and so get each row too.
    """
    prices = folder / "prices.csv"
    with (
        products_csv.open(encoding="utf-8", newline="") as source,
        prices.open("w", encoding="utf-8", newline="") as to,
    ):
        rows = csv.DictReader(source)
        writer = csv.DictWriter(to, fieldnames=rows.fieldnames or ())
        writer.writeheader()
        for row in with_own_barcode(rows):
            writer.writerow(row)
            writer.writerows({**row, "store_id": store} for store in more_stores)
    return prices


def with_own_barcode(rows: Iterable[dict[str, str]]) -> Iterator[dict[str, str]]:
    """Yield the rows with a barcode that no earlier row of the store has; a connector cannot sell the others."""
    seen = set()
    for row in rows:
        key = row["store_id"], row["external_product_id"].lstrip("0")
        if key not in seen:
            yield row
        seen.add(key)
