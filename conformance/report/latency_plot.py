"""The latency plot of an operation: one dot for each answer on a logarithmic time axis, with the budget.

The axis is logarithmic, because a good connector answers in milliseconds and the budget is seconds: on a linear axis
all dots would be in one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from conformance.report.model import Latency
from jwo_toolkit import svg
from jwo_toolkit.figures import duration, supports

_HEIGHT_PX = 60
_TOP, _BOTTOM = 8.0, 92.0
_MAX_DOTS = 600
_GOLDEN = 0.618034
_TICKS_MS = ((1, "1 ms"), (10, "10 ms"), (100, "100 ms"), (1_000, "1 s"), (10_000, "10 s"), (100_000, "100 s"))


class Tick(NamedTuple):
    """A place on the axis and its label."""

    x: float
    label: str


class Strip(NamedTuple):
    """The coordinates for one operation, in percent of the plot; `on_time` and `late` are SVG paths of dots."""

    on_time: str
    late: str
    ticks: list[Tick]
    marks: list[Tick]
    budget: Tick
    shown: int
    total: int
    title: str
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
        on_time=svg.dots([(x, y) for x, y, is_late in places if not is_late]),
        late=svg.dots([(x, y) for x, y, is_late in places if is_late]),
        ticks=[Tick(_x(ms, last_ms), label) for ms, label in _TICKS_MS if ms <= last_ms],
        marks=[
            Tick(_x(getattr(row, f"p{percent}_ms"), last_ms), f"p{percent}")
            for percent in (50, 95, 99)
            if supports(percent, row.count)
        ],
        budget=Tick(_x(budget_ms, last_ms), f"{row.budget_s:g} s"),
        shown=len(samples),
        total=row.count,
        title=f"Latency of {row.operation}",
        text=_in_words(row),
    )


def draw(plot: Strip) -> str:
    """Return the plot as SVG."""
    edge = svg.line((0, svg.WHOLE), (svg.WHOLE, svg.WHOLE), "grid")
    marks = [svg.line((mark.x, 0), (mark.x, svg.WHOLE), "mark") for mark in plot.marks]
    budget = svg.line((plot.budget.x, 0), (plot.budget.x, svg.WHOLE), "budget") + svg.text(
        plot.budget.x, 0, f"budget {plot.budget.label}", class_="limit", shift_px=(4, -8)
    )
    answers = [svg.stretched(plot.on_time, "on_time"), svg.stretched(plot.late, "too_late") if plot.late else ""]
    content = [edge, svg.labels_below(plot.ticks), *marks, budget, *answers]
    return svg.drawing(plot.title, plot.text, "".join(content), _HEIGHT_PX, "strip")


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
    return round(svg.logarithmic(1.0, last_ms, 0, svg.WHOLE)(ms), 2)


def _y(index: int) -> float:
    """Return a height that separates dots of equal times; the height has no meaning."""
    return round(_TOP + (index * _GOLDEN % 1) * (_BOTTOM - _TOP), 1)


def _in_words(row: Latency) -> str:
    return (
        f"{row.operation}: {row.count} answers, half within {duration(row.p50_ms)}, slowest "
        f"{duration(row.max_ms)}, {row.late} later than {row.budget_s:g} seconds. "
        "One dot for each answer on a logarithmic time axis."
    )
