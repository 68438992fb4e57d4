"""`jwo compare`: the changes between two runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jwo.compare import Comparison, compare, read
from tests.jwo.conftest import Jwo


def report(revision: str = "r1", url: str = "http://127.0.0.1:1", **verdicts: str) -> dict[str, Any]:
    return {
        "format": "jwo-report-1",
        "suite": {"revision": revision},
        "connector": {"url": url},
        "verdict": "pass",
        "cases": [{"id": each, "title": f"title of {each}", "verdict": word} for each, word in verdicts.items()],
    }


def ids(comparison: Comparison) -> dict[str, list[str]]:
    named = comparison._asdict()
    return {name: [change.id for change in named[name]] for name in named if name != "remarks" and named[name]}


@pytest.mark.parametrize(
    ("before", "after", "group"),
    [
        ("pass", "fail", "newly_broken"),
        ("pass", "warn", "newly_broken"),
        ("warn", "fail", "newly_broken"),
        ("not_applicable", "fail", "newly_broken"),
        ("pass", "error", "newly_broken"),
        ("fail", "pass", "mended"),
        ("warn", "pass", "mended"),
        ("fail", "fail", "still_broken"),
        ("fail", "warn", "still_broken"),
        ("pass", "not_applicable", "missing"),
        ("fail", "not_applicable", "missing"),
        ("not_applicable", "pass", "added"),
        ("pass", "blocked", "missing"),
        ("blocked", "pass", "added"),
        ("blocked", "fail", "newly_broken"),
    ],
)
def test_a_change_is_in_one_group(before: str, after: str, group: str) -> None:
    assert ids(compare(report(a=before, b="pass"), report(a=after, b="pass"))) == {group: ["a"]}


@pytest.mark.parametrize("verdict", ["pass", "not_applicable"])
def test_unchanged_case_is_not_listed(verdict: str) -> None:
    assert ids(compare(report(a=verdict), report(a=verdict))) == {}


def test_folder_is_read_as_its_report(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(json.dumps(report(a="pass")), encoding="utf-8")

    assert read(tmp_path) == report(a="pass")


def test_a_partial_later_run_is_remarked() -> None:
    part = {"complete": False, "judged": 3, "total": 9, "notJudged": [], "notOffered": []}

    assert compare(report(), report() | {"completeness": part}).remarks == [
        "the later run is partial: it judged 3 of 9 MUST rules"
    ]


def test_case_of_only_one_run_is_listed() -> None:
    earlier, later = report(a="pass", b="not_applicable"), report(c="fail", d="pass")

    assert ids(compare(earlier, later)) == {"newly_broken": ["c"], "missing": ["a"], "added": ["d"]}


def test_different_rules_and_connectors_give_remarks() -> None:
    assert len(compare(report("r1"), report("r2", url="http://127.0.0.1:2")).remarks) == 2
    assert compare(report(), report()).remarks == []


def test_command_names_broken_cases_and_exits_with_1(jwo: Jwo, tmp_path: Path) -> None:
    for name, content in (("a", report(X="pass", Y="fail")), ("b", report(X="fail", Y="pass"))):
        (tmp_path / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")

    broken, unchanged = jwo("compare", "a.json", "b.json"), jwo("compare", "a.json", "a.json", "--json")

    assert broken.returncode == 1
    assert "newly broken: 1" in broken.stdout
    assert "X          pass -> fail" in broken.stdout
    assert "fixed: 1" in broken.stdout
    assert unchanged.returncode == 0
    assert [each["id"] for each in json.loads(unchanged.stdout)["still_broken"]] == ["Y"]


@pytest.mark.parametrize(("content", "sentence"), [("{}", "not a report"), ("[", "not JSON"), (None, "cannot read")])
def test_file_that_is_not_a_report_is_a_usage_error(
    jwo_here: Jwo, tmp_path: Path, content: str | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "a.json").write_text(content, encoding="utf-8")

    done = jwo_here("compare", "a.json", "a.json")

    assert done.returncode == 2
    assert sentence in done.stderr
