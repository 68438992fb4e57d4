"""The plots of a store day; each figure is 640 SVG user units wide."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from jwo_toolkit import svg

_WIDTH, _HEIGHT, _LABELS_Y = 640, 240, 226
_AREA = svg.Area(56, 12, 574, 194)
_HORIZONTAL = svg.Area(210, 8, 360, 24)
"""The longest horizontal bar, with the space below it."""
_MOST_LABELS = 12


def bars(values: Sequence[tuple[str, float]], title: str, unit: str) -> str:
    """Draw vertical bars; each value has a label."""
    top = max((value for _, value in values), default=0) or 1
    step = _AREA.width / max(1, len(values))
    labelled_every = 1 if len(values) <= _MOST_LABELS else len(values) // _MOST_LABELS + 1
    parts = [_axis(top, unit)]
    for index, (label, value) in enumerate(values):
        x, height = _AREA.left + index * step, _AREA.height * value / top
        place = svg.Area(x + step * 0.12, _AREA.bottom - height, step * 0.76, height)
        parts.append(svg.bar(place, "bar", f"{label}: {value:g} {unit}"))
        if index % labelled_every == 0:
            parts.append(svg.text(x + step / 2, _LABELS_Y, label, anchor="middle"))
    return _figure("".join(parts), title)


def horizontal_bars(values: Sequence[tuple[str, float, str]], title: str, unit: str) -> str:
    """Draw horizontal bars, for labels that are words; the third member of a value is the CSS class of the bar."""
    top = max((value for _, value, _ in values), default=0) or 1
    parts = []
    for index, (label, value, kind) in enumerate(values):
        width, y = _HORIZONTAL.width * value / top, _HORIZONTAL.top + index * _HORIZONTAL.height
        place = svg.Area(_HORIZONTAL.left, y, max(1.0, width), _HORIZONTAL.height - 7)
        parts.append(svg.text(_HORIZONTAL.left - 8, y + 15, label, anchor="end"))
        parts.append(svg.bar(place, f"bar {kind}".strip()))
        parts.append(svg.text(_HORIZONTAL.left + width + 6, y + 15, f"{value:g} {unit}".strip()))
    return _figure("".join(parts), title, _HORIZONTAL.height * len(values) + 16)


def steps(measured: Sequence[tuple[int, int]], title: str, limit_ms: int) -> str:
    """Draw the share of calls answered within each number of milliseconds, with the limit as a line."""
    total = sum(count for _, count in measured) or 1
    longest = max([limit_ms * 1.05, *(ms for ms, _ in measured)])
    x, y = svg.linear(0, longest, _AREA.left, _AREA.right), svg.linear(0, 1, _AREA.bottom, _AREA.top)
    corners, answered = [(0.0, 0.0)], 0
    for ms, count in measured:
        corners.append((ms, answered / total))
        answered += count
        corners.append((ms, answered / total))
    corners.append((longest, answered / total))
    limit = x(limit_ms)
    return _figure(
        _axis(100, "%")
        + svg.curve([(x(ms), y(share)) for ms, share in corners], "line")
        + svg.line((limit, _AREA.top), (limit, _AREA.bottom), "limit")
        + svg.text(limit - 4, _AREA.top + 12, f"{limit_ms} ms", anchor="end")
        + svg.text(_AREA.left, _LABELS_Y, "0 ms")
        + svg.text(_AREA.right, _LABELS_Y, f"{longest:.0f} ms", anchor="end"),
        title,
    )


def _axis(top: float, unit: str) -> str:
    sign = unit if unit == "%" else ""
    y = svg.linear(0, top, _AREA.bottom, _AREA.top)
    return svg.grid(_AREA, y, (0, top / 2, top), lambda value: f"{value:g}{sign}")


def _figure(content: str, title: str, height: float = _HEIGHT) -> str:
    caption = svg.element("figcaption", escape(title))
    return svg.element("figure", caption + svg.drawing(title, content, _WIDTH, height))
