"""The schedule: the intended start and the kind of each request, complete before the first request.

The same curve, mix and seed give the same schedule, for any number of workers.
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
"""The limit for memory: nine bytes for each arrival, and eight more during the run."""


class Kind(IntEnum):
    """The kind of a request. It includes duplicates, as the platform sends them too."""

    SCAN = 0
    ASSOCIATE = 1
    CART = 2
    BAD_KEY = 3
    SCAN_AGAIN = 4
    """An earlier scan event again, with a new requestId."""
    CART_AGAIN = 5
    SCAN_TWICE = 6
    """A new event that is sent twice at the same instant: this request, and the SECOND_OF_PAIR after it."""
    CART_TWICE = 7
    SECOND_OF_PAIR = 8


@dataclass(frozen=True)
class Mix:
    """The shares of the kinds of requests; ordinary carts and scans divide the remainder."""

    carts: float = 0.0
    associates: float = 0.02
    bad_keys: float = 0.02
    duplicates: float = 0.03
    at_once: float = 0.01
    """Share of the pairs of requests that start at the same instant."""

    def weights(self) -> dict[Kind, float]:
        """Return the share of each kind. Raises BadOptions if a share, or the sum of special kinds, is not 0 to 1."""
        special = self.bad_keys + self.duplicates + self.at_once
        if not (0 <= self.carts <= 1 and 0 <= special <= 1 and 0 <= self.associates <= 1):
            raise BadOptions(
                f"a share in {self}, or the sum of the special kinds, is not 0 to 1", "change the scenario"
            )
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
    """The part of a run that a process sends; all ids of the run contain `run`, so that runs share no id."""

    place: int
    of: int
    run: int


@dataclass(frozen=True)
class Schedule:
    """The intended start of each request, in ascending nanoseconds after the beginning, and its kind."""

    due_ns: array[int]
    kinds: bytes

    def __len__(self) -> int:
        return len(self.kinds)

    def share(self, worker: int, workers: int) -> Schedule:
        """Return the requests of one worker; a pair stays together."""
        due_ns, kinds = array("q"), bytearray()
        for index in range(2 * worker, len(self), 2 * workers):
            due_ns += self.due_ns[index : index + 2]
            kinds += self.kinds[index : index + 2]
        return Schedule(due_ns, bytes(kinds))

    def wanted_by_second(self) -> list[int]:
        """Return the number of scheduled requests in each second."""
        counts = [0] * (self.due_ns[-1] // 1_000_000_000 + 1 if len(self) else 0)
        for due in self.due_ns:
            counts[due // 1_000_000_000] += 1
        return counts


def make_schedule(curve: Curve, mix: Mix, *, seed: int, poisson: bool) -> Schedule:
    """Schedule the curve's requests: evenly spaced, or at random (`poisson`) as shoppers arrive. Raises BadOptions."""
    chance = random.Random(seed)  # noqa: S311 - the seed must repeat the schedule
    total = curve.total
    if not total <= _MOST_ARRIVALS:
        raise BadOptions(f"{total:g} arrivals do not fit into memory", "lower --rate or --duration")
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
    """Put a SECOND_OF_PAIR after each TWICE, at even places only, so that workers never split a pair."""
    for index, kind in enumerate(kinds):
        if kind not in (Kind.SCAN_TWICE, Kind.CART_TWICE):
            continue
        if index % 2 or index + 1 == len(kinds):
            kinds[index] = Kind.SCAN_AGAIN if kind == Kind.SCAN_TWICE else Kind.CART_AGAIN
        else:
            kinds[index + 1] = Kind.SECOND_OF_PAIR
            due_ns[index + 1] = due_ns[index]
