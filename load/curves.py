"""Arrival curves: the planned number of requests per second at each moment of a run.

A curve is a line through points `(seconds, requests per second)`; two points at the same second make a jump.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

_DAY = (0.02, 0.3, 0.6, 0.35, 0.45, 1.0, 0.8, 0.4, 0.35, 0.45, 0.8, 0.95, 0.6, 0.3, 0.1)
"""A convenience store from opening to closing, as shares of its busiest hour: breakfast, lunch, the way home."""


@dataclass(frozen=True)
class Curve:
    """The planned rate over time, from the first point to the last."""

    points: tuple[tuple[float, float], ...]

    @property
    def duration_s(self) -> float:
        """The length of the curve, in seconds."""
        return self.points[-1][0]

    @property
    def busiest(self) -> float:
        """The highest planned rate, in requests per second."""
        return max(rate for _, rate in self.points)

    @property
    def total(self) -> float:
        """The number of requests in the whole curve."""
        return self._sums()[-1]

    def rate_at(self, second: float) -> float:
        """Return the planned rate at a second of the run."""
        for (start, first), (end, last) in pairwise(self.points):
            if start <= second < end:
                return first + (last - first) * (second - start) / (end - start)
        return 0.0

    def moments(self, counts: Iterable[float]) -> Iterator[float]:
        """Yield the second at which the curve reaches each of these counts of requests."""
        sums = self._sums()
        return (self._moment(sums, count) for count in counts)

    def _sums(self) -> list[float]:
        areas = [(end - start) * (first + last) / 2 for (start, first), (end, last) in pairwise(self.points)]
        return list(accumulate(areas, initial=0.0))

    def _moment(self, sums: list[float], count: float) -> float:
        piece = min(max(bisect_right(sums, count) - 1, 0), len(self.points) - 2)
        (start, first), (end, last) = self.points[piece], self.points[piece + 1]
        rest, slope = count - sums[piece], (last - first) / (end - start) if end > start else 0.0
        if abs(slope) < 1e-12:  # noqa: PLR2004 - a level piece
            return start + (rest / first if first else 0.0)
        return start + (math.sqrt(max(first * first + 2 * slope * rest, 0.0)) - first) / slope


def constant(rate: float, duration_s: float) -> Curve:
    """Return a curve of one rate."""
    return Curve(((0.0, rate), (duration_s, rate)))


def ramp(first: float, last: float, duration_s: float) -> Curve:
    """Return a straight line from one rate to another."""
    return Curve(((0.0, first), (duration_s, last)))


def steps(*rates_and_lengths: tuple[float, float]) -> Curve:
    """Return levels, each `(rate, seconds)`, in order."""
    points: list[tuple[float, float]] = []
    at = 0.0
    for rate, length_s in rates_and_lengths:
        points += [(at, rate), (at + length_s, rate)]
        at += length_s
    return Curve(tuple(points))


def spike(base: float, peak: float, duration_s: float, *, starts_at: float = 0.4, lasts: float = 0.1) -> Curve:
    """Return a level with one sudden peak; `starts_at` and `lasts` are shares of the duration."""
    before, during = starts_at * duration_s, lasts * duration_s
    return steps((base, before), (peak, during), (base, duration_s - before - during))


def store_day(busiest: float, duration_s: float) -> Curve:
    """Return a whole day, from opening to closing, compressed into the duration."""
    width = duration_s / (len(_DAY) - 1)
    return Curve(tuple((hour * width, share * busiest) for hour, share in enumerate(_DAY)))
