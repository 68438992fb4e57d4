"""The JUnit file: totals, outcomes, and characters that XML forbids."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from jwo_toolkit.junit import Case, Suite, render, render_suite

CASES = [
    Case("is right", "api", time_ms=1500),
    Case("is wrong", "api", "failure", "a rule", "must", "the answer", time_ms=1),
    Case("broke", "api", "error", "the harness", "harness", time_ms=1),
    Case("was left out", "api", "skipped", "nothing declared", output="a note", time_ms=1),
]


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text)  # noqa: S314 - written by the function under test


def test_totals_count_the_cases() -> None:
    root = parsed(render("all", [Suite("one", CASES, "2026-02-01T00:00:00Z"), Suite("two", CASES[:1])]))
    assert root.attrib == {
        "name": "all", "tests": "5", "failures": "1", "errors": "1", "skipped": "1", "time": "3.003"
    }  # fmt: skip
    one, two = root
    assert one.attrib == {
        "name": "one", "tests": "4", "failures": "1", "errors": "1", "skipped": "1", "time": "1.503",
        "timestamp": "2026-02-01T00:00:00Z",
    }  # fmt: skip
    assert (two.attrib["tests"], "timestamp" in two.attrib) == ("1", False)


def test_each_outcome_has_its_element_and_text() -> None:
    right, wrong, broke, left_out = parsed(render_suite(Suite("one", CASES)))
    assert (list(right), right.attrib) == ([], {"name": "is right", "classname": "api", "time": "1.500"})
    assert (wrong[0].tag, wrong[0].attrib, wrong[0].text) == (
        "failure", {"message": "a rule", "type": "must"}, "the answer"
    )  # fmt: skip
    assert (broke[0].tag, broke[0].attrib) == ("error", {"message": "the harness", "type": "harness"})
    assert [child.tag for child in left_out] == ["skipped", "system-out"]


def test_characters_that_xml_forbids_are_left_out() -> None:
    bad = "a\x00\x1b\ufffe\uffff\ud800b\t<&>\n\U0001f600"
    case = Case(bad, bad, "failure", bad, "t", bad, bad)
    root = parsed(render(bad, [Suite(bad, [case])]))
    assert root.attrib["name"] == "ab\t<&>\n\U0001f600"
    assert root[0][0][0].text == "ab\t<&>\n\U0001f600"


def test_cases_without_a_time_have_no_time_attribute() -> None:
    root = parsed(render_suite(Suite("one", [Case("a", "b")])))
    assert "time" not in root.attrib
    assert "time" not in root[0].attrib
