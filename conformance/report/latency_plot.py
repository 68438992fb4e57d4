"""Coordinates of the latency plot: one dot for each answer on a logarithmic time axis, with the budget.

The axis is logarithmic, because a good connector answers in milliseconds and the budget is seconds: on a linear axis
all dots would be in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from conformance.report.model import Latency
from jwo_toolkit.svg import dots, logarithmic

WIDTH, HEIGHT = 720, 96
_LEFT, _RIGHT, _TOP, _BOTTOM = 14, 706, 18, 68
_MAX_DOTS = 600
_GOLDEN = 0.618034
_TICKS_MS = ((1, "1 ms"), (10, "10 ms"), (100, "100 ms"), (1_000, "1 s"), (10_000, "10 s"), (100_000, "100 s"))


class Tick(NamedTuple):
    """A place on the axis and its label."""

    x: float
    label: str


class Strip(NamedTuple):
    """The coordinates for one operation; `on_time` and `late` are SVG paths of dots."""

    on_time: str
    late: str
    ticks: list[Tick]
    marks: list[Tick]
    budget: Tick
    shown: int
    total: int
    text: str


def strip(row: Latency) -> Strip:
    """Return the plot of one entry of `latency`.

    It has every late answer, and of the others the slowest and every nth: 600 dots, or more if most are late.
    """
    budget_ms = row.budget_s * 1000
    samples = _thinned(row.samples_ms, budget_ms)
    last_ms = max([budget_ms * 1.6, row.max_ms * 1.2, *samples])
    places = [(_x(sample, last_ms), _y(index), sample > budget_ms) for index, sample in enumerate(samples)]
    return Strip(
        on_time=dots([(x, y) for x, y, is_late in places if not is_late]),
        late=dots([(x, y) for x, y, is_late in places if is_late]),
        ticks=[Tick(_x(ms, last_ms), label) for ms, label in _TICKS_MS if ms <= last_ms],
        marks=[Tick(_x(getattr(row, f"{name}_ms"), last_ms), name) for name in ("p50", "p95", "p99")],
        budget=Tick(_x(budget_ms, last_ms), f"{row.budget_s:g} s"),
        shown=len(samples),
        total=row.count,
        text=_in_words(row),
    )


def duration(ms: float) -> str:
    """Return a time as text: `4.2 ms`, `137 ms`, `2.45 s`."""
    rounded = 9.95, 999.5
    if ms < rounded[0]:
        return f"{ms:.1f} ms"
    return f"{ms:.0f} ms" if ms < rounded[1] else f"{ms / 1000:.2f} s"


def _thinned(samples: Sequence[float], budget_ms: float) -> list[float]:
    if len(samples) <= _MAX_DOTS:
        return list(samples)
    ordered = sorted(samples)
    late = [sample for sample in ordered if sample > budget_ms]
    on_time, room = ordered[: len(ordered) - len(late)], max(_MAX_DOTS - len(late), _MAX_DOTS // 2)
    if len(on_time) <= room:
        return ordered
    slowest, others = on_time[-room // 4 :], on_time[: -room // 4]
    step = len(others) / (room - len(slowest))
    return [others[int(index * step)] for index in range(room - len(slowest))] + slowest + late


def _x(ms: float, last_ms: float) -> float:
    return round(logarithmic(1.0, last_ms, _LEFT, _RIGHT)(ms), 1)


def _y(index: int) -> float:
    """Return a height that separates dots of equal times; the height has no meaning."""
    return round(_TOP + 4 + (index * _GOLDEN % 1) * (_BOTTOM - _TOP - 8), 1)


def _in_words(row: Latency) -> str:
    return (
        f"{row.operation}: {row.count} answers, half within {duration(row.p50_ms)}, slowest "
        f"{duration(row.max_ms)}, {row.late} later than {row.budget_s:g} seconds"
    )
