"""Finds a file that ends within a price: 1.99, cut to 1.9 or 1, would be another price."""

from __future__ import annotations

from reference_connector.files.delimited import Table
from reference_connector.files.problems import Problems

_CENTS = 2


def check_last_price(file: str, table: Table, column: str, problems: Problems) -> None:
    """Add a problem if the last price ends with the file, and has fewer decimals than all others, which have two."""
    if table.is_whole or table.last_column != column or len(table.lines) <= 1:
        return
    *others, last = table.lines
    price = last.values.get(column, "")
    if _decimals(price) < _CENTS and all(_decimals(line.values.get(column, "0.00")) == _CENTS for line in others):
        problems.add(
            file,
            f"line {last.number}",
            f"the file ends within this line, and {price} has fewer decimals than all other prices: it may be cut",
            f"Copy the whole file again, or write the price with {_CENTS} decimals",
        )


def _decimals(price: str) -> int:
    return len(price.partition(".")[2])
