"""junit.xml, as GitHub and Jenkins read it: a test suite for each API, a test case for each case, times in seconds."""

from __future__ import annotations

from conformance.report.clean import printable
from conformance.report.headline import LEVELS
from conformance.report.model import Case, Report, Stale
from conformance.report.verdict import is_expected
from jwo_toolkit import junit


def render_junit(report: Report) -> str:
    """Return the XML. A `warn` passes with its text in system-out, unless the run is strict: then it is a failure."""
    strict = report.suite.strict
    suites = []
    for api in dict.fromkeys(case.api for case in report.cases):
        cases = [_case(case, strict=strict) for case in report.cases if case.api == api]
        suites.append(junit.Suite(printable(api), cases, timestamp=report.started_at))
    if report.stale:
        suites.append(junit.Suite("Expected failures", [_stale(entry) for entry in report.stale]))
    return junit.render("JWO conformance", suites)


def _stale(entry: Stale) -> junit.Case:
    """Return a stale expected failure as a failed test case."""
    return junit.Case(
        name=printable(f"{entry.id} is a stale expected failure"),
        classname="Expected failures",
        outcome="failure",
        message=printable(entry.why),
        type="stale",
        text=printable(f"{entry.why}; the reason given was: {entry.reason}"),
        time_ms=0,
    )


def _outcome(case: Case, *, strict: bool) -> junit.Outcome:
    if is_expected(case):
        return "skipped"
    outcomes: dict[str, junit.Outcome] = {
        "fail": "failure",
        "error": "error",
        "not_applicable": "skipped",
        "blocked": "skipped",
    }
    if strict:
        outcomes["warn"] = "failure"
    return outcomes.get(case.verdict, "passed")


def _case(case: Case, *, strict: bool) -> junit.Case:
    outcome = _outcome(case, strict=strict)
    known = case.expected_failure if outcome == "skipped" else None
    messages = {
        "failure": case.rule,
        "error": case.reason,
        "skipped": f"expected failure: {known}" if known else case.reason,
    }
    is_warning = outcome == "passed" and case.verdict == "warn"
    return junit.Case(
        name=printable(f"{case.id} {case.title}".strip()),
        classname=printable(case.api),
        outcome=outcome,
        message=printable(messages.get(outcome, "")),
        type={"failure": case.level, "error": "harness"}.get(outcome, ""),
        text=_finding(case) if outcome in {"failure", "error"} else "",
        output="WARNING\n" + _finding(case) if is_warning else _finding(case) if known else "",
        time_ms=case.duration_ms,
    )


def _finding(case: Case) -> str:
    lines = {
        "rule": f"{case.rule} ({LEVELS[case.level]})",
        "expected": case.expected,
        "got": case.got,
        "reason": case.reason,
        "usually": case.hint,
        "replay": case.replay,
    }
    return printable("\n".join(f"{name}: {text}" for name, text in lines.items() if text))
