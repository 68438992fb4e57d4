"""The reports of a certification: report.html, report.json, junit.xml, badge.svg, and the summary on the terminal.

All are made from one model; `report.schema.json` describes its JSON. This package runs no cases and calls no connector.
"""

from conformance.report.errors import ReportBreaksSchema, ReportError, ReportFolderUnwritable
from conformance.report.json_file import schema
from conformance.report.model import Report
from conformance.report.terminal import render_summary
from conformance.report.verdict import count_verdicts, overall_verdict
from conformance.report.writer import write_all

__all__ = [
    "Report",
    "ReportBreaksSchema",
    "ReportError",
    "ReportFolderUnwritable",
    "count_verdicts",
    "overall_verdict",
    "render_summary",
    "schema",
    "write_all",
]
