"""Shows a report.json on GitHub: job summary, annotations and outputs. Standard library only.

It escapes the connector's answers, so they can neither format the summary nor run a workflow command.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Case = Mapping[str, Any]
SIGNS = {"warn": "⚠️", "fail": "❌", "error": "💥"}
WORDS = {"warn": "warning", "error": "harness error", "not_applicable": "not applicable"}
NO_REPORT = "## Just Walk Out connector\n\nThere is no report. The log of this step says why.\n"
LEVELS = {"must": "MUST", "should": "SHOULD", "house": "house rule"}
MOST_ANNOTATIONS = 10
"""GitHub shows at most this number of each kind for a step."""
MOST_FINDINGS = 50
MOST_TEXT = 600


def main(path: Path) -> int:
    """Present the report at `path`. Returns 0 even for findings: the exit code of `jwo certify` decides."""
    try:
        report = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        _append("GITHUB_STEP_SUMMARY", NO_REPORT)
        _append("GITHUB_OUTPUT", "verdict=\ncomplete=\nbadge=\n")
        return 0
    _append("GITHUB_STEP_SUMMARY", summary(report))
    complete = str(not _partial(report)).lower()
    badge = path.parent / "badge.svg"
    _append("GITHUB_OUTPUT", f"verdict={report['verdict']}\ncomplete={complete}\nbadge={badge}\n")
    for line in annotations(report):
        print(line)
    return 0


def summary(report: Mapping[str, Any]) -> str:
    """Return the job summary as Markdown."""
    counts = ", ".join(
        f"{number} {WORDS.get(verdict, verdict)}" for verdict, number in report["counts"].items() if number
    )
    title = {"pass": "✅ nothing is broken", "fail": "❌ not conformant", "error": "💥 no verdict"}[report["verdict"]]
    title = _partial(report) if report["verdict"] == "pass" and _partial(report) else title
    lines = [f"## Just Walk Out connector: {title}", "", f"{len(report['cases'])} cases: {counts}", ""]
    lines += list(_not_judged(report))
    lines += list(_latency(report))
    found = findings(report)
    for case in found[:MOST_FINDINGS]:
        lines += _finding(case)
    if len(found) > MOST_FINDINGS:
        lines.append(f"{len(found) - MOST_FINDINGS} more findings in the report.")
    lines += list(_expected(report))
    suite = report["suite"]
    lines += [
        "",
        f"{suite['name']} {suite['version']}, rules `{suite['revision'][:12]}`, documentation {suite['docSet']}",
    ]
    return "\n".join(lines) + "\n"


def annotations(report: Mapping[str, Any]) -> list[str]:
    """Return workflow commands: an error for each finding that fails the run, a warning for the others."""
    strict = report["suite"]["strict"]
    errors, warnings = [], []
    for case in findings(report):
        fails = case["verdict"] != "warn" or strict
        (errors if fails else warnings).append(_annotation("error" if fails else "warning", case))
    errors += [
        _command("error", f"{entry['id']} is a stale expected failure", f"{entry['why']}; remove it from the list")
        for entry in report.get("expectedFailures", {}).get("stale", ())
    ]
    return [*_first(errors, "error"), *_first(warnings, "warning")]


def findings(report: Mapping[str, Any]) -> list[Case]:
    """Return the cases that need attention, worst first."""
    order = ("error", "fail", "warn")
    found = [case for case in report["cases"] if case["verdict"] in order and not case.get("expectedFailure")]
    present = {case["id"] for case in found}
    follows = [case for case in found if case.get("followsFrom") in present]
    return sorted(found, key=lambda case: (case in follows, order.index(case["verdict"])))


def _partial(report: Mapping[str, Any]) -> str:
    """Return the title of a partial run; empty for a complete one, and for a report of an older version."""
    part = report.get("completeness", {"complete": True})
    return "" if part["complete"] else f"🟡 partial: {part['judged']} of {part['total']} MUST rules judged"


def _not_judged(report: Mapping[str, Any]) -> Iterator[str]:
    rules = report.get("completeness", {}).get("notJudged", ())
    if rules:
        yield from (f"<details><summary>{len(rules)} MUST rules were not judged</summary>", "")
    for rule in rules[:MOST_FINDINGS]:
        yield f"- {_plain(rule['id'])}: {_plain(rule['reason'])}"
    if len(rules) > MOST_FINDINGS:
        yield f"- {len(rules) - MOST_FINDINGS} more, in the report"
    if rules:
        yield from ("", "</details>", "")


def _finding(case: Case) -> list[str]:
    rows = {"expected": case["expected"], "got": case["got"], "because": case["reason"], "usually": case["hint"]}
    if case.get("followsFrom"):
        rows |= {"usually": "", "follows": f"probably from {case['followsFrom']}"}
    lines = [f"{label:<9} {_cut(text)}" for label, text in (*rows.items(), ("replay", case["replay"])) if text]
    name = f"{SIGNS[case['verdict']]} <b>{_plain(case['id'])}</b> {_plain(case['title'])} ({LEVELS[case['level']]})"
    return [
        f"<details><summary>{name}</summary>",
        "",
        _plain(case["rule"]),
        "",
        *_fenced("\n".join(lines)),
        "",
        "</details>",
        "",
    ]


def _latency(report: Mapping[str, Any]) -> Iterator[str]:
    if report["latency"]:
        yield from ("| call | answers | p50 | p99 | slowest | late |", "|---|--:|--:|--:|--:|--:|")
    for row in report["latency"]:
        times = " | ".join(f"{row[name]:.0f} ms" for name in ("p50Ms", "p99Ms", "maxMs"))
        yield f"| {_plain(row['operation'])} | {row['count']} | {times} | {row['late']} over {row['budgetS']:g} s |"
    yield ""


def _expected(report: Mapping[str, Any]) -> Iterator[str]:
    for case in report["cases"]:
        if case.get("expectedFailure"):
            yield f"- {_plain(case['id'])} is broken as expected: {_plain(case['expectedFailure'])}"
    for entry in report.get("expectedFailures", {}).get("stale", ()):
        yield f"- ❌ {_plain(entry['id'])} is a stale expected failure: {_plain(entry['why'])}"


def _annotation(kind: str, case: Case) -> str:
    lines = [case["rule"], f"expected {_cut(case['expected'])}", f"got {_cut(case['got'])}", case["replay"]]
    if case["verdict"] == "error":
        lines = ["The suite itself broke. This says nothing about the connector.", _cut(case["reason"])]
    return _command(kind, f"{case['id']} {case['title']}", "\n".join(lines))


def _command(kind: str, title: str, text: str) -> str:
    """Return a workflow command, with the characters escaped that could end it or begin another."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    name = title.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A").replace(":", "%3A").replace(",", "%2C")
    return f"::{kind} title={name}::{escaped}"


def _first(commands: list[str], kind: str) -> list[str]:
    if len(commands) <= MOST_ANNOTATIONS:
        return commands
    left = len(commands) - MOST_ANNOTATIONS + 1
    return [*commands[: MOST_ANNOTATIONS - 1], _command(kind, f"{left} more findings", "See the job summary.")]


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]} … ({len(text) - MOST_TEXT} more characters)"


def _plain(text: str) -> str:
    """Return the text on one line, escaped for Markdown and HTML."""
    one_line = " ".join(_cut(text).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"&#{ord(letter)};" if letter in "`*_[]|\\~@#!" else letter for letter in one_line)


def _fenced(text: str) -> list[str]:
    """Return a code block with a fence longer than any in the text."""
    fence = "```"
    while fence in text:
        fence += "`"
    return [fence, text, fence]


def _append(variable: str, text: str) -> None:
    """Append to the file that the runner names in a variable; print the text if there is no runner."""
    if name := os.environ.get(variable):
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(text)
    else:
        print(text)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
