"""What lies in a platform's files after a kill, and what the next start makes of it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulator.catalog.waiting import Waiting
from simulator.clock import PlatformClock, Setting
from simulator.faults import Fault, Faults, Where
from simulator.ledger import FACTS, Ledger
from simulator.memory import Facts
from simulator.seed import Seed


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    kept = Ledger(str(tmp_path / "facts"), FACTS, sync=False)
    yield kept
    asyncio.run(kept.close())


def test_exchanges_that_a_fault_let_pass_are_not_let_pass_again(ledger: Ledger) -> None:
    def faults() -> Faults:
        return Faults(PlatformClock(), Seed(7), Facts("fault", Fault, ledger))

    faults().arm("delay", after=2)
    struck = [bool(faults().strike("exchange", Where(), number)) for number in range(4)]
    assert struck == [False, False, True, False]


def test_bodies_that_no_ingestion_waits_for_are_swept(tmp_path: Path) -> None:
    waiting = Waiting(tmp_path / "uploads")
    waiting.sweep(())
    for name in ("wanted", "orphan"):
        waiting.keep(name, b"body")
    (tmp_path / "uploads" / "cut.part").write_bytes(b"bo")
    Waiting(tmp_path / "uploads").sweep({"wanted"})
    assert [path.name for path in (tmp_path / "uploads").iterdir()] == ["wanted.json"]


def test_clock_runs_on_while_the_platform_is_down_by_the_real_time_it_is_given(ledger: Ledger) -> None:
    real = datetime(2030, 1, 1, tzinfo=UTC)

    def clock(after_s: float) -> PlatformClock:
        facts = Facts("clock", Setting, ledger)
        return PlatformClock(speed=60, real=lambda: 0.0, wall=lambda: real + timedelta(seconds=after_s), facts=facts)

    assert clock(0).now() == real
    assert clock(60).now() == real + timedelta(hours=1)
    assert clock(60).wall() == real + timedelta(seconds=60)
