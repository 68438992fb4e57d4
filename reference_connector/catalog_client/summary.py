"""What is known about an upload, at any moment: as JSON for programs, as a table for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from reference_connector.catalog_client.client import Uploaded
from reference_connector.catalog_client.results import IngestionResult


class Ledger:
    """Collects what happens in an upload. Several threads may add to it."""

    def __init__(self) -> None:
        self.rows = 0
        """The number of rows in the file."""
        self.error = ""
        """Why the run ended early, and what to do."""
        self.warnings: list[str] = []
        self.resume = ""
        """How to continue, if a result is missing."""
        self._uploads: list[Uploaded] = []
        self._results: dict[str, IngestionResult] = {}

    def add_upload(self, uploaded: Uploaded) -> None:
        """Add an accepted upload."""
        self._uploads.append(uploaded)

    def add_result(self, result: IngestionResult) -> None:
        """Add the newest state of an ingestion."""
        self._results[result.ingestion_id] = result

    @property
    def ingestions(self) -> list[str]:
        """The ids of the ingestions, in the order of the file's rows."""
        return [each.ingestion_id for each in sorted(self._uploads)]

    @property
    def problems(self) -> list[IngestionResult]:
        """The results that are not known because a call failed."""
        return [result for result in self._all() if result.problem]

    @property
    def is_complete(self) -> bool:
        """Whether every row is uploaded and every ingestion has its result."""
        is_uploaded = sum(each.rows for each in self._uploads) == self.rows
        return is_uploaded and all(result.is_final and not result.problem for result in self._all())

    def summary(self) -> dict[str, Any]:
        """Return all that is known, as JSON.

        `rows` is the sum of `accepted`, `rejected`, `unknown` (uploaded, but no report has them) and `notUploaded`.
        `unfinished` and `failed` list ingestions without a report, `problems` says why a result is not known.
        """
        results, uploaded = self._all(), sum(each.rows for each in self._uploads)
        reports = [result.report for result in results if result.report is not None]
        accepted = sum(report["summary"]["accepted"] for report in reports)
        rejected = sum(report["summary"]["rejected"] for report in reports)
        return {
            "rows": self.rows,
            "ingestions": self.ingestions,
            "unfinished": [result.ingestion_id for result in results if not result.is_final],
            "failed": [result.ingestion_id for result in results if result.is_final and result.report is None],
            "accepted": accepted,
            "rejected": rejected,
            "unknown": max(0, uploaded - accepted - rejected),
            "notUploaded": max(0, self.rows - uploaded),
            "rejectedRows": [row for report in reports for row in _rejected(report)],
            "problems": [{"ingestionId": each.ingestion_id, "problem": each.problem} for each in self.problems],
            "warnings": [*self.warnings, *self._short_reports()],
            "error": self.error,
            "resume": self.resume,
        }

    def exit_code(self) -> int:
        """Return 1 if a row was not accepted, or its result is not known; else 0."""
        known = self.summary()
        return 1 if known["accepted"] < known["rows"] or known["rejected"] else 0

    def _short_reports(self) -> Iterator[str]:
        """Yield a sentence for each report that does not have all rows of its upload."""
        for each in sorted(self._uploads):
            result = self._results.get(each.ingestion_id)
            if result and result.report and result.report["summary"]["received"] != each.rows:
                yield (
                    f"the report of {each.ingestion_id} has {result.report['summary']['received']} rows, its upload "
                    f"had {each.rows}; compare the SKUs, and upload the missing ones again"
                )

    def _all(self) -> list[IngestionResult]:
        """Return the state of each ingestion once, in the order of the file's rows."""
        return [self._results.get(each) or IngestionResult(each, "") for each in dict.fromkeys(self.ingestions)]


def as_table(summary: dict[str, Any]) -> RenderableType:
    """Draw a summary for a terminal: the counts, what is missing and why, and each rejected row with its reason."""
    counts = f"{summary['accepted']} accepted, {summary['rejected']} rejected"
    for name, words in (("unknown", "unknown"), ("notUploaded", "not uploaded")):
        if summary[name]:
            counts += f", {summary[name]} {words}"
    for word in ("unfinished", "failed"):
        if summary[word]:
            counts += f", {word}: {', '.join(summary[word])}"
    lines = [counts]
    if summary["unknown"] or summary["notUploaded"]:
        lines.append(f"ingestions: {', '.join(summary['ingestions']) or 'none'}")
    lines += [f"{each['ingestionId']}: {each['problem']}" for each in summary["problems"]]
    lines += [f"warning: {each}" for each in summary["warnings"]]
    lines += [summary["resume"]] if summary["resume"] else []
    drawn: list[RenderableType] = [Text(line) for line in lines]  # a text that is not markup, whatever is in it
    if summary["rejectedRows"]:
        table = Table("SKU", "store", "code", "field", "message", title="Rejected rows")
        for row in summary["rejectedRows"]:
            table.add_row(*(Text(row[name]) for name in ("item_sku", "store_id", "code", "field", "message")))
        drawn.append(table)
    return Group(*drawn)


def _rejected(report: dict[str, Any]) -> Iterator[dict[str, str]]:
    for item in report["items"]:
        if item["status"] == "REJECTED":
            for error in item["errors"] or [{"code": "", "field": "", "message": "the report gives no reason"}]:
                yield {"item_sku": item["item_sku"], "store_id": item["store_id"], **error}
