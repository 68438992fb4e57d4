"""Scales and ticks of plots, and markup that is well formed for any text."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from jwo_toolkit import svg

AREA = svg.Area(10, 20, 100, 50)


def test_scales_map_their_bounds_to_the_edges() -> None:
    assert [svg.linear(0, 4, 100, 0)(value) for value in (0, 1, 4)] == [100, 75, 0]
    scale = svg.logarithmic(1, 1000, 0, 30)
    assert [round(scale(value), 6) for value in (0, 1, 10, 1000, 5000)] == [0, 0, 10, 30, 30]


@pytest.mark.parametrize(
    ("low", "high", "ticks"), [(1, 1000, [1, 10, 100, 1000]), (0.05, 3, [0.01, 0.1, 1, 10]), (2, 9, [1, 10])]
)
def test_decades_enclose_the_values(low: float, high: float, ticks: list[float]) -> None:
    assert svg.decades(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize(("top", "step"), [(1, 0.2), (7, 2), (48, 10), (99, 20), (100, 20), (0.9, 0.2)])
def test_even_ticks_have_a_round_step_and_stay_below_the_top(top: float, step: float) -> None:
    ticks = svg.even_ticks(top)
    assert ticks[:2] == pytest.approx([0, step])
    assert ticks[-1] <= top < ticks[-1] + step * 1.000001
    assert len(ticks) <= 6


def test_picture_is_well_formed_and_names_itself() -> None:
    bad = 'a <b> & "c"'
    content = svg.grid(AREA, svg.linear(0, 1, AREA.bottom, AREA.top), [0, 1], lambda _: bad) + svg.bar(AREA, "bar", bad)
    root = ET.fromstring(svg.drawing(bad, content, 200, 100.5))  # noqa: S314 - written by the function under test
    assert root.attrib == {"viewBox": "0 0 200 100.5", "role": "img", "aria-label": bad}
    assert [child.text for child in root if child.tag == "text"] == [bad, bad]
    assert [(child.get("y1"), child.get("x2")) for child in root if child.tag == "line"] == [
        ("70", "110"),
        ("20", "110"),
    ]
    assert root[-1][0].text == bad


def test_curve_has_a_gap_where_a_value_is_missing() -> None:
    assert (
        svg.curve([(0, 1), (1, 2.25), (2, None), (3, 4)], "p50") == '<path class="p50" d="M0.0 1.0 L1.0 2.2 M3.0 4.0"/>'
    )
