"""The summary of an upload: as JSON for programs, as a table for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table

from reference_connector.catalog_client.client import IngestionResult


def summarize(results: Iterable[IngestionResult]) -> dict[str, Any]:
    """Add the results up. `unfinished` and `failed` list the ingestions without a report."""
    kept = list(results)
    reports = [result.report for result in kept if result.report is not None]
    return {
        "ingestions": [result.ingestion_id for result in kept],
        "unfinished": [result.ingestion_id for result in kept if not result.is_final],
        "failed": [result.ingestion_id for result in kept if result.is_final and result.report is None],
        "accepted": sum(report["summary"]["accepted"] for report in reports),
        "rejected": sum(report["summary"]["rejected"] for report in reports),
        "rejectedRows": [row for report in reports for row in _rejected(report)],
    }


def as_table(summary: dict[str, Any]) -> RenderableType:
    """Draw a summary for a terminal: the counts, and each rejected row with its reason."""
    counts = f"{summary['accepted']} accepted, {summary['rejected']} rejected"
    for word in ("unfinished", "failed"):
        if summary[word]:
            counts += f", {word}: {', '.join(summary[word])}"
    if not summary["rejectedRows"]:
        return counts
    table = Table("SKU", "store", "code", "field", "message", title="Rejected rows")
    for row in summary["rejectedRows"]:
        table.add_row(row["item_sku"], row["store_id"], row["code"], row["field"], row["message"])
    return Group(counts, table)


def _rejected(report: dict[str, Any]) -> Iterator[dict[str, str]]:
    for item in report["items"]:
        if item["status"] == "REJECTED":
            for error in item["errors"]:
                yield {"item_sku": item["item_sku"], "store_id": item["store_id"], **error}
