"""Numbers for readers have as many digits as their sample supports."""

from __future__ import annotations

import pytest

from jwo_toolkit import figures


@pytest.mark.parametrize(
    ("part", "whole", "text"),
    [
        (3, 21, "3 of 21"),
        (8, 55, "8 of 55"),
        (0, 0, "0 of 0"),
        (29, 200, "14 %"),
        (291, 2000, "14.6 %"),
        (1, 999, "under 1 %"),
        (1, 9_999, "under 0.1 %"),
        (9_998, 9_999, "over 99.9 %"),
        (0, 400, "0 %"),
        (400, 400, "100 %"),
        (12_345, 50_000, "24.69 %"),
    ],
)
def test_a_share_has_the_digits_of_its_sample(part: int, whole: int, text: str) -> None:
    assert figures.share(part, whole) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0, "0 %"),
        (0.00253, "0.26 %"),
        (0.01, "1 %"),
        (3 / 40, "7.5 %"),
        (0.0751, "7.6 %"),
        (0.999, "100 %"),
        (2, "100 %"),
    ],
)
def test_an_upper_bound_is_rounded_up(fraction: float, text: str) -> None:
    assert figures.upper_bound(fraction) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (0.1234, "0.123"),
        (9.876, "9.88"),
        (207.4, "207"),
        (1234.5, "1,234"),
        (60_000, "60,000"),
        (0.0, "0"),
    ],
)
def test_a_measured_number_has_three_digits(value: float | None, text: str) -> None:
    assert figures.significant(value) == text


@pytest.mark.parametrize(("fraction", "text"), [(0.75, "75 %"), (1.0, "100 %"), (1 / 3, "33.3 %"), (0.0005, "0.05 %")])
def test_a_given_share_has_no_empty_digits(fraction: float, text: str) -> None:
    assert figures.percent(fraction) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0.0 ms"), (4.21, "4.2 ms"), (9.97, "10 ms"), (137.4, "137 ms"), (999.7, "1.00 s"), (2450, "2.45 s"),
        (25_940, "25.9 s"), (120_000, "2 min"), (200_400, "3 min 20 s"),
    ],
)  # fmt: skip
def test_times_have_readable_units(ms: float, text: str) -> None:
    assert figures.duration(ms) == text


@pytest.mark.parametrize(
    ("percentile", "count", "is_supported"),
    [
        (50, 2, True),
        (95, 19, False),
        (95, 20, True),
        (99, 55, False),
        (99, 100, True),
        (99.99, 9_999, False),
        (99.99, 10_000, True),
    ],
)
def test_a_percentile_needs_a_value_above_it(percentile: float, count: int, is_supported: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert figures.supports(percentile, count) is is_supported
