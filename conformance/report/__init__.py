"""The reports that a certification leaves: report.html, report.json, junit.xml, badge.svg, and the terminal's summary.

All are made from one model, whose JSON `report.schema.json` describes; nothing here runs cases or knows a connector.
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
