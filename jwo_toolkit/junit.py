"""junit.xml as GitHub and Jenkins read it: test suites with their totals, and the cases of each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal
from xml.etree import ElementTree as ET

Outcome = Literal["passed", "failure", "error", "skipped"]
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""The characters that XML 1.0 forbids, even as character references."""


@dataclass(frozen=True)
class Case:
    """One test case. `message`, `type` and `text` describe the problem of a case that did not pass."""

    name: str
    classname: str
    outcome: Outcome = "passed"
    message: str = ""
    type: str = ""
    text: str = ""
    output: str = ""
    """What the case printed (`system-out`)."""
    time_ms: float | None = None


@dataclass(frozen=True)
class Suite:
    """One test suite; its totals are counted from its cases."""

    name: str
    cases: Sequence[Case]
    timestamp: str = ""
    """ISO 8601; empty to leave it out."""
    properties: Mapping[str, str] = field(default_factory=dict)
    """Facts about the run, by name."""


def render(name: str, suites: Sequence[Suite]) -> str:
    """Return the XML document of several suites, without the characters that XML cannot hold."""
    root = ET.Element(
        "testsuites", {"name": _legal(name), **_totals([case for suite in suites for case in suite.cases])}
    )
    for suite in suites:
        root.append(_suite(suite))
    return _document(root)


def render_suite(suite: Suite) -> str:
    """Return the XML document of one suite."""
    return _document(_suite(suite))


def _document(root: ET.Element) -> str:
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(suite: Suite) -> ET.Element:
    element = ET.Element("testsuite", {"name": _legal(suite.name), **_totals(suite.cases)})
    if suite.timestamp:
        element.set("timestamp", suite.timestamp)
    if suite.properties:
        properties = ET.SubElement(element, "properties")
        for name, value in suite.properties.items():
            ET.SubElement(properties, "property", {"name": _legal(name), "value": _legal(value)})
    element.extend(_case(case) for case in suite.cases)
    return element


def _totals(cases: Sequence[Case]) -> dict[str, str]:
    outcomes = [case.outcome for case in cases]
    counts: dict[str, Outcome] = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    totals = {"tests": len(outcomes), **{total: outcomes.count(outcome) for total, outcome in counts.items()}}
    timed = [case.time_ms for case in cases if case.time_ms is not None]
    return {name: str(count) for name, count in totals.items()} | ({"time": _seconds(sum(timed))} if timed else {})


def _case(case: Case) -> ET.Element:
    element = ET.Element("testcase", {"name": _legal(case.name), "classname": _legal(case.classname)})
    if case.time_ms is not None:
        element.set("time", _seconds(case.time_ms))
    if case.outcome != "passed":
        attributes = {"message": _legal(case.message), **({"type": case.type} if case.type else {})}
        ET.SubElement(element, case.outcome, attributes).text = _legal(case.text) or None
    if case.output:
        ET.SubElement(element, "system-out").text = _legal(case.output)
    return element


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.3f}"


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
