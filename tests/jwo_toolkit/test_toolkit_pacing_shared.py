"""Calls stay below a rate over threads and processes, through a shared file, and by a simulated clock."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jwo_toolkit.pacing import Pace


def test_pace_never_exceeds_the_rate() -> None:
    now = [0.0]
    pace = Pace(1, 1 / 10, lambda: now[0], lambda seconds: now.__setitem__(0, now[0] + seconds))
    times = []
    for _ in range(25):
        pace.wait()
        times.append(now[0])
    assert all(later - earlier > 0.999 for earlier, later in zip(times, times[10:], strict=False))


def _call_at_pace(path: Path, count: int, times: Any) -> None:
    pace = Pace(1, 1 / 50, time.time, time.sleep, path)
    for _ in range(count):
        pace.wait()
        times.put(time.time())


def test_pace_holds_over_threads_and_processes(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    times = spawn.SimpleQueue()
    workers = [spawn.Process(target=_call_at_pace, args=(tmp_path / "pace", 15, times)) for _ in range(2)]
    for worker in workers:
        worker.start()
    pace = Pace(1, 1 / 50, time.time, time.sleep, tmp_path / "pace")
    with ThreadPoolExecutor(3) as threads:
        here = list(threads.map(lambda _n: (pace.wait(), time.time())[1], range(15)))
    for worker in workers:
        worker.join(20)
    moments = sorted(here + [times.get() for _ in range(30)])
    times.close()
    assert all(later - earlier > 0.9 for earlier, later in zip(moments, moments[49:], strict=False))
    assert all(later - earlier > 0.1 for earlier, later in zip(moments, moments[9:], strict=False))


def test_clock_that_was_set_back_does_not_stop_calls(tmp_path: Path) -> None:
    (tmp_path / "pace").write_text("99999999999", "ascii")
    slept: list[float] = []
    Pace(1, 1 / 10, lambda: 1000.0, slept.append, tmp_path / "pace").wait()
    assert slept == [60.0]
