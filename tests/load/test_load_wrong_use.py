"""What is refused before a request leaves, and what is no finding: the user's mistakes and the generator's."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from load.__main__ import main
from load.errors import BadOptions
from tests.load.short_runs import ROOT, run


def test_nobody_listening_is_the_users_to_mend() -> None:
    with pytest.raises(BadOptions, match="nothing answers"):
        run("http://127.0.0.1:9", "gate_rush")


def test_amazons_hosts_are_never_called() -> None:
    with pytest.raises(BadOptions, match="Amazon's"):
        run("https://jwo.us-east-1.amazonphysicalstores.com", "gate_rush")


def test_an_unknown_scenario_lists_the_known_ones() -> None:
    with pytest.raises(BadOptions, match="duplicate_storm, find_knee, gate_rush"):
        run("http://127.0.0.1:9", "black_friday")


@pytest.mark.parametrize("make", ["file", "load.json"])
def test_a_folder_that_takes_no_reports_is_told_before_the_run(tmp_path: Path, make: str) -> None:
    (tmp_path / "load.json").mkdir()
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "deeper" if make == "file" else tmp_path

    with pytest.raises(BadOptions, match="--out"):
        run("http://127.0.0.1:9", "gate_rush", out=str(out))


def test_what_nobody_foresaw_is_no_finding(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def breaks(*_: object) -> None:
        raise ZeroDivisionError("by zero\nand more")

    monkeypatch.setattr("load.__main__.run_load", breaks)

    assert main(["--connector", "http://127.0.0.1:9"]) == 3
    assert capsys.readouterr().err == "load: the generator broke: ZeroDivisionError: by zero\n"


def test_starting_a_run_never_imports_locust_here() -> None:
    code = "import sys, load.run, load.__main__; sys.exit(any(name in sys.modules for name in ('locust', 'gevent')))"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
