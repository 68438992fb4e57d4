"""The plots of the HTML report, each with the value axis on the left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from jwo_toolkit.figures import duration, supports
from jwo_toolkit.svg import (
    WHOLE,
    Point,
    Scale,
    bar,
    curve,
    decades,
    drawing,
    even_ticks,
    grid,
    labels_below,
    line,
    linear,
    logarithmic,
    text,
)

_HEIGHT_PX = 200
_SHARES = (0.0, 0.9, 0.99, 0.999, 0.9999, 0.99999)
_TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 36000)
_MOST_TIMES = 10
_Seconds = Sequence[dict[str, Any]]


def latency_over_time(seconds: _Seconds, budget_ms: float) -> str:
    """Draw median, p99 and longest latency of each second, on a logarithmic axis, with the budget as a line."""
    top = max([budget_ms * 1.5, *(second["max_ms"] or 0 for second in seconds)])
    lowest = min([second["p50_ms"] for second in seconds if second["p50_ms"]], default=1.0)
    ticks, x = decades(min(lowest, 1.0), top), _time_axis(seconds)
    y = _logarithmic(ticks)
    width = WHOLE / max(1, len(seconds))
    late = "".join(bar((x(second["at_s"]), 0), (width, WHOLE), "late") for second in seconds if second["late"])
    lines = [
        curve([(x(second["at_s"] + 0.5), _at(y, known_ms(second, f"{name}_ms"))) for second in seconds], name)
        for name in ("max", "p99", "p50")
    ]
    longest = max((second["max_ms"] or 0 for second in seconds), default=0)
    with_late = sum(bool(second["late"]) for second in seconds)
    words = (
        f"{with_late} of {len(seconds)} seconds have answers later than {_ms(budget_ms)}; "
        f"the longest took {duration(longest)}."
    )
    content = late + grid(y, ticks, _ms) + _times(len(seconds), x) + "".join(lines) + _budget(y, budget_ms)
    return drawing("Latency over time", words, content, _HEIGHT_PX)


def percentiles(percentile_curve: Sequence[Sequence[float]], count: int, budget_ms: float) -> str:
    """Draw the HDR percentile plot: each step to the right adds a nine, as far as the count goes."""
    title = "Latency by percentile"
    if not percentile_curve:
        return drawing(title, "There were no answers.", "", 1)
    percentile_curve = [each for each in percentile_curve if each[0] >= 1 or supports(100 * each[0], count)]
    nines = max([1.0, *(_nines(share) for share, _ in percentile_curve if share < 1)])
    lowest = max(min(value for _, value in percentile_curve), 0.01)
    ticks = decades(lowest, max(budget_ms * 1.5, percentile_curve[-1][1]))
    y, x = _logarithmic(ticks), linear(0, nines, 0, WHOLE)
    points: list[Point] = [(x(min(_nines(share), nines)), _at(y, value)) for share, value in percentile_curve]
    labels = labels_below([(x(_nines(share)), f"{share * 100:g} %") for share in _SHARES if _nines(share) <= nines])
    fastest, longest = (duration(percentile_curve[place][1]) for place in (0, -1))
    words = f"From {fastest}, the fastest answer, to {longest}. The table of figures has the percentiles."
    content = grid(y, ticks, _ms) + labels + curve(points, "p50") + _budget(y, budget_ms)
    return drawing(title, words, content, _HEIGHT_PX)


def known_ms(second: dict[str, Any], name: str) -> float | None:
    """Return a figure of a second; None if it has no answers, or too few of them for the percentile."""
    value: float | None = second[name]
    return value if name != "p99_ms" or supports(99, second["started"]) else None


def rate(seconds: _Seconds) -> str:
    """Draw requests per second: planned and reached, each as a line."""
    top = max([1.0, *(max(second["wanted"], second["started"]) for second in seconds)])
    y = linear(0, top, WHOLE, 0)
    marks = grid(y, even_ticks(top, least_step=1), lambda value: f"{value:,.0f}/s")
    lines = _over_time(seconds, "wanted", y, "wanted") + _over_time(seconds, "started", y, "p50")
    behind = sum(second["started"] < second["wanted"] for second in seconds)
    words = f"At most {top:,.0f} in a second; below the plan in {behind} of {len(seconds)} seconds."
    content = marks + _times(len(seconds), _time_axis(seconds)) + lines
    return drawing("Rate planned and reached", words, content, _HEIGHT_PX)


def lag(seconds: _Seconds, bound_ms: float) -> str:
    """Draw the generator's longest lag in each second."""
    longest = max((second["lag_ms"] for second in seconds), default=0)
    top = max(bound_ms * 2, longest)
    y = linear(0, top, WHOLE, 0)
    marks = grid(y, even_ticks(top), _ms) + _times(len(seconds), _time_axis(seconds))
    words = f"The longest lag was {duration(longest)}."
    return drawing("Generator lag", words, marks + _over_time(seconds, "lag_ms", y, "p50"), _HEIGHT_PX)


def _over_time(seconds: _Seconds, name: str, y: Scale, class_: str) -> str:
    x = _time_axis(seconds)
    return curve([(x(second["at_s"] + 0.5), y(second[name])) for second in seconds], class_)


def _time_axis(seconds: _Seconds) -> Scale:
    return linear(0, max(len(seconds), 1), 0, WHOLE)


def _logarithmic(ticks: Sequence[float]) -> Scale:
    return logarithmic(ticks[0], ticks[-1], WHOLE, 0)


def _budget(y: Scale, budget_ms: float) -> str:
    words = text(WHOLE, y(budget_ms), f"budget {_ms(budget_ms)}", class_="limit", shift_px=(0, -5))
    return line((0, y(budget_ms)), (WHOLE, y(budget_ms)), "budget") + words


def _times(count: int, x: Scale) -> str:
    step = next(size for size in _TIME_STEPS_S if size >= max(1, round(count / _MOST_TIMES)))
    return labels_below([(x(second), f"{second} s") for second in range(0, count + 1, step)])


def _at(y: Scale, value: float | None) -> float | None:
    return None if value is None else y(value)


def _nines(share: float) -> float:
    """Return the number of nines of a share, such as 2 for 99 %; at most 9."""
    return -math.log10(max(1 - share, 1e-9))


def _ms(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"  # noqa: PLR2004 - ms in a second
