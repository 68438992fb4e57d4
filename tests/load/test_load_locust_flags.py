"""Locust's own command line accepts the flags of the load test, and its own `--run-time`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from conformance.mutants.small_connector import SmallConnector
from tests.load.short_runs import ROOT


@pytest.mark.parametrize(
    ("flags", "code", "answered"),
    [(["-t", "1s"], 0, 40), (["--duration", "1"], 0, 40), (["--rate", "nan"], 2, None), (["--rate", "1e12"], 2, None)],
)
def test_locusts_own_command_accepts_the_flags(
    serve: Any, tmp_path: Path, flags: list[str], code: int, answered: int | None
) -> None:
    words = [sys.executable, "-m", "locust", "-f", str(ROOT / "load" / "locustfile.py"), "--headless", "--only-summary"]
    words += ["--host", serve(SmallConnector()), "--load-out", str(tmp_path), "--rate", "40", *flags]
    environment = os.environ | {"JWO_LOAD_LAG_BOUND_MS": "2000"}

    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == code, done.stderr
    assert "will be ignored" not in done.stderr
    report = tmp_path / "load.json"
    assert (json.loads(report.read_text())["counts"]["answered"] if report.exists() else None) == answered
