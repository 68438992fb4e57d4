"""Output that goes to a pipe: no line of a table is cut or folded, so that `grep` finds whole rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.catalogue import coverage, scenario_entries
from jwo_contract.register import register
from tests.reference_connector.small_platform import KEY, SmallPlatform, a_report, some_rows

LONG_MESSAGE = "the check digit of the barcode does not match its other digits, " * 4 + "so the item is not sold"


@pytest.fixture(params=[{}, {"COLUMNS": "40"}], ids=["no width", "narrow terminal"])
def pipe(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., list[str]]:
    """Run `jwo` with its output in a pipe, and return the lines."""
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "FORCE_COLOR"}}

    def run(*arguments: str, settings: dict[str, str] | None = None) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "jwo", *arguments],
            capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path,
            env=environment | request.param | (settings or {}),
        )  # fmt: skip
        assert done.returncode in {0, 1}, done.stderr
        return done.stdout.splitlines()

    return run


def test_each_case_is_one_whole_line(pipe: Callable[..., list[str]]) -> None:
    header, *rows, total = pipe("cases")
    proven = {each for entry in scenario_entries() for each in entry.ids}
    expected = [row for row in register().values() if row.id in proven and row.tier == "core"]

    assert header.split() == ["id", "level", "api", "title"]
    assert total == f"{len(expected)} cases"
    assert [line.split()[0] for line in rows] == [row.id for row in expected]
    assert all(line.rstrip().endswith(row.title) for line, row in zip(rows, expected, strict=True))
    assert "…" not in "".join(rows)


def test_each_row_of_coverage_is_one_whole_line(pipe: Callable[..., list[str]]) -> None:
    lines = pipe("coverage")
    rows = [row for row in coverage() if register()[row.id].tier in {"core", "entry", "catalog"}]

    assert "…" not in "".join(lines)
    for row, line in zip(rows, lines[1 : 1 + len(rows)], strict=True):
        assert line.split()[0] == row.id
        assert register()[row.id].title in line
        assert "not tested" not in line or line.rstrip().endswith(register()[row.id].not_tested)


def test_each_rejected_row_is_one_whole_line(
    pipe: Callable[..., list[str]], serve: Callable[[Any], str], tmp_path: Path
) -> None:
    platform = SmallPlatform()
    platform.url = serve(platform.app)
    platform.done("ingestion-1")
    report = a_report("ingestion-1")
    report["items"][1]["errors"][0]["message"] = LONG_MESSAGE
    platform.reports["ingestion-1"] = (200, report)
    (tmp_path / "rows.json").write_text(json.dumps(some_rows(2)), "utf-8")
    settings = {
        "JWO_CATALOG_ENDPOINT": platform.url,
        "JWO_CATALOG_ACCESS_KEY_ID": KEY.access_key_id,
        "JWO_CATALOG_SECRET_ACCESS_KEY": KEY.secret_access_key,
        "JWO_CATALOG_SESSION_TOKEN": str(KEY.session_token),
        "JWO_CATALOG_STATUS_EVERY_S": "0.02",
    }

    lines = pipe("catalog", "upload", "rows.json", settings=settings)

    (row,) = [line for line in lines if "SKU-2" in line]
    assert "CHECK_DIGIT_INVALID" in row
    assert LONG_MESSAGE in row
    assert "…" not in "".join(lines)
