"""The outcome of a run as text, the same in the page, the terminal and the badge."""

from __future__ import annotations

import math
from collections import Counter

from conformance.report.model import Report
from conformance.report.verdict import broken, expected_failures
from jwo_contract.operations import OPERATIONS, VERIFY_IDENTITY_KEYS
from jwo_contract.register import NotTestedBecause, newest_edition
from jwo_toolkit.texts import no_approval

VERDICT_NAMES = {
    "pass": "Pass",
    "fail": "Fail",
    "warn": "Warning",
    "blocked": "Blocked",
    "not_applicable": "Not applicable",
    "error": "Harness error",
}
NOT_TESTED: dict[NotTestedBecause, str] = {"out_of_scope": "out of scope", "outside": "not testable from outside"}
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
        return _nothing_broken(report)
    if report.verdict == "error":
        return _no_verdict(report)
    causes = []
    if rules := broken(report.cases, strict=report.suite.strict):
        ids = {case.id for case in rules}
        roots = {case.follows_from if case.follows_from in ids else case.id for case in rules}
        from_causes = f" from {counted(len(roots), 'probable cause')}" if len(roots) < len(rules) else ""
        causes.append(counted(len(rules), "broken rule") + from_causes)
    if blocked := report.counts.get("blocked", 0):
        causes.append(counted(blocked, "blocked case"))
    if stages := [stage.name for stage in report.stages or () if not stage.ok]:
        causes.append(f"{counted(len(stages), 'failed stage')} ({', '.join(stages)})")
    if stale := report.stale:
        causes.append(f"{counted(len(stale), 'expected failure')} stale")
    if own := report.own_failures:
        causes.append(counted(len(own), "failed case of the profile", "failed cases of the profile"))
    return f"Not conformant: {' and '.join(causes)}" if causes else "Not conformant"


def judged_share(report: Report) -> str:
    """Return how many MUST rules were judged, such as `61 of 92 MUST rules`; empty for a report that does not say."""
    part = report.completeness
    return f"{part.judged} of {part.total} MUST rules" if part else ""


def late_answers(report: Report, *, published: bool) -> list[str]:
    """Return a text for each call with late answers, where Amazon publishes the time limit, or where it does not."""
    limited = {each.name for each in OPERATIONS if each.published_budget_s < math.inf}
    names = {VERIFY_IDENTITY_KEYS.name: "scans"}
    return [
        f"{row.late} of {row.count} {names.get(row.operation, f'{row.operation} calls')} took over {row.budget_s:g} s"
        for row in report.latency
        if row.late and (row.operation in limited) is published
    ]


def is_qualified(report: Report) -> bool:
    """Say whether nothing is broken, and yet the run must not look conformant: it is partial, or scans were late."""
    return report.verdict == "pass" and (report.is_partial or bool(late_answers(report, published=True)))


def remarks(report: Report) -> list[str]:
    """Return the sentences that a reader needs beside the headline; empty for a clean and complete pass."""
    counts, strict = report.counts, report.suite.strict
    judged, total = judged_cases(report), len(report.cases)
    sentences = _edition(report) + [f"{text}." for text in late_answers(report, published=False)]
    if report.verdict != "pass":
        sentences += [f"{text}." for text in late_answers(report, published=True)]
        sentences += [f"The run is partial: it judged {judged_share(report)}."] if report.is_partial else []
    if report.completeness and report.completeness.not_offered:
        names = ", ".join(report.completeness.not_offered)
        sentences.append(f"Not offered, as the profile says, and so not judged: {names}.")
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


def _edition(report: Report) -> list[str]:
    """Return a sentence if a newer edition of the documentation exists than the one that judged."""
    judged_by, newest = report.suite.doc_set, newest_edition()
    return [f"Judged by the edition {judged_by} of the documentation; the newest is {newest}."] * (judged_by < newest)


def meaning(report: Report) -> tuple[str, str]:
    """Return two sentences: what the certificate of the run means, and what it does not mean."""
    judged = judged_share(report) or counted(judged_cases(report), "case")
    every = counted(report.completeness.total, "MUST rule") if report.completeness else judged
    known = counted(len(expected_failures(report.cases)), "known breach", "known breaches")
    if report.verdict == "error":
        means = "This run has no verdict, and its certificate proves nothing about the connector."
    elif report.verdict == "fail":
        means = f"The certificate says that this run judged {judged} and found the connector not conformant."
    elif expected_failures(report.cases):
        means = f"The certificate says that this run judged {judged} and found nothing broken but {known}."
    elif report.is_partial:
        means = f"The certificate says that the connector met the rules that this run judged, {judged}, and no others."
    else:
        means = f"The certificate says that the connector met all {every} of the declared tiers in this run."
    return means, no_approval("rules without a test, about load, or about another version of the connector")


def judged_cases(report: Report) -> int:
    """Return the number of cases with a verdict about the connector."""
    return sum(report.counts[name] for name in ("pass", "fail", "warn"))


def _nothing_broken(report: Report) -> str:
    known = len(expected_failures(report.cases))
    nothing = f"nothing broken but {counted(known, 'expected failure')}" if known else ""
    late = " and ".join(late_answers(report, published=True))
    if report.is_partial:
        text = f"Partial: {nothing or 'nothing broken'} in {judged_share(report)}"
    else:
        text = nothing.capitalize() or "Conformant"
    return f"{text}, but {late}" if late else text


def not_tested(report: Report) -> str:
    """Return how many published cases have no test, such as `164 out of scope, 44 not testable from outside`."""
    kinds = Counter(row.because for row in report.not_tested)
    return ", ".join(f"{kinds[kind]} {name}" for kind, name in NOT_TESTED.items() if kinds[kind]) or str(
        len(report.not_tested)
    )


def _no_verdict(report: Report) -> str:
    errors = report.counts["error"]
    if errors:
        return f"No verdict: the harness broke in {counted(errors, 'case')}"
    return "No verdict: the harness broke" if judged_cases(report) else "No verdict: no case was judged"
