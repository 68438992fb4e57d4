"""Draws plots as inline SVG: scales, ticks, lines, bars and texts. No script and no font; colours are class names.

Coordinates are SVG user units, and y grows downwards. This module escapes all texts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import NamedTuple

Scale = Callable[[float], float]
"""Turns a value into a coordinate."""
Point = tuple[float, float | None]
"""A point of a line; None for y interrupts the line."""


class Area(NamedTuple):
    """The rectangle that a plot's values fill, between its axes."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of the right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """The y of the lower edge."""
        return self.top + self.height


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


def even_ticks(top: float, most: int = 5) -> list[float]:
    """Return ticks from 0 to `top` with a round step, at most `most` after the first."""
    step = 10 ** math.floor(math.log10(top))
    step = next(step * part for part in (0.2, 0.5, 1.0, 2.0) if top / (step * part) <= most)
    return [step * count for count in range(int(top / step) + 1)]


def drawing(title: str, content: str, width: float, height: float) -> str:
    """Return a whole picture; screen readers read its `title`."""
    return element("svg", content, viewBox=f"0 0 {width:g} {height:g}", role="img", aria_label=title)


def element(name: str, content: str = "", **attributes: str | float | None) -> str:
    """Return one element around finished markup; leave out attributes without a value, and round numbers to a tenth.

    `class_` and `text_anchor` become `class` and `text-anchor`.
    """
    present = {key.rstrip("_").replace("_", "-"): value for key, value in attributes.items() if value is not None}
    opening = " ".join([name, *(f'{key}="{_format_value(value)}"' for key, value in present.items())])
    return f"<{opening}>{content}</{name}>" if content else f"<{opening}/>"


def text(x: float, y: float, words: str, *, class_: str | None = None, anchor: str | None = None) -> str:
    """Return a text; `anchor` says which part of it is at x: start, middle or end."""
    return element("text", escape(words), class_=class_, x=x, y=y, text_anchor=anchor)


def line(start: tuple[float, float], end: tuple[float, float], class_: str) -> str:
    """Return a straight line."""
    return element("line", class_=class_, x1=start[0], x2=end[0], y1=start[1], y2=end[1])


def curve(points: Sequence[Point], class_: str) -> str:
    """Return a line through points, with a gap where a point has no y."""
    path, pen = [], "M"
    for x, y in points:
        if y is None:
            pen = "M"
            continue
        path.append(f"{pen}{x:.1f} {y:.1f}")
        pen = "L"
    return element("path", class_=class_, d=" ".join(path))


def dots(points: Sequence[tuple[float, float]]) -> str:
    """Return the path data of dots: lines without length, which a round line cap makes visible."""
    return "".join(f"M{x:g} {y:g}h0" for x, y in points)


def bar(area: Area, class_: str, title: str = "") -> str:
    """Return a filled rectangle; a browser shows its `title` under the pointer."""
    words = element("title", escape(title)) if title else ""
    return element("rect", words, class_=class_, x=area.left, y=area.top, width=area.width, height=area.height)


def grid(area: Area, y: Scale, ticks: Sequence[float], label: Callable[[float], str], class_: str | None = None) -> str:
    """Return a line across the area for each tick, with its label on the left; `class_` is the label's class."""
    return "".join(
        line((area.left, y(tick)), (area.right, y(tick)), "grid")
        + text(area.left - 6, y(tick) + 4, label(tick), class_=class_, anchor="end")
        for tick in ticks
    )


def _format_value(value: str | float) -> str:
    if isinstance(value, str):
        return escape(value)
    return f"{value:.1f}".removesuffix(".0")
