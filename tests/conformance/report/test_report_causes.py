"""One cause, one finding: what follows from a finding is shown with it, everywhere."""

from __future__ import annotations

import io
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from conformance.report import render_summary
from conformance.report.grouping import by_cause
from conformance.report.headline import headline
from conformance.report.html import render_html
from conformance.report.junit import render_junit
from jwo_toolkit.json_types import JsonObject
from tests.conformance.report.reading import case_model, model

Build = Callable[..., JsonObject]


@pytest.fixture
def cases(a_case: Build) -> list[JsonObject]:
    return [
        a_case("VIK-1.2", "fail", hint="a hint of a consequence", followsFrom="VIK-2"),
        a_case("VIK-2", "fail", hint="the hint of the root"),
        a_case("VIK-6", "blocked", followsFrom="VIK-2", reason="blocked by VIK-2", exchanges=[]),
        a_case("CP-1.1", "fail"),
    ]


def _terminal(report: JsonObject) -> str:
    file = io.StringIO()
    render_summary(model(report), Console(file=file, width=200))
    return file.getvalue()


def test_findings_are_grouped_under_their_root(cases: list[JsonObject]) -> None:
    found = by_cause([case_model(case) for case in cases])

    assert [each.root.id for each in found] == ["VIK-2", "CP-1.1"]
    assert [case.id for case in found[0].consequences] == ["VIK-1.2"]
    assert [case.id for case in found[0].blocked] == ["VIK-6"]


def test_finding_without_its_root_in_the_report_is_a_root(cases: list[JsonObject]) -> None:
    assert [each.root.id for each in by_cause([case_model(cases[0])])] == ["VIK-1.2"]


def test_terminal_shows_the_root_with_its_consequences(a_report: Build, cases: list[JsonObject]) -> None:
    shown = _terminal(a_report(cases))

    assert shown.count("FAIL ") == 2
    assert "1 probably follow from it: VIK-1.2" in shown
    assert "1 are blocked by it: VIK-6" in shown
    assert "a hint of a consequence" not in shown
    assert "4 cases: 3 fail, 1 blocked" in shown


def test_headline_counts_rules_and_causes(a_report: Build, cases: list[JsonObject]) -> None:
    assert headline(model(a_report(cases))) == (
        "Not conformant: 3 broken rules from 2 probable causes and 1 blocked case"
    )


def test_page_shows_consequences_without_a_hint(a_report: Build, cases: list[JsonObject]) -> None:
    page = render_html(model(a_report(cases)))

    assert page.count('<article class="card finding') == 2
    assert "1 finding and 1 blocked case probably follow from VIK-2" in page
    assert "a hint of a consequence" not in page
    assert '<option value="blocked">Blocked</option>' in page


def test_junit_begins_with_the_root_and_names_what_follows(a_report: Build, cases: list[JsonObject]) -> None:
    root = ET.fromstring(render_junit(model(a_report(cases))))  # noqa: S314 - written by the code under test
    names = [str(case.get("name")).partition(" ")[0] for case in root.iter("testcase")]
    failures = [str(each.text) for each in root.iter("failure")]

    assert names == ["VIK-2", "VIK-1.2", "VIK-6", "CP-1.1"]
    assert "then: 2 follow from it: VIK-1.2, VIK-6" in failures[0]
    assert "probably follows from: VIK-2" in failures[1]
    assert root.get("failures") == "3"
    assert [each.get("message") for each in root.iter("skipped")] == ["blocked by VIK-2"]
