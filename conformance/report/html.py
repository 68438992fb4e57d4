"""report.html: one file that opens from disk, is readable without JavaScript and stays under a megabyte.

The template only does the layout. This module decides the order, and how much of a long body the page shows.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from conformance.report import grouping, headline, latency_plot, verdict
from conformance.report.clean import cut, printable
from conformance.report.model import Case, Report
from conformance.verdicts import Verdict, worst

MAX_BYTES = 1_000_000
DOCS = "https://developer.amazon.com/docs/physicalstores/"
_CODE = re.compile("`([^`<>]+)`")


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


def render_html(report: Report) -> str:
    """Return the page. Stricter and stricter limits cut long texts, until the page is small enough for an e-mail."""
    page = ""
    for limits in _LIMITS:
        page = _template().render(_view(report, limits))
        if len(page.encode()) <= MAX_BYTES:
            break
    return page


def style() -> str:
    """Return the style of the report, for other pages of the kit."""
    return _source("report.css")


def pretty(body: object, limit: int) -> str:
    """Return a body for a reader: JSON indented, text unchanged, both cut at `limit` characters."""
    if body is None or body == "":
        return "(no body)"
    text = body if isinstance(body, str) else json.dumps(body, indent=2, ensure_ascii=False)
    return cut(printable(text), limit)


def prose(text: str) -> Markup:
    """Return a sentence as escaped HTML, with text in backticks as code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(printable(text)))))  # noqa: S704 - escaped just here


def _view(report: Report, limits: Limits) -> dict[str, Any]:
    found, script = grouping.by_cause(report.cases), _source("report.js")
    return {
        "report": report,
        "verdicts": {case.id: case.verdict for case in report.cases},
        "headline": headline.headline(report),
        "remarks": headline.remarks(report),
        "banner": "warn" if headline.is_qualified(report) else report.verdict,
        "not_tested": headline.not_tested(report),
        "findings": found[: limits.findings],
        "more_findings": max(0, len(found) - limits.findings),
        "known": verdict.expected_failures(report.cases),
        "stale": report.stale,
        "groups": _groups(report.cases),
        "strips": [(row, latency_plot.strip(row)) for row in report.latency],
        "settings": pretty(report.settings, 20_000),
        "limits": limits,
        "script": Markup(script),  # noqa: S704 - our own file
        "script_hash": _hash(script),
        "docs": DOCS,
    }


def _groups(cases: Sequence[Case]) -> list[Group]:
    groups = []
    for api in dict.fromkeys(case.api for case in cases):
        own = [case for case in cases if case.api == api]
        groups.append(Group(api, worst(case.verdict for case in own), verdict.count_verdicts(own), own))
    return groups


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=FunctionLoader(_source), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(prose=prose, pretty=pretty, cut=cut, printable=printable, duration=latency_plot.duration)
    environment.globals.update(
        signs=headline.SIGNS,
        verdict_names=headline.VERDICT_NAMES,
        levels=headline.LEVELS,
        provenances=headline.PROVENANCES,
        not_tested_kinds=headline.NOT_TESTED,
        counted=headline.counted,
        plot_width=latency_plot.WIDTH,
        plot_height=latency_plot.HEIGHT,
    )
    return environment.get_template("report.html.j2")


def _source(name: str) -> str:
    return (resources.files("conformance.report") / name).read_text("utf-8")


def _hash(script: str) -> str:
    """Return the hash of the page's script for its Content-Security-Policy: a script in a body cannot run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
