"""Usage errors, which end a run before its first request, and errors of the generator, which are no findings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from load.__main__ import main
from load.errors import BadOptions
from tests.load.short_runs import ROOT, run


def test_refused_connection_is_a_usage_error() -> None:
    with pytest.raises(BadOptions, match="cannot connect to"):
        run("http://127.0.0.1:9", "gate_rush")


def test_amazon_hosts_are_refused() -> None:
    with pytest.raises(BadOptions, match="Amazon"):
        run("https://jwo.us-east-1.amazonphysicalstores.com", "gate_rush")


def test_unknown_scenario_lists_the_known_ones() -> None:
    with pytest.raises(BadOptions, match="duplicate_storm, find_knee, gate_rush"):
        run("http://127.0.0.1:9", "black_friday")


@pytest.mark.parametrize("make", ["file", "load.json"])
def test_unwritable_reports_folder_is_reported_before_the_run(tmp_path: Path, make: str) -> None:
    (tmp_path / "load.json").mkdir()
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "deeper" if make == "file" else tmp_path

    with pytest.raises(BadOptions, match="--out"):
        run("http://127.0.0.1:9", "gate_rush", out=str(out))


def test_unexpected_error_is_no_finding(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError("by zero\nand more")

    monkeypatch.setattr("load.__main__.run_load", breaks)

    assert main(["--connector", "http://127.0.0.1:9"]) == 3
    assert capsys.readouterr().err == "load: the generator failed: ZeroDivisionError: by zero\n"


def test_parent_process_never_imports_locust() -> None:
    code = "import sys, load.run, load.__main__; sys.exit(any(name in sys.modules for name in ('locust', 'gevent')))"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
