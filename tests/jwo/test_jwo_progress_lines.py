"""The lines of `--progress`: events of a certification and of a load test, in a file or on standard output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.mutants.gallery import connector_with
from tests.conftest import served
from tests.jwo.conftest import Jwo


def jwo(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "jwo", *words], capture_output=True, text=True, check=False)


def events_in(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_certification_writes_cases_verdicts_and_the_end(tmp_path: Path) -> None:
    with served(connector_with("opens_for_an_unknown_key", ("STORE-001",))) as url:
        chosen = ("--only", "VIK-2", "--only", "VIK-3.4")
        ran = jwo("certify", "--connector", url, *chosen, "--out", str(tmp_path), "--progress", "-")
    selected, *cases, end = events_in(ran.stdout)

    assert ran.returncode == 1
    assert [case["id"] for case in selected["cases"]] == ["VIK-2", "VIK-3.4"]
    assert {case["id"]: case["verdict"] for case in cases} == {"VIK-2": "fail", "VIK-3.4": "pass"}
    assert next(case["expected"] for case in cases if case["id"] == "VIK-2") == "401"
    assert (end["event"], end["verdict"], end["counts"]["fail"]) == ("ended", "fail", 1)
    assert "FAIL  VIK-2" in ran.stderr


def test_load_test_writes_a_line_a_second(tmp_path: Path) -> None:
    lines = tmp_path / "lines.ndjson"
    with served(connector_with("", ("STORE-001",))) as url:
        options = ("--rate", "20", "--duration", "2", "--lag-bound", "1000", "--out", str(tmp_path / "out"))
        ran = jwo("load", "--connector", url, *options, "--progress", str(lines))
    begin, *seconds, end = events_in(lines.read_text("utf-8"))

    assert ran.returncode == 0, ran.stderr
    assert begin == {"event": "started", "scenario": "gate_rush", "rate": 20.0, "durationS": 2.0, "budgetMs": 2000.0}
    assert [one["atS"] for one in seconds] == list(range(1, len(seconds) + 1))
    assert all(one["p50Ms"] <= one["p95Ms"] <= one["p99Ms"] <= one["maxMs"] for one in seconds if one["maxMs"])
    assert (end["verdict"], end["counts"]["late"], end["latencyMs"]["count"]) == ("pass", 0, end["counts"]["answered"])


@pytest.mark.parametrize("command", ["certify", "load"])
def test_unwritable_file_is_a_usage_error(jwo_here: Jwo, tmp_path: Path, command: str) -> None:
    ran = jwo_here(command, "--connector", "http://127.0.0.1:9", "--progress", str(tmp_path / "none" / "lines"))
    assert ran.returncode == 2
    assert "--progress: cannot write to" in ran.stderr
