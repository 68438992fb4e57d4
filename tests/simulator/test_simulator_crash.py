"""The platform under SIGKILL: the driver of benchmarks/, with few kills."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

DRIVER = Path(__file__).parents[2] / "benchmarks" / "platform_crash.py"


def test_killed_platform_loses_no_cart_and_delivers_none_under_two_trip_ids() -> None:
    run = subprocess.run(
        [sys.executable, DRIVER, "--kills", "2", "--shoppers", "4"],
        capture_output=True,
        text=True,
        timeout=100,
        cwd=DRIVER.parents[1],
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    counts = {line[:29].strip(): int(line[29:]) for line in run.stdout.splitlines()}
    assert counts["kills"] == 2
    assert counts["exits acknowledged"] > 5
    assert counts["shoppers inside forgotten"] == 0
    assert (counts["carts lost"], counts["entries under two trip ids"]) == (0, 0)
