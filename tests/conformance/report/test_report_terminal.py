from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from conformance.report import render_summary
from jwo_toolkit.json_types import JsonObject
from tests.conformance.report.reading import model

Build = Callable[..., JsonObject]


def _shown(report: JsonObject, *, terminal: bool = False, **paths: Path) -> str:
    file = io.StringIO()
    colours = "standard" if terminal else "auto"
    render_summary(model(report), Console(file=file, force_terminal=terminal, width=200, color_system=colours), paths)
    return file.getvalue()


def test_a_finding_has_its_cause_and_its_replay(a_report: Build, a_case: Build) -> None:
    shown = _shown(a_report([a_case("VIK-3.4", "fail", got="200 {}", hint="No limit.")]))
    for words in (
        "FAIL  VIK-3.4  identityKey Exceeds 1000 Characters",
        "(MUST)",
        "expected  400",
        "got       200 {}",
        "usually   No limit.",
        "replay    jwo replay VIK-3.4",
        "1 case: 1 fail",
        "Not conformant: 1 broken rule",
    ):
        assert words in shown


def test_a_passing_run_ends_with_the_verdict_and_the_files(a_full_report: JsonObject) -> None:
    lines = _shown(a_full_report, html=Path("out/report.html")).splitlines()
    assert lines[-2:] == ["Conformant", "  html   out/report.html"]
    assert "0 over 2 s" in lines[0]


def test_no_colour_where_there_is_no_terminal(a_report: Build, a_case: Build) -> None:
    report = a_report([a_case(verdict="fail")])
    assert "\x1b[" not in _shown(report)
    assert "\x1b[" in _shown(report, terminal=True)


@pytest.mark.parametrize("got", ["\x1b]0;owned\x07\x1b[2J", "[bold]x[/bold] [link=http://a]b[/link]"])
def test_an_answer_cannot_control_the_terminal(a_report: Build, a_case: Build, got: str) -> None:
    shown = _shown(a_report([a_case(verdict="fail", got=got)]))
    assert got.replace("\x1b", "\\x1b").replace("\x07", "") in shown


def test_an_answer_of_many_lines_cannot_imitate_the_verdict(a_report: Build, a_case: Build) -> None:
    shown = _shown(a_report([a_case(verdict="fail", got="500\nConformant")]))
    assert "Conformant" not in shown.splitlines()


def test_a_console_without_unicode_gets_question_marks(a_report: Build, a_case: Build) -> None:
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding="ascii")
    render_summary(model(a_report([a_case("VIK-1.1", "fail", title="Entry — Key")])), Console(file=file, width=200))
    file.flush()
    assert b"Entry ? Key" in raw.getvalue()


def test_a_hundred_findings_do_not_hide_the_verdict(a_report: Build, a_case: Build) -> None:
    shown = _shown(a_report([a_case(f"VIK-3.{number}", "fail") for number in range(1, 101)]))
    assert shown.count("FAIL") == 25
    assert "75 more findings" in shown


def test_a_failed_stage_is_shown_as_failed(a_report: Build) -> None:
    stages = [{"name": "Catalog", "summary": "nothing ingested", "ok": False, "details": []}]
    assert "FAILED Catalog: nothing ingested" in _shown(a_report(verdict="fail", stages=stages))


def test_the_terminal_says_what_the_certificate_means(a_full_report: JsonObject) -> None:
    shown = _shown(a_full_report)
    assert "The certificate says that the connector met all" in shown
    assert "It does not mean that Amazon approves the connector" in shown


def test_the_certificate_of_a_broken_connector_means_no_conformance(a_report: Build, a_case: Build) -> None:
    assert "found the connector not conformant" in _shown(a_report([a_case("VIK-3.4", "fail")]))
