"""The plots of the HTML report, each with a plot area of 880 by 200 and the value axis on the left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from jwo_toolkit.svg import (
    Area,
    Point,
    Scale,
    bar,
    curve,
    decades,
    drawing,
    even_ticks,
    grid,
    line,
    linear,
    logarithmic,
    text,
)

_AREA = Area(64, 10, 880, 200)
_SHARES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 36000)
_BAR_HEIGHT, _BAR_STEP, _LONGEST_BAR = 18, 30, 500
_Seconds = Sequence[dict[str, Any]]


def latency_over_time(seconds: _Seconds, budget_ms: float) -> str:
    """Draw median, p99 and longest latency of each second, on a logarithmic axis, with the budget as a line."""
    top = max([budget_ms * 1.5, *(second["max_ms"] or 0 for second in seconds)])
    lowest = min([second["p50_ms"] for second in seconds if second["p50_ms"]], default=1.0)
    ticks, x = decades(min(lowest, 1.0), top), _time_axis(seconds)
    y = _logarithmic(ticks)
    late = "".join(
        bar(Area(x(second["at_s"]), _AREA.top, max(_AREA.width / len(seconds), 1), _AREA.height), "late")
        for second in seconds
        if second["late"]
    )
    lines = [
        curve([(x(second["at_s"] + 0.5), _at(y, second[name])) for second in seconds], name.removesuffix("_ms"))
        for name in ("max_ms", "p99_ms", "p50_ms")
    ]
    limit = y(budget_ms)
    budget = _horizontal_line(limit, "budget") + text(
        _AREA.right, limit - 5, f"budget {_ms(budget_ms)}", class_="limit", anchor="end"
    )
    content = late + grid(_AREA, y, ticks, _ms, "y") + _times(len(seconds), x) + "".join(lines) + budget
    return _plot("Latency over time", content)


def percentiles(percentile_curve: Sequence[Sequence[float]], budget_ms: float) -> str:
    """Draw the HDR percentile plot: each step to the right adds a nine to the share."""
    title = "Latency by percentile"
    if not percentile_curve:
        return _plot(title, "")
    nines = max(2.0, _nines(max(share for share, _ in percentile_curve if share < 1)))
    lowest = max(min(value for _, value in percentile_curve), 0.01)
    ticks = decades(lowest, max(budget_ms * 1.5, percentile_curve[-1][1]))
    y, x = _logarithmic(ticks), linear(0, nines, _AREA.left, _AREA.right)
    points: list[Point] = [(x(min(_nines(share), nines)), _at(y, value)) for share, value in percentile_curve]
    labels = "".join(
        _label_below(x(_nines(share)), f"{share * 100:g} %") for share in _SHARES if _nines(share) <= nines
    )
    budget = _horizontal_line(y(budget_ms), "budget")
    return _plot(title, grid(_AREA, y, ticks, _ms, "y") + labels + curve(points, "p99") + budget)


def rate(seconds: _Seconds) -> str:
    """Draw requests per second: planned and reached, each as a line."""
    top = max([1.0, *(max(second["wanted"], second["started"]) for second in seconds)])
    y = linear(0, top, _AREA.bottom, _AREA.top)
    marks = grid(_AREA, y, even_ticks(top), lambda value: f"{value:g}/s", "y")
    lines = _over_time(seconds, "wanted", y, "wanted") + _over_time(seconds, "started", y, "p50")
    return _plot("Rate planned and reached", marks + _times(len(seconds), _time_axis(seconds)) + lines)


def lag(seconds: _Seconds, bound_ms: float) -> str:
    """Draw the generator's longest lag in each second."""
    top = max([bound_ms * 2, *(second["lag_ms"] for second in seconds)])
    y = linear(0, top, _AREA.bottom, _AREA.top)
    marks = grid(_AREA, y, even_ticks(top), _ms, "y") + _times(len(seconds), _time_axis(seconds))
    return _plot("Generator lag", marks + _over_time(seconds, "lag_ms", y, "max"))


def causes(counts: dict[str, int]) -> str:
    """Draw the number of errors of each cause as bars."""
    top = max(counts.values(), default=1)
    rows = []
    for place, (cause, count) in enumerate(counts.items()):
        y, width = _AREA.top + _BAR_STEP * place, max(2.0, _LONGEST_BAR * count / top)
        rows.append(bar(Area(_AREA.left, y, width, _BAR_HEIGHT), "bar"))
        rows.append(text(_AREA.left + 8 + width, y + 14, f"{count} x {cause}", class_="label"))
    return _plot("Errors by cause", "".join(rows), _BAR_STEP * len(counts) + 20)


def _plot(title: str, content: str, height: float = _AREA.bottom + 24) -> str:
    return drawing(title, content, _AREA.right + 12, height)


def _over_time(seconds: _Seconds, name: str, y: Scale, class_: str) -> str:
    x = _time_axis(seconds)
    return curve([(x(second["at_s"] + 0.5), y(second[name])) for second in seconds], class_)


def _time_axis(seconds: _Seconds) -> Scale:
    return linear(0, max(len(seconds), 1), _AREA.left, _AREA.right)


def _logarithmic(ticks: Sequence[float]) -> Scale:
    return logarithmic(ticks[0], ticks[-1], _AREA.bottom, _AREA.top)


def _horizontal_line(y: float, class_: str) -> str:
    return line((_AREA.left, y), (_AREA.right, y), class_)


def _label_below(x: float, words: str) -> str:
    return text(x, _AREA.bottom + 16, words)


def _times(count: int, x: Scale) -> str:
    step = next(size for size in _TIME_STEPS_S if size >= max(1, round(count / 10)))
    return "".join(_label_below(x(second), f"{second} s") for second in range(0, count + 1, step))


def _at(y: Scale, value: float | None) -> float | None:
    return None if value is None else y(value)


def _nines(share: float) -> float:
    """Return the number of nines of a share, such as 2 for 99 %; at most 9."""
    return -math.log10(max(1 - share, 1e-9))


def _ms(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"  # noqa: PLR2004 - ms in a second
