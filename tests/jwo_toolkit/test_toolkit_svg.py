"""Scales and ticks of plots, and markup that is well formed for any text."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from jwo_toolkit import svg


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


def test_counts_have_no_ticks_between_whole_numbers() -> None:
    assert svg.even_ticks(2, least_step=1) == [0, 1, 2]
    assert svg.even_ticks(29, least_step=1) == [0, 10, 20]


def test_picture_is_well_formed_and_names_itself() -> None:
    bad = 'a <b> & "c"'
    content = svg.grid(svg.linear(0, 1, 100, 0), [0, 1], lambda _: bad) + svg.bar((0, 0), (10, 20), "bar", bad)
    root = ET.fromstring(svg.drawing(bad, bad, content, 200))  # noqa: S314 - written by the function under test
    assert root.attrib == {"class": "plot", "role": "img", "height": "200"}
    assert [(child.tag, child.text) for child in root[:2]] == [("title", bad), ("desc", bad)]
    assert [child.text for child in root if child.tag == "text"] == [bad, bad]
    assert [(child.get("y1"), child.get("x2")) for child in root if child.tag == "line"] == [
        ("100%", "100%"),
        ("0%", "100%"),
    ]
    assert root[-1][0].text == bad


def test_labels_and_lines_have_no_scaled_coordinates() -> None:
    drawn = svg.text(12.345, 100, "1 s", class_="below", shift_px=(0, 18)) + svg.line((0, 50), (100, 50), "grid")
    assert 'x="12.35%" y="100%" dy="18"' in drawn
    assert 'x1="0%" x2="100%" y1="50%" y2="50%"' in drawn


@pytest.mark.parametrize(("labels", "on_narrow_pages"), [(4, 4), (6, 3), (12, 4), (24, 5)])
def test_a_narrow_page_shows_at_most_five_labels(labels: int, on_narrow_pages: int) -> None:
    drawn = svg.labels_below([(number, str(number)) for number in range(labels)])
    assert drawn.count('class="below"') == on_narrow_pages
    assert drawn.count("below minor") == labels - on_narrow_pages


def test_curve_has_a_gap_where_a_value_is_missing() -> None:
    drawn = svg.curve([(0, 1), (1, 2.25), (2, None), (3, 4)], "p50")
    assert 'd="M0.00 1.00h0 L1.00 2.25 M3.00 4.00h0"' in drawn
