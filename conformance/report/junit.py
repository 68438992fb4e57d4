"""junit.xml, as GitHub and Jenkins read it: a test suite for each API, a test case for each case, times in seconds."""

from __future__ import annotations

from conformance.report.grouping import Finding, by_cause, ids
from conformance.report.headline import LEVELS, headline
from conformance.report.model import Case, OwnCase, Report, Stale
from conformance.report.verdict import is_expected
from jwo_toolkit import junit
from jwo_toolkit.texts import printable

_MAX_IDS = 40


def render_junit(report: Report) -> str:
    """Return the XML. A `warn` passes with its text in system-out, unless the run is strict: then it is a failure."""
    strict, facts = report.suite.strict, _facts(report)
    roots = {finding.root.id: finding for finding in by_cause(report.cases)}
    ordered = sorted(report.cases, key=lambda case: case.id not in roots)
    suites = []
    for api in dict.fromkeys(case.api for case in report.cases):
        cases = [_case(case, roots.get(case.id), strict=strict) for case in ordered if case.api == api]
        suites.append(junit.Suite(printable(api), cases, timestamp=report.started_at, properties=facts))
    if report.own_cases:
        suites.append(junit.Suite("Cases of the profile", [_own_case(case) for case in report.own_cases]))
    if report.stale:
        suites.append(junit.Suite("Expected failures", [_stale(entry) for entry in report.stale]))
    return junit.render("JWO conformance", suites)


def _facts(report: Report) -> dict[str, str]:
    """Return what the run concludes; a reader sees there whether it is partial."""
    facts = {"jwo.verdict": str(report.verdict), "jwo.headline": printable(headline(report))}
    if part := report.completeness:
        facts |= {
            "jwo.complete": str(part.complete).lower(),
            "jwo.judged": str(part.judged),
            "jwo.total": str(part.total),
            "jwo.notJudged": " ".join(rule.id for rule in part.not_judged),
            "jwo.notOffered": " ".join(part.not_offered),
        }
    return facts


def _own_case(case: OwnCase) -> junit.Case:
    outcomes: dict[str, junit.Outcome] = {"pass": "passed", "fail": "failure", "error": "error"}
    outcome = outcomes.get(case.verdict, "skipped")
    lines = {"expected": case.expected, "got": case.got, "reason": case.reason, "replay": case.replay}
    return junit.Case(
        name=printable(f"own:{case.name}"),
        classname="Cases of the profile",
        outcome=outcome,
        message=printable("" if outcome == "passed" else case.reason or case.expected),
        type="own" if outcome in {"failure", "error"} else "",
        text=printable("\n".join(f"{name}: {text}" for name, text in lines.items() if text)),
        time_ms=case.duration_ms,
    )


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


def _case(case: Case, finding: Finding | None, *, strict: bool) -> junit.Case:
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
        text=_finding(case, finding) if outcome in {"failure", "error"} else "",
        output="WARNING\n" + _finding(case, finding) if is_warning else _finding(case, finding) if known else "",
        time_ms=case.duration_ms,
    )


def _finding(case: Case, finding: Finding | None) -> str:
    follows = (*finding.consequences, *finding.blocked) if finding else ()
    lines = {
        "rule": f"{case.rule} ({LEVELS[case.level]})",
        "expected": case.expected,
        "got": case.got,
        "reason": case.reason,
        "probably follows from": case.follows_from or "",
        "usually": "" if case.follows_from else case.hint,
        "then": f"{len(follows)} follow from it: {ids(follows, _MAX_IDS)}" if follows else "",
        "replay": case.replay,
    }
    return printable("\n".join(f"{name}: {text}" for name, text in lines.items() if text))
