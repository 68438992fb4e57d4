"""The plots of a store day that need an axis; bars with words as labels are a table of the page."""

from __future__ import annotations

from collections.abc import Sequence

from jwo_toolkit import svg

_HEIGHT_PX = 200
_LIMIT_SHARE = 1.05


def bars(values: Sequence[tuple[str, int]], title: str, unit: str) -> str:
    """Draw vertical bars; each value is a count with a label."""
    top = max((value for _, value in values), default=0) or 1
    y = svg.linear(0, top, svg.WHOLE, 0)
    step = svg.WHOLE / max(1, len(values))
    content = svg.grid(y, svg.even_ticks(top, least_step=1), lambda value: f"{value:,.0f}")
    for index, (label, value) in enumerate(values):
        place, size = (step * (index + 0.12), y(value)), (step * 0.76, svg.WHOLE - y(value))
        content += svg.bar(place, size, "bar", f"{label}: {value:,} {unit}")
    content += svg.labels_below([(step * (index + 0.5), label) for index, (label, _) in enumerate(values)][::2])
    label, value = max(values, key=lambda each: each[1], default=("", 0))
    return svg.drawing(title, f"At most {value:,} {unit}, at {label}.", content, _HEIGHT_PX)


def steps(measured: Sequence[tuple[int, int]], title: str, limit_ms: int) -> str:
    """Draw the share of calls answered within each number of milliseconds, with the limit as a line."""
    total = sum(count for _, count in measured) or 1
    longest = max([limit_ms * _LIMIT_SHARE, *(ms for ms, _ in measured)])
    x, y = svg.linear(0, longest, 0, svg.WHOLE), svg.linear(0, 1, svg.WHOLE, 0)
    corners, answered = [(0.0, 0.0)], 0
    for ms, count in measured:
        corners.append((ms, answered / total))
        answered += count
        corners.append((ms, answered / total))
    corners.append((longest, answered / total))
    in_time = sum(count for ms, count in measured if ms <= limit_ms)
    content = (
        svg.grid(y, (0, 0.5, 1), lambda share: f"{share:.0%}")
        + svg.curve([(x(ms), y(share)) for ms, share in corners], "p50")
        + svg.line((x(limit_ms), 0), (x(limit_ms), svg.WHOLE), "budget")
        + svg.text(x(limit_ms), svg.WHOLE / 2, f"{limit_ms / 1000:g} s", class_="limit", shift_px=(-6, 0))
        + svg.labels_below([(x(ms), f"{ms / 1000:g} s") for ms in svg.even_ticks(longest)])
    )
    return svg.drawing(
        title, f"{in_time:,} of {sum(count for _, count in measured):,} calls within the limit.", content, _HEIGHT_PX
    )
