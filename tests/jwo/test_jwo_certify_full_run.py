"""`jwo certify` with all cases against a correct connector with slow carts; `make mutants` does so with a quick one.

`make bench-certify` measures how long both take.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.bench_certify import SlowCarts
from conformance.mutants.serving import served
from tests.jwo.conftest import Jwo


@pytest.mark.slow
def test_full_run_of_connector_with_slow_carts_has_no_finding(
    jwo: Jwo, profile: Callable[[str], Path], tmp_path: Path
) -> None:
    with served(SlowCarts()) as url:
        done = jwo("certify", "--profile", str(profile(url)), "--out", "out", "--strict")

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert [case["id"] for case in report["cases"] if case["verdict"] not in {"pass", "not_applicable"}] == []
