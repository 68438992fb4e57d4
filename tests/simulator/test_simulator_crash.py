"""The platform under SIGKILL: the driver of benchmarks/, with few kills."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).parents[2] / "benchmarks" / "platform_crash.py"


@pytest.mark.slow
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
    assert (counts["carts still pending"], counts["dead letters"]) == (0, 0)


def test_driver_counts_refused_and_left_over_carts_as_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(DRIVER.parent)
    driver = importlib.import_module("platform_crash")
    none = {"pending": 0, "dead_letter": 0}

    def judged(taken: int, quantity: str = "1.0", **counts: int) -> int:
        connector = driver.Connector()
        cart = {"cartItems": [{"id": "SKU-1", "quantity": {"value": quantity, "unit": "unit"}}]}
        connector.seen["trip-1"].append(cart)
        connector.taken["trip-1"] = taken
        return int(driver._judge({"trip-1": ["SKU-1"]}, connector, 1, 0, {**none, **counts}))  # noqa: SLF001 - what is under test

    assert judged(1) == 0
    assert judged(0) == 1
    assert judged(1, quantity="2.0") == 1
    assert judged(1, pending=1) == 1
    assert judged(1, dead_letter=2) == 2
