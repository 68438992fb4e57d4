"""The rows of the intra-day files: what the journal says about orders and their money, as CSV.

Amazon publishes neither the columns nor the names of the files, so they are ours. `recordId` is unique, and a row that
comes again keeps it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from jwo_toolkit.json_types import JsonObject
from simulator.event_families import ORDER_RECOVERED
from simulator.journal import Entry

COLUMNS = (
    "recordId",
    "recordType",
    "shoppingTripId",
    "storeId",
    "recordTime",
    "orderTime",
    "purchaseId",
    "lines",
    "lineNumber",
    "productId",
    "productType",
    "quantity",
    "unit",
    "operation",
    "amount",
    "currency",
    "reconciliationId",
)
ORDER, LINE, CHARGE = "ORDER", "ORDER_LINE", "CHARGE"


class Row(NamedTuple):
    """One row, and the time from which a file may hold it."""

    at: datetime
    columns: dict[str, str]


def rows_of(entry: Entry) -> list[dict[str, str]]:
    """Return the rows of a journal entry; an empty list for most entries.

    A repeated call has a row too: the platform may have died before it stored the row of the first call.
    """
    if entry["kind"] in {"delivery", ORDER_RECOVERED} and entry.get("outcome") == "delivered":
        return _order_rows(entry)
    if entry["kind"] == "charge" and entry["operation"] != "Adjust Charge":
        return [_charge_row(entry)]
    return []


def to_csv(rows: Iterable[dict[str, str]]) -> bytes:
    """Return a file with a line of column names; a cell without a value is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def from_csv(body: bytes) -> list[dict[str, str]]:
    """Return the rows of a file."""
    return list(csv.DictReader(io.StringIO(body.decode(), newline="")))


def _order_rows(entry: Entry) -> list[dict[str, str]]:
    """Return a row for the order, and one for each of its lines."""
    cart: JsonObject = entry["request"]["body"]
    items = cart["cartItems"]
    common = {
        **_common(entry),
        "orderTime": cart["shoppingTrip"]["endTime"],
        "purchaseId": entry.get("purchaseId") or "",
        "lines": str(len(items)),
    }
    order = {**common, "recordId": f"{entry['tripId']}:order", "recordType": ORDER}
    return [order, *(_line_row(entry, common, number, item) for number, item in enumerate(items, 1))]


def _line_row(entry: Entry, common: dict[str, str], number: int, item: JsonObject) -> dict[str, str]:
    return {
        **common,
        "recordId": f"{entry['tripId']}:line:{number}",
        "recordType": LINE,
        "lineNumber": str(number),
        "productId": item["id"],
        "productType": item["type"],
        "quantity": item["quantity"]["value"],
        "unit": item["quantity"]["unit"],
    }


def _charge_row(entry: Entry) -> dict[str, str]:
    """Return the row of money that was taken or returned, or of a cancelled charge, which has no amount."""
    key = entry.get("refundRequestId") or entry["operation"]
    amount = entry.get("amount", {})
    return {
        **_common(entry),
        "recordId": f"{entry['tripId']}:charge:{key}",
        "recordType": CHARGE,
        "operation": entry["operation"],
        "amount": amount.get("amount", ""),
        "currency": amount.get("code", ""),
        "reconciliationId": entry.get("reconciliationId", ""),
    }


def _common(entry: Entry) -> dict[str, str]:
    return {"shoppingTripId": entry["tripId"], "storeId": entry["storeId"], "recordTime": entry["at"]}
