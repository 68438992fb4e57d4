"""A run that did not judge every MUST, and one with late scans: neither may look conformant anywhere."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from conformance.attestation import SUBJECTS, statement
from conformance.report import render_summary
from conformance.report.badge import render_badge
from conformance.report.errors import ReportBreaksSchema
from conformance.report.headline import headline, not_tested, remarks
from conformance.report.html import render_html
from conformance.report.json_file import check
from conformance.report.junit import render_junit
from jwo_contract.register import register
from jwo_toolkit.json_types import JsonObject
from tests.conformance.report.reading import model

Build = Callable[..., JsonObject]
GREEN = "#1a7f37"


def part(*missing: str, judged: int = 61, offered: tuple[str, ...] = ()) -> dict[str, Any]:
    rules = [{"id": each, "title": f"title of {each}", "reason": f"declare what {each} needs"} for each in missing]
    return {
        "complete": not missing,
        "judged": judged,
        "total": judged + len(missing),
        "notJudged": rules,
        "notOffered": list(offered),
    }


@pytest.fixture
def partial(a_report: Build, a_case: Build) -> JsonObject:
    return a_report([a_case("VIK-1.1")], completeness=part("VIK-4", "CP-1.3"))


def _terminal(report: JsonObject) -> str:
    file = io.StringIO()
    render_summary(model(report), Console(file=file, width=200))
    return file.getvalue()


def test_partial_run_is_partial_in_every_form(partial: JsonObject) -> None:
    sentence = "Partial: nothing broken in 61 of 63 MUST rules"

    assert headline(model(partial)) == sentence
    assert _terminal(partial).splitlines()[-1] == sentence
    assert f'<h1 id="verdict">{sentence}</h1>' in render_html(model(partial))
    assert "partial 61/63" in render_badge(model(partial))
    assert GREEN not in render_badge(model(partial))


def test_a_partial_run_lists_what_to_declare(partial: JsonObject) -> None:
    for text in (_terminal(partial), render_html(model(partial))):
        assert "declare what VIK-4 needs" in text
        assert "[suite] not_offered" in text


def test_junit_has_the_completeness_as_properties(partial: JsonObject) -> None:
    root = ET.fromstring(render_junit(model(partial)))  # noqa: S314 - written by the code under test
    facts = {each.get("name"): each.get("value") for each in root.iter("property")}

    assert facts["jwo.complete"] == "false"
    assert facts["jwo.notJudged"] == "VIK-4 CP-1.3"
    assert facts["jwo.headline"] == "Partial: nothing broken in 61 of 63 MUST rules"


def test_a_partial_run_is_certified_as_warned(partial: JsonObject) -> None:
    predicate = statement(model(partial), dict.fromkeys(SUBJECTS, b""))["predicate"]
    facts = {each["name"]: each["annotations"] for each in predicate["configuration"]}["completeness"]

    assert predicate["result"] == "WARNED"
    assert (facts["complete"], facts["judged"], facts["notJudged"]) == (False, 61, ["VIK-4", "CP-1.3"])


def test_a_complete_run_is_conformant_and_names_what_is_not_offered(a_report: Build, a_case: Build) -> None:
    report = model(a_report([a_case("VIK-1.1")], completeness=part(offered=("associate", "rate_limit"))))

    assert headline(report) == "Conformant"
    assert GREEN in render_badge(report)
    assert any("associate, rate_limit" in remark for remark in remarks(report))


def test_a_partial_failure_stays_a_failure_and_says_both(a_report: Build, a_case: Build) -> None:
    report = model(a_report([a_case("VIK-3.4", "fail")], completeness=part("VIK-4")))

    assert headline(report) == "Not conformant: 1 broken rule"
    assert any("judged 61 of 62 MUST rules" in remark for remark in remarks(report))


def test_late_scans_are_in_the_headline_and_not_green(a_report: Build, a_case: Build, a_latency: Build) -> None:
    scans = a_latency(samples=[5.0] * 807 + [2100.0] * 5)
    report = model(a_report([a_case("VIK-1.1")], latency=[scans], completeness=part()))

    assert headline(report) == "Conformant, but 5 of 812 scans took over 2 s"
    assert "5 late scans" in render_badge(report)
    assert GREEN not in render_badge(report)


def test_late_carts_are_a_remark_since_their_limit_is_the_houses(
    a_report: Build, a_case: Build, a_latency: Build
) -> None:
    carts = a_latency("Create Purchases", samples=[5.0, 2500.0])
    report = model(a_report([a_case("VIK-1.1")], latency=[carts], completeness=part()))

    assert headline(report) == "Conformant"
    assert "1 of 2 Create Purchases calls took over 2 s." in remarks(report)


def test_a_report_that_counts_wrongly_breaks_the_format(a_report: Build, a_case: Build) -> None:
    check(a_report([a_case()], completeness=part("VIK-4")))
    with pytest.raises(ReportBreaksSchema, match="completeness"):
        check(a_report([a_case()], completeness=part("VIK-4") | {"complete": True}))


def test_untested_cases_are_counted_by_their_kind(a_full_report: JsonObject) -> None:
    rows = [
        row | {"because": "out_of_scope" if row["reason"].startswith("Out of scope") else "outside"}
        for row in a_full_report["notTested"]
    ]

    kinds = Counter(row.not_tested_because for row in register().values())
    counts = {"out of scope": kinds["out_of_scope"], "not testable from outside": kinds["outside"]}
    expected = ", ".join(f"{number} {name}" for name, number in counts.items() if number)

    assert not_tested(model(a_full_report | {"notTested": rows})) == expected
    assert not_tested(model(a_full_report)) == str(sum(counts.values()))
