"""report.html: one file that opens from disk, is readable without JavaScript and stays under a megabyte.

The template only does the layout. This module decides the order, and how much of a long body the page shows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from typing import Any, NamedTuple

from markupsafe import Markup

from conformance.report import grouping, headline, latency_plot, verdict
from conformance.report.clean import cut
from conformance.report.model import Case, Latency, Report
from conformance.verdicts import JUDGED, Verdict, worst
from jwo_toolkit.figures import duration
from jwo_toolkit.pages import rendering
from jwo_toolkit.pages.rendering import Frame, Pages, Title
from jwo_toolkit.texts import printable

MAX_BYTES = 1_000_000
DOCS = "https://developer.amazon.com/docs/physicalstores/"
_KIND = "Conformance report"
_SUMMARY_FINDINGS = 8


class Limits(NamedTuple):
    """Limits of the page: characters of a body, characters of other texts, exchanges of a finding, full findings."""

    body: int
    text: int
    exchanges: int
    findings: int


_LIMITS = (Limits(6000, 2000, 6, 200), Limits(1200, 800, 2, 200), Limits(300, 200, 1, 100), Limits(0, 80, 0, 25))


class Group(NamedTuple):
    """The cases of one API, its worst verdict and its counts."""

    api: str
    verdict: Verdict
    counts: dict[str, int]
    cases: list[Case]

    @property
    def judged(self) -> int:
        """The number of cases with a verdict about the connector."""
        return sum(self.counts[verdict] for verdict in JUDGED)


def render_html(report: Report) -> str:
    """Return the page. Stricter and stricter limits cut long texts, until the page is small enough for an e-mail."""
    page = ""
    for limits in _LIMITS:
        page = _PAGES.render("report.html.j2", _frame(report), _view(report, limits))
        if len(page.encode()) <= MAX_BYTES:
            break
    return page


def pretty(body: object, limit: int) -> str:
    """Return a body for a reader: JSON indented, text unchanged, both cut at `limit` characters."""
    if body is None or body == "":
        return "(no body)"
    text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
    return cut(printable(text), limit)


def _frame(report: Report) -> Frame:
    suite = report.suite
    edition = f"{suite.name} {suite.version}, Amazon's documentation of {suite.doc_set}"
    title = Title(
        _KIND, report.connector.url, f"store {report.connector.store_id}", rendering.utc(report.started_at), edition
    )
    banner = "warn" if headline.is_qualified(report) else str(report.verdict)
    outcome = rendering.Verdict(banner, headline.headline(report), tuple(headline.remarks(report)))
    return Frame(title, outcome, headline.meaning(report), _script())


def _view(report: Report, limits: Limits) -> dict[str, Any]:
    found = grouping.by_cause(report.cases)
    return {
        "report": report,
        "verdicts": {case.id: case.verdict for case in report.cases},
        "judged": headline.judged_share(report),
        "environment": _environment(report),
        "not_tested": headline.not_tested(report),
        "findings": found[: limits.findings],
        "first_findings": found[:_SUMMARY_FINDINGS],
        "number_of_findings": len(found),
        "known": verdict.expected_failures(report.cases),
        "stale": report.stale,
        "groups": _groups(report.cases),
        "others": _ids_by_verdict(report.cases, found),
        "strips": [(row, plot, Markup(latency_plot.draw(plot))) for row, plot in _strips(report)],  # noqa: S704 - our own SVG, with escaped texts
        "settings": pretty(report.settings, 20_000),
        "limits": limits,
        "docs": DOCS,
    }


def _strips(report: Report) -> list[tuple[Latency, latency_plot.Strip]]:
    return [(row, latency_plot.strip(row)) for row in report.latency]


def _environment(report: Report) -> list[tuple[str, str]]:
    connector, suite = report.connector, report.suite
    nothing = "nothing, so cases that need a declared key are not applicable"
    return [
        ("Connector", connector.url),
        ("Store", connector.store_id),
        ("Authentication", connector.auth),
        ("Declared", ", ".join(connector.declared) or nothing),
        ("Length", duration(report.duration_s * 1000)),
        ("Rules", f"revision {suite.revision[:12]}{', strict' if suite.strict else ''}"),
    ]


def _ids_by_verdict(cases: Sequence[Case], findings: Sequence[grouping.Finding]) -> dict[str, list[str]]:
    """Return the ids of the cases that are no findings, by verdict, for print."""
    shown = {found.root.id for found in findings}
    return {
        name: [case.id for case in cases if case.verdict == name and case.id not in shown]
        for name in headline.VERDICT_NAMES
    }


def _groups(cases: Sequence[Case]) -> list[Group]:
    groups = []
    for api in dict.fromkeys(case.api for case in cases):
        own = [case for case in cases if case.api == api]
        groups.append(Group(api, worst(case.verdict for case in own), verdict.count_verdicts(own), own))
    return groups


def _script() -> str:
    return (resources.files("conformance.report") / "report.js").read_text("utf-8")


_PAGES = Pages(
    "conformance.report",
    {"pretty": pretty, "cut": cut},
    {
        "verdict_names": headline.VERDICT_NAMES,
        "levels": headline.LEVELS,
        "provenances": headline.PROVENANCES,
        "not_tested_kinds": headline.NOT_TESTED,
        "counted": headline.counted,
    },
)
