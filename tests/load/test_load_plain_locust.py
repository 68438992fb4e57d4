"""Locust's own command line: its CSV files, several processes, and runs that are refused before they begin."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.mutants.small_connector import SmallConnector
from load.settings import SCENARIOS


def locust(folder: Path, url: str, *flags: str, limit: int) -> subprocess.CompletedProcess[str]:
    profile = folder / "jwo.toml"
    profile.write_text(f'[connector]\nurl = "{url}"\n[limits]\nrate_limit_per_second = {limit}\n', encoding="utf-8")
    words = [sys.executable, "-m", "locust", "-f", str(SCENARIOS / "steady_store.py"), "--headless", "--only-summary"]
    words += ["--host", url, "--connector-profile", str(profile), "--load-out", "reports", "-t", "1s", *flags]
    environment = os.environ | {"JWO_LOAD_LAG_BOUND_MS": "2000"}
    return subprocess.run(
        words, env=environment, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )  # fmt: skip


@pytest.mark.parametrize("processes", [(), pytest.param(("--processes", "2"), marks=pytest.mark.slow)])
def test_rate_above_the_declared_limit_is_refused(serve: Any, tmp_path: Path, processes: tuple[str, ...]) -> None:
    done = locust(tmp_path, serve(SmallConnector()), "--rate", "40", "--csv", "stats", *processes, limit=20)

    assert done.returncode == 2, done.stderr
    assert "usage error: --rate 40 is above the 20/s that [limits] rate_limit_per_second declares" in done.stderr
    assert not (tmp_path / "reports").exists()
    assert request_count(tmp_path) == 0


def test_folder_that_takes_no_reports_is_refused_before_the_run(serve: Any, tmp_path: Path) -> None:
    flags = ("--rate", "10", "--csv", "stats", "--load-out", "jwo.toml/reports")
    done = locust(tmp_path, serve(SmallConnector()), *flags, limit=20)

    assert done.returncode == 2, done.stderr
    assert "usage error: --load-out: cannot write to jwo.toml/reports (Not a directory)" in done.stderr
    assert "Traceback" not in done.stderr
    assert request_count(tmp_path) == 0


@pytest.mark.slow
def test_csv_files_of_several_processes_count_every_request(serve: Any, tmp_path: Path) -> None:
    flags = ("--rate", "40", "--csv", "stats", "--processes", "2")
    done = locust(tmp_path, serve(SmallConnector()), *flags, limit=40)

    assert done.returncode == 0, done.stderr
    counts = json.loads((tmp_path / "reports" / "load.json").read_text("utf-8"))["counts"]
    assert counts["answered"] == request_count(tmp_path) == 40


def request_count(folder: Path) -> int:
    with (folder / "stats_stats.csv").open(newline="", encoding="utf-8") as file:
        (total,) = (row for row in csv.DictReader(file) if row["Name"] == "Aggregated")
    return int(total["Request Count"])
