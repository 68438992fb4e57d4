from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from conformance.report.badge import render_badge
from conformance.report.junit import render_junit
from jwo_toolkit.json_types import JsonObject
from tests.conformance.report.reading import model

Build = Callable[..., JsonObject]
SVG = "{http://www.w3.org/2000/svg}"


def _read(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - written by the code under test


@pytest.fixture
def one_of_each(a_case: Build) -> list[JsonObject]:
    verdicts = {"VIK-1.1": "pass", "VIK-3.4": "fail", "VIK-X.3": "warn", "VIK-1.2": "not_applicable", "CP-1.1": "error"}
    return [a_case(case_id, verdict) for case_id, verdict in verdicts.items()]


def test_each_api_is_a_suite_with_its_totals(a_report: Build, one_of_each: list[JsonObject]) -> None:
    root = _read(render_junit(model(a_report(one_of_each))))
    assert [suite.get("name") for suite in root] == ["Verify Identity Keys", "Create Purchases"]
    totals = {name: root.get(name) for name in ("tests", "failures", "errors", "skipped", "time")}
    assert totals == {"tests": "5", "failures": "1", "errors": "1", "skipped": "1", "time": "0.032"}
    assert root[0].get("tests") == "4"


def test_each_verdict_has_its_element(a_report: Build, one_of_each: list[JsonObject]) -> None:
    cases = {
        str(case.get("name")).split(" ")[0]: case
        for case in _read(render_junit(model(a_report(one_of_each)))).iter("testcase")
    }
    assert {name: [child.tag for child in case] for name, case in cases.items()} == {
        "VIK-1.1": [],
        "VIK-3.4": ["failure"],
        "VIK-X.3": ["system-out"],
        "VIK-1.2": ["skipped"],
        "CP-1.1": ["error"],
    }
    assert cases["VIK-3.4"].get("name") == "VIK-3.4 identityKey Exceeds 1000 Characters"
    assert cases["VIK-3.4"].get("classname") == "Verify Identity Keys"
    assert cases["VIK-3.4"].get("time") == "0.006"
    assert "got: 200 {...}" in str(cases["VIK-3.4"][0].text)
    assert "replay: jwo replay VIK-3.4" in str(cases["VIK-3.4"][0].text)
    assert cases["VIK-1.2"][0].get("message") == "no cash_shopper key is declared"


def test_a_strict_run_fails_on_a_warning(a_report: Build, a_case: Build) -> None:
    root = _read(render_junit(model(a_report([a_case("VIK-X.3", "warn")], strict=True))))
    assert root.get("failures") == "1"


def test_characters_that_xml_forbids_are_escaped(a_report: Build, a_case: Build) -> None:
    got = "a\x00\x1b[31m\ud800\ufffe<&]]>\x85"
    root = _read(render_junit(model(a_report([a_case(verdict="fail", got=got)]))))
    assert "a\\x00\\x1b[31m\\ud800<&]]>\\x85" in "".join(root.itertext())


@pytest.mark.parametrize(
    ("verdicts", "message", "colour"),
    [
        (["pass"], "conformant", "#1a7f37"),
        (["fail"], "1 finding", "#b3261e"),
        (["fail", "fail", "fail", "warn"], "3 findings", "#b3261e"),
        (["fail", "error"], "1 finding", "#b3261e"),
        (["pass", "error"], "error", "#5f6670"),
    ],
)
def test_the_badge_shows_the_verdict(
    a_report: Build, a_case: Build, verdicts: list[str], message: str, colour: str
) -> None:
    report = a_report([a_case(f"VIK-3.{number}", verdict) for number, verdict in enumerate(verdicts, 1)])
    svg = _read(render_badge(model(report)))
    assert [text.text for text in svg.iter(f"{SVG}text")] == ["JWO core", message]
    assert svg.findtext(f"{SVG}title") == f"JWO core: {message}"
    assert colour in {rect.get("fill") for rect in svg.iter(f"{SVG}rect")}


def test_the_badge_names_the_tiers_that_were_judged(a_report: Build, a_case: Build) -> None:
    cases = [a_case("VIK-1.1"), a_case("X-2", tier="entry"), a_case("X-3", "not_applicable", tier="catalog")]
    assert "JWO core+entry" in render_badge(model(a_report(cases)))


def test_a_badge_without_a_judged_case_names_no_tier(a_report: Build, a_case: Build) -> None:
    assert "JWO: error" in render_badge(model(a_report([a_case(verdict="not_applicable")])))
