"""The platform's benchmarks run, and what is not met or not measured ends them with exit 1."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, FOLDER / "bench_platform.py", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, cwd=FOLDER, check=False)


def test_section_that_meets_its_goals_ends_with_exit_0() -> None:
    ran = run("inside", "--people", "200")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.count(" met") == 2


def test_missed_goal_ends_with_exit_1() -> None:
    ran = run("day", "--trips", "40", "--most-wall-s", "0.001")
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert ran.stdout.count("NOT MET") == 1
    assert "entries in the journal" in ran.stdout


@pytest.mark.slow
def test_gates_are_measured_over_http_and_in_process() -> None:
    ran = run("gates", "--seconds", "1")
    assert ran.returncode in {0, 1}, ran.stderr
    for how in ("over HTTP", "in process"):
        assert figures(ran, f"{how}: gates opened") == ["met"]
        assert len(figures(ran, f"{how}: added to a decision, p99")) == 1


@pytest.mark.slow
def test_uploads_are_judged_by_worst_and_median() -> None:
    ran = run("uploads", "--rows", "40000")
    assert ran.returncode in {0, 1}, ran.stderr
    assert figures(ran, "rows in the catalog") == ["met"]
    for name in ("empty catalog", "40,000 rows", "the same rows again"):
        for what in ("answered after the last byte", "ingested"):
            for which in ("median", "worst of 2"):
                (verdict,) = figures(ran, f"{name}: {what}, {which}")
                assert verdict in {"met", "NOT MET"}


def figures(ran: subprocess.CompletedProcess[str], name: str) -> list[str]:
    """Return the verdicts of the figures of that name."""
    found = [line for line in ran.stdout.splitlines() if line.strip().startswith(name)]
    return ["NOT MET" if line.endswith("NOT MET") else "met" if line.endswith("met") else "" for line in found]


def test_catalog_too_small_to_time_is_refused() -> None:
    ran = run("uploads", "--rows", "19999")
    assert ran.returncode == 2
    assert "at least 20000" in ran.stderr


def test_killed_section_ends_with_exit_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(FOLDER)
    bench = importlib.import_module("bench_platform")
    assert [bench.exit_code(codes) for codes in ((0, 0), (0, -9), (1, 0), (-9, -9))] == [0, 1, 1, 1]


def test_missing_prism_is_reported_and_ends_with_exit_1() -> None:
    ran = run("prism", "--prism", "/no/such/prism")
    assert ran.returncode == 1
    assert "NOT MEASURED: there is no command /no/such/prism" in ran.stdout


def test_collector_skips_start_objects_and_rarely_visits_old_ones() -> None:
    program = (
        "import gc; from jwo_toolkit.garbage_collection import tune_garbage_collector"
        "; from simulator.app import COLLECTOR_THRESHOLDS; tune_garbage_collector(COLLECTOR_THRESHOLDS)"
        "; print(gc.get_freeze_count(), gc.get_threshold()[2])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=FOLDER.parent)
    frozen, rarely = map(int, ran.stdout.split())
    assert frozen > 1000
    assert rarely >= 1000
