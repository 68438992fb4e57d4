"""The plots of the HTML report as inline SVG: no script, no font, no colour that is not a name of the style sheet.

All plots share one frame: a plot area of 880 by 200 with the values' axis on the left.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

_LEFT, _TOP, _WIDTH, _HEIGHT = 64, 10, 880, 200
_SHARES = (0.0, 0.5, 0.9, 0.99, 0.999, 0.9999, 0.99999)
_Points = Sequence[tuple[float, float | None]]
Scale = Callable[[float], float]


def latency_over_time(seconds: Sequence[dict[str, Any]], budget_ms: float) -> str:
    """Median, p99 and longest latency of each second, on a logarithmic axis, with the budget as a line."""
    top = max([budget_ms * 1.5, *(second["max_ms"] or 0 for second in seconds)])
    lowest = min([second["p50_ms"] for second in seconds if second["p50_ms"]], default=1.0)
    y, marks = _log(min(lowest, 1.0), top)
    x = _linear(0, max(len(seconds), 1), _LEFT, _LEFT + _WIDTH)
    lines = [
        _line([(x(second["at_s"] + 0.5), _at(y, second[name])) for second in seconds], name.removesuffix("_ms"))
        for name in ("max_ms", "p99_ms", "p50_ms")
    ]
    late = "".join(_stripe(x(second["at_s"]), _WIDTH / len(seconds)) for second in seconds if second["late"])
    limit = y(budget_ms)
    budget = (
        f'<line class="budget" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{limit:.1f}" y2="{limit:.1f}"/>'
        f'<text class="limit" x="{_LEFT + _WIDTH}" y="{limit - 5:.1f}" text-anchor="end">budget {_ms(budget_ms)}</text>'
    )
    return _frame("Latency over time", late + _marks(y, marks, _ms) + _times(len(seconds), x) + "".join(lines) + budget)


def percentiles(curve: Sequence[Sequence[float]], budget_ms: float) -> str:
    """The HDR percentile plot: each step to the right is another nine."""
    if not curve:
        return _frame("Latency by percentile", "")
    nines = max(2.0, -math.log10(max(1 - max(share for share, _ in curve if share < 1), 1e-9)))
    y, marks = _log(max(min(value for _, value in curve), 0.01), max(budget_ms * 1.5, curve[-1][1]))
    x = _linear(0, nines, _LEFT, _LEFT + _WIDTH)
    points = [(x(min(-math.log10(max(1 - share, 10**-nines)), nines)), _at(y, value)) for share, value in curve]
    ticks = "".join(
        f'<text x="{x(-math.log10(1 - share)):.1f}" y="{_TOP + _HEIGHT + 16}">{share * 100:g} %</text>'
        for share in _SHARES
        if -math.log10(1 - share) <= nines
    )
    limit = y(budget_ms)
    budget = f'<line class="budget" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{limit:.1f}" y2="{limit:.1f}"/>'
    return _frame("Latency by percentile", _marks(y, marks, _ms) + ticks + _line(points, "p99") + budget)


def rate(seconds: Sequence[dict[str, Any]]) -> str:
    """Requests a second: wanted as an area, reached as a line."""
    top = max([1.0, *(max(second["wanted"], second["started"]) for second in seconds)])
    y, x = _linear(0, top, _TOP + _HEIGHT, _TOP), _linear(0, max(len(seconds), 1), _LEFT, _LEFT + _WIDTH)
    wanted = [(x(second["at_s"] + 0.5), y(second["wanted"])) for second in seconds]
    reached = [(x(second["at_s"] + 0.5), y(second["started"])) for second in seconds]
    return _frame(
        "Rate wanted and reached",
        _marks(y, _even(top), lambda value: f"{value:g}/s")
        + _times(len(seconds), x)
        + _line(wanted, "wanted")
        + _line(reached, "p50"),
    )


def lag(seconds: Sequence[dict[str, Any]], bound_ms: float) -> str:
    """The generator's longest lag in each second."""
    top = max([bound_ms * 2, *(second["lag_ms"] for second in seconds)])
    y, x = _linear(0, top, _TOP + _HEIGHT, _TOP), _linear(0, max(len(seconds), 1), _LEFT, _LEFT + _WIDTH)
    points = [(x(second["at_s"] + 0.5), y(second["lag_ms"])) for second in seconds]
    return _frame("Generator lag", _marks(y, _even(top), _ms) + _times(len(seconds), x) + _line(points, "max"))


def causes(counts: dict[str, int]) -> str:
    """Errors by cause as bars; a table would say the same, and stands beside it."""
    top = max(counts.values(), default=1)
    rows = [_bar(place, count / top, f"{count} x {cause}") for place, (cause, count) in enumerate(counts.items())]
    return _frame("Errors by cause", "".join(rows), height=30 * len(rows) + 20)


def _frame(title: str, content: str, height: int = _TOP + _HEIGHT + 24) -> str:
    return f'<svg viewBox="0 0 {_LEFT + _WIDTH + 12} {height}" role="img" aria-label="{escape(title)}">{content}</svg>'


def _stripe(x: float, width: float) -> str:
    return f'<rect class="late" x="{x:.1f}" y="{_TOP}" width="{max(width, 1):.1f}" height="{_HEIGHT}"/>'


def _bar(place: int, share: float, text: str) -> str:
    y, width = _TOP + 30 * place, max(2.0, 500 * share)
    return (
        f'<rect class="bar" x="{_LEFT}" y="{y}" width="{width:.1f}" height="18"/>'
        f'<text class="label" x="{_LEFT + 8 + width:.1f}" y="{y + 14}">{escape(text)}</text>'
    )


def _line(points: _Points, name: str) -> str:
    path, pen = [], "M"
    for x, y in points:
        if y is None:
            pen = "M"
            continue
        path.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return f'<path class="{name}" d="{" ".join(path)}"/>'


def _at(y: Scale, value: float | None) -> float | None:
    return None if value is None else y(max(value, 1e-3))


def _linear(low: float, high: float, from_: float, to: float) -> Scale:
    return lambda value: from_ + (to - from_) * (value - low) / (high - low)


def _log(low: float, high: float) -> tuple[Scale, list[float]]:
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    line = _linear(first, last, _TOP + _HEIGHT, _TOP)
    return lambda value: line(min(max(math.log10(value), first), last)), [
        10.0**power for power in range(first, last + 1)
    ]


def _even(top: float) -> list[float]:
    step = 10 ** math.floor(math.log10(top))
    step = next(step * part for part in (0.2, 0.5, 1.0, 2.0) if top / (step * part) <= 5)  # noqa: PLR2004 - at most five lines
    return [step * count for count in range(int(top / step) + 1)]


def _marks(y: Scale, values: Sequence[float], words: Callable[[float], str]) -> str:
    return "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>'
        f'<text class="y" x="{_LEFT - 6}" y="{y(value) + 4:.1f}">{words(value)}</text>'
        for value in values
    )


def _times(count: int, x: Scale) -> str:
    step = max(1, round(count / 10))
    step = next(size for size in (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 36000) if size >= step)
    return "".join(
        f'<text x="{x(second):.1f}" y="{_TOP + _HEIGHT + 16}">{second} s</text>' for second in range(0, count + 1, step)
    )


def _ms(value: float) -> str:
    return f"{value / 1000:g} s" if value >= 1000 else f"{value:g} ms"  # noqa: PLR2004 - ms in a second
