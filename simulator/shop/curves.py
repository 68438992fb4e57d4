"""Kinds of days: how many shoppers come to a store, at which hours, and how much they take.

The shapes are ours, after small city stores: two peaks at meal times on a working day, one long peak on a Saturday.
Most baskets are small and few are large: their size has a rounded log-normal distribution.
"""

from __future__ import annotations

import math
import random
from typing import NamedTuple

from simulator.errors import NotKnown

_OPEN_HOURS = range(6, 23)
_HOUR_S = 3600


class Curve(NamedTuple):
    """One kind of day: the trips of one store, the weight of each hour from 6 to 22, and the median number of lines."""

    trips: int
    hours: tuple[float, ...]
    median_lines: float
    spread: float = 0.75
    empty_rate: float = 0.04
    """The share of visits that end with an empty cart."""


CURVES = {
    "quiet_tuesday": Curve(180, (1, 3, 5, 4, 3, 4, 9, 8, 4, 3, 3, 5, 6, 4, 2, 1, 1), 2.4),
    "office_weekday": Curve(420, (2, 9, 12, 7, 4, 6, 18, 16, 6, 5, 5, 6, 4, 2, 1, 0.5, 0.5), 2.0),
    "busy_saturday": Curve(520, (0.5, 1, 3, 6, 10, 13, 15, 15, 14, 13, 12, 11, 9, 7, 5, 3, 1), 3.6),
    "match_day": Curve(900, (0.5, 1, 1, 2, 3, 4, 6, 8, 10, 14, 40, 60, 30, 70, 25, 5, 1), 2.2),
}


def curve(name: str) -> Curve:
    """Return a kind of day. Raises NotKnown if there is no such day."""
    if name not in CURVES:
        raise NotKnown("day", name, hint=f"one of {', '.join(CURVES)}")
    return CURVES[name]


def arrivals(kind: Curve, trips: int, chance: random.Random) -> list[int]:
    """Draw the arrival times, in whole seconds from midnight, in order."""
    hours = chance.choices(_OPEN_HOURS, weights=kind.hours, k=trips)
    return sorted(hour * _HOUR_S + chance.randrange(_HOUR_S) for hour in hours)


def lines(kind: Curve, chance: random.Random) -> int:
    """Draw how many cart lines a shopper takes."""
    if chance.random() < kind.empty_rate:
        return 0
    return max(1, min(60, round(chance.lognormvariate(math.log(kind.median_lines), kind.spread))))


def stay_s(taken: int, chance: random.Random) -> int:
    """Draw the length of a visit: 90 s, 30 s for each line, and an exponential delay with a mean of 90 s."""
    return round(90 + 30 * taken + chance.expovariate(1 / 90))
