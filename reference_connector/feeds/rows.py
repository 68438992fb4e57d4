"""Reads an intra-day file: CSV with a line of column names, as docs/spec/reporting.md describes it."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from typing import NamedTuple

from reference_connector.errors import MessageUnreadable
from reference_connector.feeds.facts import charge_of, count_of, given_texts, instant_of, quantity_of, text_of
from reference_connector.store.books import FeedRecord, RecordKind

_REQUIRED = ("recordId", "recordType", "shoppingTripId", "storeId", "recordTime")
_Cells = Mapping[str, str]


class FileContent(NamedTuple):
    """The records of a file, how many rows it has, and what is wrong with each row that has no record."""

    records: list[FeedRecord]
    rows: int
    problems: list[str]


def read_rows(content: bytes) -> FileContent:
    """Read a file. Raises MessageUnreadable if it is not a table of the expected columns."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MessageUnreadable(f"the file is not UTF-8: {error.reason} at byte {error.start}") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    found = FileContent([], 0, [])
    try:
        if missing := [name for name in _REQUIRED if name not in (reader.fieldnames or ())]:
            raise MessageUnreadable(f"the file has no column {', '.join(missing)}")
        for cells in reader:
            found = found._replace(rows=found.rows + 1)
            try:
                found.records.append(_record(cells))
            except MessageUnreadable as error:
                found.problems.append(f"line {reader.line_num}: {error}")
    except csv.Error as error:
        found.problems.append(f"line {reader.line_num}: {error}; the rest of the file is not read")
    return found


def _record(cells: dict[str, str]) -> FeedRecord:
    if None in cells or None in cells.values():
        raise MessageUnreadable("the row has another number of cells than the line of column names")
    record_type = cells["recordType"]
    if record_type not in _KINDS:
        raise MessageUnreadable(f"recordType must be one of {', '.join(_KINDS)}, not {record_type[:40]!r}")
    kind, facts_of = _KINDS[record_type]
    trip_id, store_id = text_of(cells, "shoppingTripId"), text_of(cells, "storeId")
    at = instant_of(cells, "recordTime")
    return FeedRecord("file", text_of(cells, "recordId"), trip_id, store_id, kind, at, facts_of(cells))


def _order(cells: _Cells) -> dict[str, str]:
    instant_of(cells, "orderTime")
    facts = {"lines": count_of(cells, "lines"), "orderTime": cells["orderTime"]}
    return facts | given_texts(cells, "purchaseId")


def _line(cells: _Cells) -> dict[str, str]:
    facts = {
        "lineNumber": count_of(cells, "lineNumber"),
        "productId": text_of(cells, "productId"),
        "quantity": quantity_of(cells, "quantity"),
    }
    return _order(cells) | facts | given_texts(cells, "productType", "unit")


def _charge(cells: _Cells) -> dict[str, str]:
    facts = charge_of(cells.get("operation"), cells.get("amount"), cells.get("currency"))
    return facts | given_texts(cells, "reconciliationId")


_KINDS: dict[str, tuple[RecordKind, Callable[[_Cells], dict[str, str]]]] = {
    "ORDER": ("order", _order),
    "ORDER_LINE": ("line", _line),
    "CHARGE": ("charge", _charge),
}
