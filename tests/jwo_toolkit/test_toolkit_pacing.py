"""Calls stay below a rate, in one process and mostly by the real clock."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from jwo_toolkit.pacing import Pace


def test_calls_stay_below_the_declared_rate() -> None:
    pace = Pace(5, 1.25)
    sent = []
    for _ in range(11):
        pace.wait()
        sent.append(time.monotonic())

    assert all(later - earlier > 1 for earlier, later in zip(sent, sent[5:], strict=False))
    assert sent[-1] - sent[0] < 4


def test_number_of_calls_at_once_is_limited_by_the_rate() -> None:
    pace = Pace(3, 1.25)
    pace.count()
    before = time.monotonic()

    assert pace.at_once(10) == 3
    assert time.monotonic() - before > 1
    before = time.monotonic()
    for _ in range(3):
        pace.wait()
    assert time.monotonic() - before < 0.5


def test_booked_calls_are_counted() -> None:
    pace = Pace(3, 1.25)

    assert pace.book(10) == 3
    before = time.monotonic()
    pace.wait()
    assert time.monotonic() - before > 1


def test_without_a_declared_rate_nothing_waits() -> None:
    pace, before = Pace(0, 1.25), time.monotonic()
    for _ in range(1000):
        pace.wait()

    assert pace.at_once(200) == pace.book(200) == 200
    assert time.monotonic() - before < 0.5


def test_window_moves_with_a_given_clock() -> None:
    now, sent = [100.0], []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(3, 2.0, lambda: now[0], sleep)
    for _ in range(9):
        pace.wait()
        sent.append(now[0])
    assert sent == [100.0, 100.0, 100.0, 102.0, 102.0, 102.0, 104.0, 104.0, 104.0]


def test_threads_keep_one_pace() -> None:
    pace = Pace(4, 0.5)
    with ThreadPoolExecutor(6) as pool:
        moments = sorted(pool.map(lambda _: (pace.wait(), time.monotonic())[1], range(12)))
    assert all(later - earlier > 0.45 for earlier, later in zip(moments, moments[4:], strict=False))


def test_pace_counts_from_the_arrival_and_pauses() -> None:
    now = [100.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    pace = Pace(1, 0.2, lambda: now[0], sleep)
    pace.wait()
    now[0] += 0.1
    pace.arrived(0.02)
    pace.wait()
    assert now[0] == pytest.approx(100.28)
    pace.pause(1.25)
    pace.wait()
    assert now[0] == pytest.approx(101.53)
