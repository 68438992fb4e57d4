"""The schedule: when each request is meant to start and what it is, all made before the first one leaves.

The same curve, mix and seed give the same schedule, however many workers share it.
"""

from __future__ import annotations

import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate, repeat, takewhile
from typing import NamedTuple

from load.curves import Curve
from load.errors import BadOptions

_MOST_ARRIVALS = 200_000_000
"""What a run can hold in memory: nine bytes each, and eight more while they are sent."""


class Kind(IntEnum):
    """What a request is. The platform sends duplicates, so the schedule does."""

    SCAN = 0
    ASSOCIATE = 1
    CART = 2
    BAD_KEY = 3
    SCAN_AGAIN = 4
    """An earlier scan event once more, with a requestId of its own."""
    CART_AGAIN = 5
    SCAN_TWICE = 6
    """A new event, sent twice at the same instant: this one, and the WITH_IT after it."""
    CART_TWICE = 7
    WITH_IT = 8


@dataclass(frozen=True)
class Mix:
    """What the requests are, as shares of all of them; carts and scans share what the others leave."""

    carts: float = 0.0
    associates: float = 0.02
    bad_keys: float = 0.02
    duplicates: float = 0.03
    at_once: float = 0.01
    """Pairs that leave at the same instant; a pair is two requests."""

    def weights(self) -> dict[Kind, float]:
        """Return the share of each kind. Raises BadOptions if they do not add up."""
        special = self.bad_keys + self.duplicates + self.at_once
        if not (0 <= self.carts <= 1 and 0 <= special <= 1 and 0 <= self.associates <= 1):
            raise BadOptions(f"the shares of {self} do not add up")
        fresh, scans = 1 - special, 1 - self.carts
        return {
            Kind.SCAN: fresh * scans * (1 - self.associates),
            Kind.ASSOCIATE: fresh * scans * self.associates,
            Kind.CART: fresh * self.carts,
            Kind.BAD_KEY: self.bad_keys if scans else 0.0,
            Kind.SCAN_AGAIN: self.duplicates * scans,
            Kind.CART_AGAIN: self.duplicates * self.carts,
            Kind.SCAN_TWICE: self.at_once * scans,
            Kind.CART_TWICE: self.at_once * self.carts,
        }


class Share(NamedTuple):
    """Which part of a run a process sends; `run` is part of all ids of the run, so that no two runs share one."""

    place: int
    of: int
    run: int


@dataclass(frozen=True)
class Schedule:
    """Intended starts in nanoseconds after the beginning, never falling, and the kind of each."""

    due_ns: array[int]
    kinds: bytes

    def __len__(self) -> int:
        return len(self.kinds)

    def share(self, worker: int, workers: int) -> Schedule:
        """Return what one of the workers sends; a pair stays together."""
        due_ns, kinds = array("q"), bytearray()
        for index in range(2 * worker, len(self), 2 * workers):
            due_ns += self.due_ns[index : index + 2]
            kinds += self.kinds[index : index + 2]
        return Schedule(due_ns, bytes(kinds))

    def wanted_by_second(self) -> list[int]:
        """Return how many requests are meant to start in each second."""
        counts = [0] * (self.due_ns[-1] // 1_000_000_000 + 1 if len(self) else 0)
        for due in self.due_ns:
            counts[due // 1_000_000_000] += 1
        return counts


def make_schedule(curve: Curve, mix: Mix, *, seed: int, poisson: bool) -> Schedule:
    """Lay the curve's requests out: one by one as it asks, or by chance (`poisson`) as shoppers arrive."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    total = curve.total
    if not total <= _MOST_ARRIVALS:
        raise BadOptions(f"{total:g} arrivals are more than a run can plan", "lower --rate or --duration")
    counts = _poisson(chance, total) if poisson else (index + 0.5 for index in range(int(total)))
    due_ns = array("q", (int(moment * 1e9) for moment in curve.moments(counts)))
    weights = mix.weights()
    kinds = bytearray(chance.choices(list(weights), list(weights.values()), k=len(due_ns))) if due_ns else bytearray()
    _pair_up(due_ns, kinds)
    return Schedule(due_ns, bytes(kinds))


def _poisson(chance: random.Random, total: float) -> Iterator[float]:
    gaps = map(chance.expovariate, repeat(1.0))
    return takewhile(lambda count: count < total, accumulate(gaps))


def _pair_up(due_ns: array[int], kinds: bytearray) -> None:
    """Give each TWICE its WITH_IT: even places only, so that a pair is never split over two workers."""
    for index, kind in enumerate(kinds):
        if kind not in (Kind.SCAN_TWICE, Kind.CART_TWICE):
            continue
        if index % 2 or index + 1 == len(kinds):
            kinds[index] = Kind.SCAN_AGAIN if kind == Kind.SCAN_TWICE else Kind.CART_AGAIN
        else:
            kinds[index + 1] = Kind.WITH_IT
            due_ns[index + 1] = due_ns[index]
