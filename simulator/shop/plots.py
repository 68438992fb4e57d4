"""Plots as SVG, drawn here, so that a page of results is one file and needs nobody else's code."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 240, 56, 34, 12


def bars(values: Sequence[tuple[str, float]], title: str, unit: str) -> str:
    """Draw upright bars; each value has a label."""
    top = max((value for _, value in values), default=0) or 1
    inner_w, inner_h = _WIDTH - _LEFT - 10, _HEIGHT - _BOTTOM - _TOP
    step = inner_w / max(1, len(values))
    parts = [_axis(top, unit)]
    for index, (label, value) in enumerate(values):
        height = inner_h * value / top
        x, y = _LEFT + index * step + step * 0.12, _TOP + inner_h - height
        parts.append(f'<rect class="bar" x="{x:.1f}" y="{y:.1f}" width="{step * 0.76:.1f}" height="{height:.1f}">')
        parts.append(f"<title>{escape(label)}: {value:g} {escape(unit)}</title></rect>")
        if len(values) <= 12 or index % (len(values) // 12 + 1) == 0:  # noqa: PLR2004 - more labels would overlap
            middle = _LEFT + index * step + step / 2
            parts.append(f'<text x="{middle:.1f}" y="{_HEIGHT - 14}" text-anchor="middle">{escape(label)}</text>')
    return _svg("".join(parts), title)


def lying_bars(values: Sequence[tuple[str, float, str]], title: str, unit: str) -> str:
    """Draw bars from left to right, for labels that are words; the third member is the bar's class."""
    top, row, left = max((value for _, value, _ in values), default=0) or 1, 24, 210
    height = row * len(values) + 16
    parts = []
    for index, (label, value, kind) in enumerate(values):
        width, y = (_WIDTH - left - 70) * value / top, 8 + index * row
        parts.append(f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{escape(label)}</text>')
        parts.append(f'<rect class="bar {kind}" x="{left}" y="{y}" width="{max(1.0, width):.1f}" height="{row - 7}"/>')
        parts.append(f'<text x="{left + width + 6:.1f}" y="{y + 15}">{value:g} {escape(unit)}</text>')
    return _svg("".join(parts), title, height)


def steps(measured: Sequence[tuple[int, int]], title: str, limit_ms: int) -> str:
    """Draw what share of calls was answered within so many milliseconds, with the limit as a line."""
    total = sum(count for _, count in measured) or 1
    longest = max([limit_ms * 1.05, *(ms for ms, _ in measured)])
    inner_w, inner_h = _WIDTH - _LEFT - 10, _HEIGHT - _BOTTOM - _TOP
    points, seen = [(0.0, 0.0)], 0
    for ms, count in measured:
        points.append((ms, seen / total))
        seen += count
        points.append((ms, seen / total))
    points.append((longest, seen / total))
    path = " ".join(f"{_LEFT + inner_w * x / longest:.1f},{_TOP + inner_h * (1 - y):.1f}" for x, y in points)
    limit = _LEFT + inner_w * limit_ms / longest
    return _svg(
        f'{_axis(100, "%")}<polyline class="line" points="{path}"/>'
        f'<line class="limit" x1="{limit:.1f}" x2="{limit:.1f}" y1="{_TOP}" y2="{_TOP + inner_h}"/>'
        f'<text x="{limit - 4:.1f}" y="{_TOP + 12}" text-anchor="end">{limit_ms} ms</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 14}">0 ms</text>'
        f'<text x="{_WIDTH - 10}" y="{_HEIGHT - 14}" text-anchor="end">{longest:.0f} ms</text>',
        title,
    )


def _axis(top: float, unit: str) -> str:
    inner_h = _HEIGHT - _BOTTOM - _TOP
    parts = []
    sign = unit if unit == "%" else ""
    for part in (0, 0.5, 1):
        y = _TOP + inner_h * (1 - part)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{top * part:g}{sign}</text>')
    return "".join(parts)


def _svg(inner: str, title: str, height: int = _HEIGHT) -> str:
    return (
        f'<figure><figcaption>{escape(title)}</figcaption><svg viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">{inner}</svg></figure>'
    )
