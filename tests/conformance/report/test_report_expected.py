from __future__ import annotations

import io
import json
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from conformance.report import ReportBreaksSchema, overall_verdict, render_summary
from conformance.report.badge import render_badge
from conformance.report.headline import headline
from conformance.report.html import render_html
from conformance.report.json_file import check
from conformance.report.junit import render_junit
from jwo_toolkit.json_types import JsonObject
from tests.conformance.report.reading import case_model, model

Build = Callable[..., JsonObject]
STALE = {"id": "CP-2", "reason": "the till is old", "why": "it passes now"}


@pytest.fixture
def expecting(a_report: Build, a_case: Build) -> Build:
    """Build a report with one expected failure and these stale entries."""

    def build(*stale: JsonObject, strict: bool = False) -> JsonObject:
        cases = [a_case("VIK-1.1"), a_case("VIK-3.4", "fail", expectedFailure="the till <b>cannot</b> yet")]
        verdict = str(overall_verdict([case_model(case) for case in cases], strict=strict, stale=len(stale)))
        file = {"source": "known.toml", "stale": list(stale)}
        return a_report(cases, strict=strict, verdict=verdict, expectedFailures=file)

    return build


def test_an_expected_failure_does_not_fail_the_run_or_make_it_conformant(expecting: Build) -> None:
    report = expecting()
    check(json.loads(json.dumps(report)))

    assert report["verdict"] == "pass"
    assert report["counts"]["fail"] == 1
    assert headline(model(report)) == "Nothing broken but 1 expected failure"
    assert "1 expected failure" in render_badge(model(report))
    assert "conformant" not in render_badge(model(report))


def test_a_stale_entry_fails_the_run_and_is_named(expecting: Build) -> None:
    report = expecting(STALE)
    check(json.loads(json.dumps(report)))

    assert report["verdict"] == "fail"
    assert headline(model(report)) == "Not conformant: 1 expected failure stale"


def test_a_pass_with_a_stale_entry_is_refused(expecting: Build) -> None:
    with pytest.raises(ReportBreaksSchema, match="verdict"):
        check(expecting(STALE) | {"verdict": "pass"})


def test_a_case_that_passed_cannot_be_an_expected_failure(a_report: Build, a_case: Build) -> None:
    with pytest.raises(ReportBreaksSchema, match="cases/0"):
        check(a_report([a_case("VIK-1.1", expectedFailure="why not")]))


def test_the_page_shows_expected_and_stale_entries_with_reasons(expecting: Build) -> None:
    page = render_html(model(expecting(STALE)))

    assert "the till &lt;b&gt;cannot&lt;/b&gt; yet" in page
    assert "the till is old" in page
    assert "it passes now" in page
    assert 'id="finding-VIK-3.4"' not in page


def test_junit_skips_expected_failures_and_fails_stale_entries(expecting: Build) -> None:
    root = ET.fromstring(render_junit(model(expecting(STALE))))  # noqa: S314 - written by the code under test

    totals = {name: root.get(name) for name in ("tests", "failures", "skipped")}
    assert totals == {"tests": "3", "failures": "1", "skipped": "1"}
    assert [test.get("name") for test in root.iter("testcase") if test.find("failure") is not None] == [
        "CP-2 is a stale expected failure"
    ]


def test_the_terminal_says_known_and_stale(expecting: Build) -> None:
    file = io.StringIO()
    render_summary(model(expecting(STALE)), Console(file=file, width=200))

    assert "KNOWN VIK-3.4  expected to be broken: the till" in file.getvalue()
    assert "STALE CP-2  it passes now, so remove it from known.toml" in file.getvalue()
