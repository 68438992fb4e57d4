"""Whole runs: Locust in its own process, connectors on real sockets, and the verdict."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.mutants.gallery import connector_with
from conformance.mutants.small_connector import SmallConnector
from load.errors import GeneratorBroke
from tests.load.short_runs import SCENARIOS, run, server, word


def test_freezing_connector_fails_with_the_right_count() -> None:
    """It freezes for 0.45 s of every 3 s, and the budget is 0.3 s: one answer in 20 is late, and none is missing."""
    with server("stalls.py", "freeze", "0.15") as url:
        report = run(url, str(SCENARIOS / "scans_only.py"), rate=200, duration_s=3.0, budget_s=0.3)

    counts = report.document["counts"]
    assert word(report) == "fail", report.document["verdict"]
    assert counts["scheduled"] == counts["started"] == counts["answered"] == 600
    assert counts["late"] == pytest.approx(30, abs=6)


def test_late_purchase_counts_as_committed() -> None:
    with server("stalls.py", "commit_then_stall", "0.25") as url:
        report = run(url, str(SCENARIOS / "carts_only.py"), rate=100, duration_s=2.0, budget_s=0.5)

    assert report.document["counts"]["late"] == report.document["counts"]["late_commits"] == 10


@pytest.mark.slow
def test_too_weak_generator_makes_the_run_invalid() -> None:
    with server("instant.py") as url:
        report = run(url, str(SCENARIOS / "scans_only.py"), rate=80_000, duration_s=0.15, lag_bound_ms=1.0)

    assert word(report) == "invalid"
    assert report.exit_code == 3
    assert any("the generator lagged" in reason for reason in report.document["verdict"]["reasons"])


def test_fast_connector_that_buys_twice_fails(serve: Any) -> None:
    report = run(serve(connector_with("buys_twice_at_once")), "duplicate_storm", duration_s=1.0)

    assert word(report) == "fail"
    assert set(report.document["findings"]) == {"doubled purchase"}


def test_workers_share_the_schedule_and_results_are_merged(serve: Any) -> None:
    report = run(serve(SmallConnector()), "steady_store", workers=2)

    assert word(report) == "pass", report.document["verdict"]
    assert report.document["generator"]["workers_heard"] == 2
    assert report.document["counts"]["answered"] == report.document["counts"]["scheduled"] == 72


def test_locust_that_does_not_end_is_no_finding(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("load.run._GRACE_S", -5.0)

    with pytest.raises(GeneratorBroke, match=r"did not end within 0\.2 s"):
        run(serve(SmallConnector()), "gate_rush")
