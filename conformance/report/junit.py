"""junit.xml, as GitHub and Jenkins read it: a test suite an API, a test case a case, times in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from conformance.report.clean import printable
from conformance.report.headline import LEVELS
from conformance.report.model import Case, Report, Stale
from conformance.report.verdict import is_expected

_NOT_XML = str.maketrans(dict.fromkeys((0xFFFE, 0xFFFF)))


def render_junit(report: Report) -> str:
    """Return the XML. A `warn` passes with its text in system-out, unless the run is strict: then it is a failure."""
    strict = report.suite.strict
    root = ET.Element("testsuites", {"name": "JWO conformance", **_totals(report.cases, strict=strict)})
    for api in dict.fromkeys(case.api for case in report.cases):
        cases = [case for case in report.cases if case.api == api]
        suite = ET.SubElement(root, "testsuite", {"name": _legal(api), **_totals(cases, strict=strict)})
        suite.set("timestamp", report.started_at)
        for case in cases:
            _add_case(suite, case, strict=strict)
    if report.stale:
        _add_stale(root, report.stale)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_stale(root: ET.Element, stale: Sequence[Stale]) -> None:
    """Add the expected failures that do not hold, as failures of a suite of their own."""
    totals = {"tests": str(len(stale)), "failures": str(len(stale)), "errors": "0", "skipped": "0", "time": "0.000"}
    suite = ET.SubElement(root, "testsuite", {"name": "Expected failures", **totals})
    for entry in stale:
        name = _legal(f"{entry.id} is a stale expected failure")
        test = ET.SubElement(suite, "testcase", name=name, classname="Expected failures", time="0.000")
        failure = ET.SubElement(test, "failure", message=_legal(entry.why), type="stale")
        failure.text = _legal(f"{entry.why}; the reason given was: {entry.reason}")
    for name in ("tests", "failures"):
        root.set(name, str(int(root.get(name, "0")) + len(stale)))


def _totals(cases: Sequence[Case], *, strict: bool) -> dict[str, str]:
    outcomes = [_outcome(case, strict=strict) for case in cases]
    return {
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
        "time": _seconds(sum(case.duration_ms for case in cases)),
    }


def _outcome(case: Case, *, strict: bool) -> str:
    if is_expected(case):
        return "skipped"
    outcomes = {"fail": "failure", "error": "error", "not_applicable": "skipped"}
    if strict:
        outcomes["warn"] = "failure"
    return outcomes.get(case.verdict, "passed")


def _add_case(suite: ET.Element, case: Case, *, strict: bool) -> None:
    name = _legal(f"{case.id} {case.title}".strip())
    entry = ET.SubElement(suite, "testcase", name=name, classname=_legal(case.api), time=_seconds(case.duration_ms))
    outcome = _outcome(case, strict=strict)
    if outcome == "failure":
        failure = ET.SubElement(entry, "failure", message=_legal(case.rule), type=case.level)
        failure.text = _finding(case)
    elif outcome == "error":
        error = ET.SubElement(entry, "error", message=_legal(case.reason), type="harness")
        error.text = _finding(case)
    elif outcome == "skipped":
        known = case.expected_failure
        ET.SubElement(entry, "skipped", message=_legal(f"expected failure: {known}" if known else case.reason))
        if known:
            ET.SubElement(entry, "system-out").text = _finding(case)
    elif case.verdict == "warn":
        ET.SubElement(entry, "system-out").text = "WARNING\n" + _finding(case)


def _finding(case: Case) -> str:
    lines = {
        "rule": f"{case.rule} ({LEVELS[case.level]})",
        "expected": case.expected,
        "got": case.got,
        "reason": case.reason,
        "usually": case.hint,
        "replay": case.replay,
    }
    return _legal("\n".join(f"{name}: {text}" for name, text in lines.items() if text))


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"


def _legal(text: str) -> str:
    return printable(text).translate(_NOT_XML)
