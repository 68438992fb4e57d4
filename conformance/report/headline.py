"""The outcome of a run as text, the same in the page, the terminal and the badge."""

from __future__ import annotations

from conformance.report.model import Report
from conformance.report.verdict import broken, expected_failures

SIGNS = {"pass": "✓", "fail": "✕", "warn": "!", "blocked": "⊘", "not_applicable": "·", "error": "?"}
VERDICT_NAMES = {
    "pass": "Pass",
    "fail": "Fail",
    "warn": "Warning",
    "blocked": "Blocked",
    "not_applicable": "Not applicable",
    "error": "Harness error",
}
LEVELS = {"must": "MUST", "should": "SHOULD", "house": "House rule"}
PROVENANCES = {
    "published": "published by Amazon",
    "title": "title of Amazon's case; its steps are not published",
    "inferred": "follows from a published rule",
    "recommended": "recommended by Amazon",
    "partner": "seen at integration partners",
    "house": "our decision where nothing is published",
}


def counted(number: int, singular: str, plural: str = "") -> str:
    """Return a number and its noun, such as `1 case` or `2 cases`."""
    return f"{number} {singular if number == 1 else plural or singular + 's'}"


def headline(report: Report) -> str:
    """Return the verdict as one line, such as `Not conformant: 2 broken rules`."""
    if report.verdict == "pass":
        known = len(expected_failures(report.cases))
        return f"Nothing broken but {counted(known, 'expected failure')}" if known else "Conformant"
    if report.verdict == "error":
        return _no_verdict(report)
    causes = []
    if rules := broken(report.cases, strict=report.suite.strict):
        causes.append(counted(len(rules), "broken rule"))
    if blocked := report.counts.get("blocked", 0):
        causes.append(counted(blocked, "blocked case"))
    if stages := [stage.name for stage in report.stages or () if not stage.ok]:
        causes.append(f"{counted(len(stages), 'failed stage')} ({', '.join(stages)})")
    if stale := report.stale:
        causes.append(f"{counted(len(stale), 'expected failure')} stale")
    return f"Not conformant: {' and '.join(causes)}" if causes else "Not conformant"


def remarks(report: Report) -> list[str]:
    """Return the sentences that a reader needs beside the headline; empty for a clean and complete pass."""
    counts, strict = report.counts, report.suite.strict
    judged, total = counts["pass"] + counts["fail"] + counts["warn"], len(report.cases)
    sentences = []
    if report.verdict == "fail" and counts["error"]:
        sentences.append(f"The harness broke in {counted(counts['error'], 'case')}, so these rules were not judged.")
    if counts["warn"]:
        effect = "which the strict switch counts as broken" if strict else "which does not fail a connector"
        sentences.append(f"{counted(counts['warn'], 'recommended or house rule')} not met, {effect}.")
    if counts["not_applicable"]:
        missing = counts["not_applicable"]
        sentences.append(
            f"{judged} of {total} cases judged; {missing} not applicable, each with its reason in the table."
        )
    return sentences


def _no_verdict(report: Report) -> str:
    errors = report.counts["error"]
    if errors:
        return f"No verdict: the harness broke in {counted(errors, 'case')}"
    judged = report.counts["pass"] + report.counts["fail"] + report.counts["warn"]
    return "No verdict: the harness broke" if judged else "No verdict: no case was judged"
