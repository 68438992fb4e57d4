from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.report import count_verdicts, overall_verdict
from conformance.report.headline import headline, remarks
from conformance.report.verdict import findings
from conformance.verdicts import EXIT_CODES, Verdict, severity, worst
from tests.conformance.report.reading import case_model, model

Build = Callable[..., dict[str, Any]]


@pytest.mark.parametrize(
    ("verdicts", "lenient", "strict"),
    [
        (["pass", "not_applicable"], "pass", "pass"),
        (["pass", "warn"], "pass", "fail"),
        (["warn"], "pass", "fail"),
        (["pass", "fail", "warn"], "fail", "fail"),
        (["pass", "fail", "error"], "fail", "fail"),
        (["pass", "error"], "error", "error"),
        (["pass", "blocked"], "fail", "fail"),
        (["not_applicable"], "error", "error"),
        ([], "error", "error"),
    ],
)
def test_the_run_is_judged_by_its_cases(a_case: Build, verdicts: list[str], lenient: str, strict: str) -> None:
    cases = [case_model(a_case("VIK-1.1", verdict)) for verdict in verdicts]
    assert overall_verdict(cases, strict=False) == lenient
    assert overall_verdict(cases, strict=True) == strict


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["pass", "error", "fail"], "error"),
        (["warn", "fail", "pass"], "fail"),
        (["pass", "warn"], "warn"),
        (["pass", "blocked"], "blocked"),
        (["not_applicable", "pass"], "pass"),
        ([], "not_applicable"),
    ],
)
def test_a_group_has_its_worst_verdict(verdicts: list[str], expected: str) -> None:
    assert worst(map(Verdict, verdicts)) == expected


def test_every_verdict_is_counted_zero_included(a_case: Build) -> None:
    counts = count_verdicts([case_model(a_case("VIK-1.1", verdict)) for verdict in ("pass", "pass", "warn")])
    assert counts == {"pass": 2, "fail": 0, "warn": 1, "blocked": 0, "not_applicable": 0, "error": 0}


def test_findings_are_in_order_worst_first_then_running_order(a_case: Build) -> None:
    verdicts = ["warn", "fail", "pass", "error", "fail", "not_applicable"]
    found = findings([case_model(a_case(str(number), verdict)) for number, verdict in enumerate(verdicts)])
    assert [case.id for case in found] == ["3", "1", "4", "0"]


@pytest.mark.parametrize(
    ("verdicts", "strict", "expected"),
    [
        (["pass"], False, "Conformant"),
        (["fail"], False, "Not conformant: 1 broken rule"),
        (["fail", "fail", "warn"], False, "Not conformant: 2 broken rules"),
        (["fail", "fail", "warn"], True, "Not conformant: 3 broken rules"),
        (["pass", "error"], False, "No verdict: the harness broke in 1 case"),
        (["fail", "error"], False, "Not conformant: 1 broken rule"),
        (["pass", "blocked"], False, "Not conformant: 1 blocked case"),
        (["fail", "blocked", "blocked"], False, "Not conformant: 1 broken rule and 2 blocked cases"),
        (["not_applicable"], False, "No verdict: no case was judged"),
    ],
)
def test_the_headline_counts_the_causes_of_the_verdict(
    a_report: Build, a_case: Build, verdicts: list[str], *, strict: bool, expected: str
) -> None:
    cases = [a_case(f"VIK-3.{number}", verdict) for number, verdict in enumerate(verdicts, 1)]
    assert headline(model(a_report(cases, strict=strict))) == expected


def test_a_failed_stage_is_named_in_the_headline(a_report: Build) -> None:
    stage = {"name": "Catalog", "summary": "nothing was ingested", "ok": False, "details": []}
    report = a_report(verdict="fail", stages=[stage])
    assert headline(model(report)) == "Not conformant: 1 failed stage (Catalog)"


def test_a_partial_pass_says_that_it_is_partial(a_report: Build, a_case: Build) -> None:
    report = a_report([a_case("VIK-1.1"), a_case("VIK-1.2", "not_applicable")])
    assert any("1 of 2 cases judged" in remark for remark in remarks(model(report)))


def test_a_worse_verdict_has_a_higher_severity_and_exit_code() -> None:
    assert [severity(verdict) for verdict in Verdict] == sorted(severity(verdict) for verdict in Verdict)
    assert {str(verdict): code for verdict, code in EXIT_CODES.items()} == {
        "not_applicable": 0,
        "pass": 0,
        "blocked": 1,
        "warn": 1,
        "fail": 1,
        "error": 3,
    }
