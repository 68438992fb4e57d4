"""Draws plots as inline SVG that keeps the size of its texts and lines at every width. No script; colours are classes.

Coordinates are percents of the plot's area, and y grows downwards. Labels are in pixels beside the area: the page's
style gives the plot its margins. This module escapes all texts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

Scale = Callable[[float], float]
"""Turns a value into a coordinate."""
Point = tuple[float, float | None]
"""A point of a line; None for y interrupts the line."""
WHOLE = 100.0
"""The right and the lower edge of the area, in percent."""
_BELOW_PX = 18
_NARROW_LABELS = 5
"""The most labels below a plot on a narrow page."""


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """Map values from `low` to `high` evenly to coordinates from `start` to `end`."""
    return lambda value: start + (end - start) * (value - low) / (high - low)


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """Map values from `low` to `high` by their logarithm; a value outside is put on the edge."""
    line = linear(math.log10(low), math.log10(high), start, end)
    return lambda value: line(math.log10(min(max(value, low), high)))


def decades(low: float, high: float) -> list[float]:
    """Return the powers of ten that enclose `low` to `high`: the ticks, and the bounds, of a logarithmic axis."""
    return [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]


def even_ticks(top: float, most: int = 5, least_step: float = 0.0) -> list[float]:
    """Return ticks from 0 to `top` with a round step, at most `most` after the first; counts take 1 as `least_step`."""
    step = 10 ** math.floor(math.log10(top))
    step = next(step * part for part in (0.2, 0.5, 1.0, 2.0) if top / (step * part) <= most)
    step = max(step, least_step)
    return [step * count for count in range(int(top / step) + 1)]


def drawing(title: str, description: str, content: str, height_px: int, class_: str = "plot") -> str:
    """Return a whole picture, as wide as its place; screen readers read its title and description."""
    words = element("title", escape(title)) + element("desc", escape(description))
    return element("svg", words + content, class_=class_, role="img", height=height_px)


def element(name: str, content: str = "", **attributes: str | float | None) -> str:
    """Return one element around finished markup; leave out attributes without a value, and round numbers to 0.01.

    `class_` and `text_anchor` become `class` and `text-anchor`.
    """
    present = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    opening = " ".join([name, *(f'{key}="{_format_value(value)}"' for key, value in present.items())])
    return f"<{opening}>{content}</{name}>" if content else f"<{opening}/>"


def text(x: float, y: float, words: str, *, class_: str, shift_px: tuple[int, int] = (0, 0)) -> str:
    """Return a text at a place, moved right and down by `shift_px`; the class says which part of it is at the place."""
    shift = {"dx": shift_px[0] or None, "dy": shift_px[1] or None}
    return element("text", escape(words), class_=class_, x=_percent(x), y=_percent(y), **shift)


def line(start: tuple[float, float], end: tuple[float, float], class_: str) -> str:
    """Return a straight line."""
    places = {"x1": start[0], "x2": end[0], "y1": start[1], "y2": end[1]}
    return element("line", class_=class_, **{name: _percent(value) for name, value in places.items()})


def curve(points: Sequence[Point], class_: str) -> str:
    """Return a line through points, with a gap where a point has no y; a point between two gaps is a dot."""
    path, pen = [], "M"
    for x, y in points:
        if y is None:
            pen = "M"
            continue
        path.append(f"{pen}{x:.2f} {y:.2f}" + ("h0" if pen == "M" else ""))
        pen = "L"
    return stretched(" ".join(path), class_)


def dots(points: Sequence[tuple[float, float]]) -> str:
    """Return the path data of dots: lines without length, which a round line cap makes visible."""
    return "".join(f"M{x:g} {y:g}h0" for x, y in points)


def stretched(path: str, class_: str) -> str:
    """Return a path that stretches with the area; the style keeps the width of its stroke."""
    inner = element("path", class_=class_, d=path)
    return element("svg", inner, viewBox="0 0 100 100", preserveAspectRatio="none", overflow="visible")


def bar(place: tuple[float, float], size: tuple[float, float], class_: str, title: str = "") -> str:
    """Return a filled rectangle of a size; a browser shows its `title` under the pointer."""
    words = element("title", escape(title)) if title else ""
    sides = {"x": place[0], "y": place[1], "width": size[0], "height": size[1]}
    return element("rect", words, class_=class_, **{name: _percent(value) for name, value in sides.items()})


def grid(y: Scale, ticks: Sequence[float], label: Callable[[float], str]) -> str:
    """Return a line across the area for each tick, with its label on the left."""
    return "".join(
        line((0, y(tick)), (WHOLE, y(tick)), "grid") + text(0, y(tick), label(tick), class_="left", shift_px=(-8, 4))
        for tick in ticks
    )


def labels_below(labels: Sequence[tuple[float, str]]) -> str:
    """Return labels below the area, each with its x; a narrow page shows at most five, evenly chosen."""
    every = -(-len(labels) // _NARROW_LABELS)
    return "".join(
        text(x, WHOLE, words, class_="below minor" if index % every else "below", shift_px=(0, _BELOW_PX))
        for index, (x, words) in enumerate(labels)
    )


def _percent(value: float) -> str:
    return f"{_format_value(value)}%"


def _format_value(value: str | float) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.2f}".rstrip("0").rstrip(".")
