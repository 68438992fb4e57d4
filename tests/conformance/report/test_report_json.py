from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.report import ReportBreaksSchema, ReportFolderUnwritable, schema, write_all
from conformance.report.json_file import check
from jwo_contract.gate import NoAnswer
from jwo_toolkit.json_types import JsonObject
from tests.conformance.report.reading import model

Build = Callable[..., JsonObject]


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(schema())


def test_the_schema_knows_every_way_to_have_no_answer() -> None:
    ways = schema()["$defs"]["exchange"]["properties"]["failure"]["enum"]
    assert set(ways) == {None, *(str(way) for way in NoAnswer)}


def test_a_full_run_keeps_the_schema(a_full_report: JsonObject) -> None:
    assert len(a_full_report["cases"]) > 100
    check(a_full_report)


def _objects(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        if path[-1:] in {("settings",), ("body",), ("headers",)}:
            return []
        return [path, *(found for name, member in value.items() for found in _objects(member, (*path, name)))]
    return _objects(value[0], (*path, 0)) if isinstance(value, list) and value else []


def test_every_object_of_the_format_is_closed_and_complete(a_report: Build) -> None:
    report = a_report(stages=[{"name": "Gates", "summary": "", "ok": True, "details": []}])
    for path in _objects(report):
        for change in ("added", "removed"):
            broken = copy.deepcopy(report)
            place = broken
            for step in path:
                place = place[step]
            if change == "added":
                place["surprise"] = 1
            else:
                del place[next(iter(place))]
            with pytest.raises(ReportBreaksSchema):
                check(broken)


@pytest.mark.parametrize(
    "changes",
    [
        {"verdict": "maybe"},
        {"level": "may"},
        {"provenance": "rumour"},
        {"tier": "inner"},
        {"page": "../../evil"},
        {"verdict": "not_applicable", "reason": ""},
        {"verdict": "error", "reason": ""},
        {"verdict": "fail", "level": "house", "provenance": "house"},
        {"durationMs": float("nan")},
    ],
)
def test_a_case_that_breaks_the_format_is_a_bug_in_the_kit(a_report: Build, a_case: Build, changes: JsonObject) -> None:
    report = a_report([a_case()])
    report["cases"][0] |= changes
    report["counts"] = dict.fromkeys(report["counts"], 0) | {report["cases"][0]["verdict"]: 1}
    with pytest.raises(ReportBreaksSchema, match="cases/0"):
        check(json.loads(json.dumps(report).replace("NaN", '"nan"')))


def test_counts_that_do_not_fit_the_cases_are_refused(a_report: Build) -> None:
    report = a_report()
    report["counts"]["pass"] += 1
    with pytest.raises(ReportBreaksSchema, match="counts"):
        check(report)


def test_a_verdict_better_than_the_cases_is_refused(a_report: Build, a_case: Build) -> None:
    with pytest.raises(ReportBreaksSchema, match="verdict"):
        check(a_report([a_case(verdict="fail")], verdict="pass"))
    check(a_report([a_case(verdict="pass")], verdict="fail"))


def test_a_pass_with_a_failed_stage_is_refused(a_report: Build) -> None:
    with pytest.raises(ReportBreaksSchema, match="stage"):
        check(a_report(stages=[{"name": "Gates", "summary": "", "ok": False, "details": []}]))


def test_a_repeated_id_is_refused(a_report: Build, a_case: Build) -> None:
    with pytest.raises(ReportBreaksSchema, match=r"the id VIK-1\.1"):
        check(a_report([a_case("VIK-1.1"), a_case("VIK-1.1")]))


def test_four_files_are_written_and_read_back(a_full_report: JsonObject, tmp_path: Path) -> None:
    paths = write_all(model(a_full_report), tmp_path / "new" / "out")
    assert {kind: path.name for kind, path in paths.items()} == {
        "html": "report.html",
        "json": "report.json",
        "junit": "junit.xml",
        "badge": "badge.svg",
    }
    assert json.loads(paths["json"].read_text("utf-8")) == a_full_report
    assert sorted(path.name for path in (tmp_path / "new" / "out").iterdir()) == sorted(p.name for p in paths.values())


def test_the_script_of_a_story_is_deleted_by_a_run_without_one(a_report: Build, a_case: Build, tmp_path: Path) -> None:
    found = write_all(
        model(a_report([a_case("CP-X.46", "warn", story=["buy nothing", "repeat cart 0 as it was"])])), tmp_path
    )
    script = found["story of CP-X.46"].read_text("utf-8")
    write_all(model(a_report([a_case("CP-X.46")])), tmp_path)

    assert script.splitlines()[1:] == ["buy nothing", "repeat cart 0 as it was"]
    assert script.startswith("#")
    assert not (tmp_path / "CP-X.46.story").exists()


def test_a_broken_report_leaves_the_old_files_unchanged(a_report: Build, a_case: Build, tmp_path: Path) -> None:
    paths = write_all(model(a_report()), tmp_path)
    before = {path: path.read_bytes() for path in paths.values()}
    with pytest.raises(ReportBreaksSchema):
        write_all(model(a_report([a_case(verdict="fail")], verdict="pass")), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_folder_that_cannot_be_created_is_reported_with_a_hint(a_report: Build, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ReportFolderUnwritable, match="file") as caught:
        write_all(model(a_report()), tmp_path / "file" / "out")
    assert "--out" in caught.value.hint


def test_a_failed_replacement_leaves_no_partial_file(a_report: Build, tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(ReportFolderUnwritable, match=r"report\.html"):
        write_all(model(a_report()), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
