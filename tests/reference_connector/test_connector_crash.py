"""Kill -9 during shopping trips, with calls several times at once; `make crash` repeats it for longer."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).parents[2] / "benchmarks" / "crash_driver.py"


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_kills_lose_and_double_no_purchase_and_no_payment(database: str) -> None:
    shown = _run("--carts", "700", "--kills", "2", "--seed", "28", "--database", database)
    counted = {
        name.strip(): int(count.replace(",", "")) for name, count in re.findall(r"│ ([a-z ]+?) +│ ([\d,]+)", shown)
    }
    assert counted["carts"] + counted["kept out"] == 700
    assert min(counted[name] for name in ("kills", "kept out", "captures", "releases", "refunds")) > 0
    wrong = {name: count for name, count in counted.items() if name.startswith(("lost", "doubled", "charges"))}
    assert len(wrong) == 10
    assert set(wrong.values()) == {0}, shown


def _run(*arguments: str) -> str:
    """Run the driver and return its output; at its time limit it stops its servers first."""
    command = [sys.executable, "-W", "ignore", str(DRIVER), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as driver:
        try:
            return driver.communicate(timeout=100)[0]
        except subprocess.TimeoutExpired:
            driver.send_signal(signal.SIGINT)
            driver.wait(15)
            raise
