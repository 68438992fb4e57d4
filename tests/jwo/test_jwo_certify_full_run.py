"""`jwo certify` with all cases against correct connectors. `make bench-certify` measures how long this takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.bench_certify import SlowCarts
from conformance.mutants.serving import served
from conformance.mutants.small_connector import SmallConnector
from tests.jwo.conftest import Jwo


@pytest.mark.slow
@pytest.mark.parametrize("connector", [SmallConnector, SlowCarts], ids=["quick", "slow carts"])
def test_full_run_of_correct_connector_has_no_finding(
    jwo: Jwo, profile: Callable[[str], Path], tmp_path: Path, connector: type[SmallConnector]
) -> None:
    with served(connector()) as url:
        done = jwo("certify", "--profile", str(profile(url)), "--out", "out", "--strict")

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert [case["id"] for case in report["cases"] if case["verdict"] not in {"pass", "not_applicable"}] == []
