"""Compares two reports, case by case, for `jwo compare A.json B.json`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.text import Text

from conformance.report.model import FORMAT
from conformance.verdicts import Verdict, severity
from jwo.errors import Usage
from jwo_toolkit.texts import printable

Case = Mapping[str, Any]


class Change(NamedTuple):
    """A case and its verdicts in both reports; `before` or `after` is empty if the case did not run."""

    id: str
    title: str
    before: str
    after: str


class Comparison(NamedTuple):
    """The cases by the kind of change, in the order of the later report, and remarks on whether the runs compare."""

    newly_broken: list[Change]
    mended: list[Change]
    still_broken: list[Change]
    missing: list[Change]
    """Had a verdict before; now not run, not applicable, or blocked."""
    added: list[Change]
    """Not run, not applicable or blocked before; passed now."""
    remarks: list[str]


def read(path: Path) -> dict[str, Any]:
    """Read a report.json, or that of a folder. Raises Usage if the file is not one."""
    path = path / "report.json" if path.is_dir() else path
    try:
        report = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise Usage(f"cannot read {path}: {error.strerror}; name the report.json of a run") from error
    except ValueError as error:
        raise Usage(f"{path} is not JSON ({error}); name the report.json of a run") from error
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise Usage(f"{path} is not a report in the format {FORMAT}; name a report.json that jwo certify wrote")
    return report


def compare(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Comparison:
    """Compare two reports case by case. A warning that became a failure counts as newly broken."""
    cases = _by_id(earlier), _by_id(later)
    changes = [_change(each, *cases) for each in dict.fromkeys([*cases[1], *cases[0]])]

    def select(holds: Callable[[Change], bool]) -> list[Change]:
        return [change for change in changes if holds(change)]

    return Comparison(
        newly_broken=select(lambda each: _rank(each.after) > _rank(each.before)),
        mended=select(lambda each: bool(_rank(each.before)) and each.after == "pass"),
        still_broken=select(lambda each: 0 < _rank(each.after) <= _rank(each.before)),
        missing=select(lambda each: _was_judged(each.before) and not _was_judged(each.after)),
        added=select(lambda each: not _was_judged(each.before) and each.after == "pass"),
        remarks=_remarks(earlier, later),
    )


def show(comparison: Comparison, console: Console) -> int:
    """Print a comparison and return the exit code."""
    sections = (
        ("newly broken", comparison.newly_broken, "red"),
        ("still broken", comparison.still_broken, "yellow"),
        ("missing", comparison.missing, "magenta"),
        ("fixed", comparison.mended, "green"),
        ("added", comparison.added, "green"),
    )
    for remark in comparison.remarks:
        console.print(Text(f"note: {remark}"), soft_wrap=True)
    for name, changes, style in sections:
        console.print(Text(f"{name}: {len(changes) or 'none'}", style=f"bold {style}" if changes else "dim"))
        for change in changes:
            verdicts = f"{change.before or 'not run'} -> {change.after or 'not run'}"
            console.print(Text(printable(f"  {change.id:<10} {verdicts:<24} {change.title}")), soft_wrap=True)
    return 1 if comparison.newly_broken else 0


def as_json(comparison: Comparison) -> str:
    """Return a comparison as JSON."""
    members: dict[str, Any] = {
        name: [change._asdict() for change in value] if name != "remarks" else value
        for name, value in comparison._asdict().items()
    }
    return json.dumps(members, indent=1, ensure_ascii=False)


def _by_id(report: Mapping[str, Any]) -> dict[str, Case]:
    return {case["id"]: case for case in report["cases"]}


def _change(case_id: str, earlier: Mapping[str, Case], later: Mapping[str, Case]) -> Change:
    title = (later.get(case_id) or earlier[case_id])["title"]
    return Change(case_id, title, _verdict(earlier.get(case_id)), _verdict(later.get(case_id)))


def _verdict(case: Case | None) -> str:
    return str(case["verdict"]) if case else ""


def _rank(verdict: str) -> int:
    return severity(Verdict(verdict)) if verdict in tuple(Verdict) else 0


def _was_judged(verdict: str) -> bool:
    return verdict not in {"", "not_applicable", "blocked"}


def _remarks(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> list[str]:
    remarks = []
    if earlier["suite"]["revision"] != later["suite"]["revision"]:
        remarks.append("the two runs used different revisions of the rules")
    editions = [report["suite"].get("docSet", "") for report in (earlier, later)]
    if editions[0] != editions[1]:
        remarks.append(f"the two runs follow different editions of the documentation: {editions[0]} and {editions[1]}")
    if earlier["connector"]["url"] != later["connector"]["url"]:
        remarks.append(f"the addresses differ: {earlier['connector']['url']} and {later['connector']['url']}")
    if later.get("completeness", {}).get("complete") is False:
        part = later["completeness"]
        remarks.append(f"the later run is partial: it judged {part['judged']} of {part['total']} MUST rules")
    if later["verdict"] == "error":
        remarks.append("the later run has no verdict: the kit itself failed")
    return remarks
