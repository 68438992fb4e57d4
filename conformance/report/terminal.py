"""The summary on the terminal: the findings and what to do about them, then the counts and the verdict."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.text import Text

from conformance.report.clean import cut
from conformance.report.grouping import Finding, by_cause, ids
from conformance.report.headline import LEVELS, VERDICT_NAMES, counted, headline, is_qualified, meaning, remarks
from conformance.report.model import Latency, Report, Stage
from conformance.report.verdict import expected_failures
from jwo_toolkit.figures import duration
from jwo_toolkit.texts import printable

_STYLES = {
    "pass": "bold green",
    "fail": "bold red",
    "warn": "bold yellow",
    "blocked": "dim",
    "not_applicable": "dim",
    "error": "magenta",
}
_MARKS = {"fail": "FAIL", "warn": "WARN", "error": "ERROR"}
_MAX_FINDINGS = 25
_MAX_IDS = 12
_MAX_NOT_JUDGED = 40
_MAX_TEXT = 300


def render_summary(report: Report, console: Console, paths: Mapping[str, Path] | None = None) -> None:
    """Print the summary; `paths` is the result of `write_all`. A console that is not a terminal gets no colours."""
    for line in _lines(report, paths or {}):
        shown = printable(line.plain).encode(console.encoding, "replace").decode(console.encoding)
        line = Text(shown, style=line.style) if shown != line.plain else line  # noqa: PLW2901 - the characters that the console supports
        console.print(line, soft_wrap=not console.is_terminal, highlight=False, markup=False)


def _lines(report: Report, paths: Mapping[str, Path]) -> Iterator[Text]:
    for stage in report.stages or ():
        yield _stage(stage)
    found = by_cause(report.cases)
    for finding in found[:_MAX_FINDINGS]:
        yield from _finding(finding)
    if (left := len(found) - _MAX_FINDINGS) > 0:
        yield Text(f"... and {counted(left, 'more finding')}, in the report.")
    yield from _own_cases(report)
    yield from _expectations(report)
    yield from _not_judged(report)
    for row in report.latency:
        yield Text(_latency(row), style="dim")
    yield from _verdict(report)
    for name, path in paths.items():
        yield Text(f"  {name:<6} {path}")


def _stage(stage: Stage) -> Text:
    mark, style = ("ok", "green") if stage.ok else ("FAILED", "bold red")
    return Text.assemble((f"{mark:<7}", style), f"{stage.name}: {stage.summary}")


def _finding(finding: Finding) -> Iterator[Text]:
    case, verdict = finding.root, finding.root.verdict
    yield Text()
    yield Text.assemble((f"{_MARKS[verdict]:<6}", _STYLES[verdict]), (f"{case.id}  {case.title}", "bold"))
    yield Text(f"      {case.rule} ({LEVELS[case.level]})")
    labelled = {"expected": "expected", "got": "got", "harness": "reason", "usually": "hint", "replay": "replay"}
    for label, member in labelled.items():
        if value := getattr(case, member):
            text = cut(value, _MAX_TEXT).replace("\n", "\n" + " " * 16)
            yield Text.assemble((f"      {label:<9} ", "dim"), text)
    for cases, words in (
        (finding.consequences, "probably follow from it"),
        (finding.blocked, "are blocked by it"),
    ):
        if cases:
            yield Text.assemble((f"      {'then':<9} ", "dim"), f"{len(cases)} {words}: {ids(cases, _MAX_IDS)}")


def _own_cases(report: Report) -> Iterator[Text]:
    """Yield the cases of the profile: the failed ones with what they expect, and then how many passed."""
    own = report.own_cases or ()
    for case in [each for each in own if each.verdict in _MARKS][:_MAX_FINDINGS]:
        yield Text()
        yield Text.assemble((f"{_MARKS[case.verdict]:<6}", _STYLES[case.verdict]), (f"own:{case.name}", "bold"))
        for label in ("expected", "got", "reason", "replay"):
            if value := getattr(case, label):
                yield Text.assemble((f"      {label:<9} ", "dim"), cut(value, _MAX_TEXT))
    if own:
        passed = sum(case.verdict == "pass" for case in own)
        yield Text()
        yield Text(f"Cases of the profile: {passed} of {len(own)} passed. They are no part of the score.")


def _not_judged(report: Report) -> Iterator[Text]:
    """Yield the MUST rules that were not judged, each reason once with its ids."""
    part = report.completeness
    if part is None or part.complete:
        return
    yield Text()
    yield Text(f"Not judged: {len(part.not_judged)} of {part.total} MUST rules. Declare what is missing (jwo doctor),")
    yield Text("or list in [suite] not_offered of the profile what the retailer does not offer:")
    by_reason: dict[str, list[str]] = {}
    for rule in part.not_judged:
        by_reason.setdefault(rule.reason, []).append(rule.id)
    for reason, names in list(by_reason.items())[:_MAX_NOT_JUDGED]:
        more = f" and {len(names) - _MAX_IDS} more" if len(names) > _MAX_IDS else ""
        yield Text.assemble((f"  {', '.join(names[:_MAX_IDS])}{more}", "bold"), f"  {cut(reason, _MAX_TEXT)}")


def _expectations(report: Report) -> Iterator[Text]:
    for case in expected_failures(report.cases)[:_MAX_FINDINGS]:
        yield Text.assemble(("KNOWN ", "dim"), f"{case.id}  expected to be broken: {case.expected_failure}")
    for entry in report.stale[:_MAX_FINDINGS]:
        source = report.expected_failures.source if report.expected_failures else ""
        advice = f"{entry.id}  {entry.why}, so remove it from {source}"
        yield Text.assemble(("STALE ", _STYLES["fail"]), advice)


def _latency(row: Latency) -> str:
    figures = ", ".join(f"{name} {duration(getattr(row, f'{name}_ms'))}" for name in ("p50", "p95", "p99", "max"))
    return f"{row.operation}: {counted(row.count, 'answer')}, {figures}, {row.late} over {row.budget_s:g} s"


def _verdict(report: Report) -> Iterator[Text]:
    counts = ", ".join(
        f"{number} {VERDICT_NAMES[verdict].lower()}" for verdict, number in report.counts.items() if number
    )
    yield Text()
    yield Text(f"{counted(len(report.cases), 'case')}: {counts or 'none run'}")
    for remark in remarks(report):
        yield Text(remark)
    yield Text(" ".join(meaning(report)), style="dim")
    yield Text(headline(report), style=_STYLES["warn" if is_qualified(report) else report.verdict])
