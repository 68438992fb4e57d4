from __future__ import annotations

import time

from conformance.drivers.pace import Pace


def test_calls_stay_below_the_declared_rate() -> None:
    pace = Pace(5)
    sent = []
    for _ in range(11):
        pace.wait()
        sent.append(time.monotonic())

    assert all(later - earlier > 1 for earlier, later in zip(sent, sent[5:], strict=False))
    assert sent[-1] - sent[0] < 4


def test_as_many_calls_go_at_once_as_the_rate_allows() -> None:
    pace = Pace(3)
    pace.count()
    before = time.monotonic()

    assert pace.at_once(10) == 3
    assert time.monotonic() - before > 1
    before = time.monotonic()
    for _ in range(3):
        pace.wait()
    assert time.monotonic() - before < 0.5


def test_calls_that_somebody_else_makes_are_counted() -> None:
    pace = Pace(3)

    assert pace.book(10) == 3
    before = time.monotonic()
    pace.wait()
    assert time.monotonic() - before > 1


def test_without_a_declared_rate_nothing_waits() -> None:
    pace, before = Pace(0), time.monotonic()
    for _ in range(1000):
        pace.wait()

    assert pace.at_once(200) == pace.book(200) == 200
    assert time.monotonic() - before < 0.5
