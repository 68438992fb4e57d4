"""The plan of a day: all visits of all stores, drawn from the seed before the first gate opens."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Literal, NamedTuple

from contract.house import DEFAULT
from simulator.carts import PIECES
from simulator.portal.stores import Method
from simulator.seed import Seed
from simulator.shop.curves import Curve, arrivals, curve, lines, stay_s

_POPULAR = 1.1
"""The exponent by which a product's popularity decreases with its rank."""
Way = Literal["app", "card", "palm"]


class Shop(NamedTuple):
    """One store of the day: its gates, and the SKUs on its shelves, the most popular first.

    The shop weighs the SKUs of `weighed`, in `weight_unit`, and counts all others.
    """

    id: str
    gates: tuple[str, ...]
    skus: tuple[str, ...]
    weighed: frozenset[str] = frozenset()
    weight_unit: str = DEFAULT.simulator.weight_unit


class People(NamedTuple):
    """The visitors: identity keys of app users, and the shares of cards, palms and unknown app users."""

    keys: tuple[str, ...]
    card_rate: float = 0.25
    palm_rate: float = 0.05
    stranger_rate: float = 0.01
    """The share of app users with a key that no connector knows."""
    cards: int = 5_000

    @property
    def methods(self) -> tuple[Method, ...]:
        """Return the ways in that a store needs for these visitors."""
        return ("app", "badge", "card", "palm")


class Visit(NamedTuple):
    """One visit: its place, time, means of entry, and length. `basket` draws its items at the exit."""

    number: int
    shop: int
    gate: str
    at_s: int
    way: Way
    means: str
    line_count: int
    stay_s: int


class Movement(NamedTuple):
    """Goods taken off a shelf, or put back if the quantity is below zero."""

    sku: str
    quantity: Decimal
    unit: str = PIECES


def visits(shops: tuple[Shop, ...], day: str, people: People, seed: Seed, trips: int = 0) -> list[Visit]:
    """Draw the visits of a day, in order of time; `trips` 0 means the day's own number for each store."""
    kind, found = curve(day), []
    for index, shop in enumerate(shops):
        share = trips // len(shops) + (index < trips % len(shops)) if trips else kind.trips
        chance = seed.stream("visits", shop.id, day)
        found += [_visit(index, shop, at_s, kind, people, chance) for at_s in arrivals(kind, share, chance)]
    found.sort(key=lambda visit: (visit.at_s, visit.shop))
    return [visit._replace(number=number) for number, visit in enumerate(found)]


def basket(visit: Visit, shop: Shop, seed: Seed) -> list[Movement]:
    """Draw what a shopper takes and puts back; popular products are more frequent."""
    chance = seed.stream("basket", shop.id, visit.number)
    taken = []
    for _ in range(visit.line_count):
        sku = shop.skus[_rank(len(shop.skus), chance)]
        taken.append(_taken(sku, shop, chance.random()))
    return taken + [_put_back(one) for one in taken if chance.random() < 0.06]  # noqa: PLR2004 - one in sixteen


def _taken(sku: str, shop: Shop, drawn: float) -> Movement:
    """Take one or two pieces, or 0.20 to 3.00 units of weight."""
    if sku in shop.weighed:
        return Movement(sku, Decimal(20 + int(drawn * 281)).scaleb(-2), shop.weight_unit)
    return Movement(sku, Decimal(1 + (drawn < 0.15)))  # noqa: PLR2004 - of one item in seven, two pieces


def _put_back(taken: Movement) -> Movement:
    """Put back one piece, or all that was weighed."""
    return taken._replace(quantity=Decimal(-1) if taken.unit == PIECES else -taken.quantity)


def _visit(index: int, shop: Shop, at_s: int, kind: Curve, people: People, chance: random.Random) -> Visit:
    way, means = _means(people, chance)
    taken = lines(kind, chance)
    return Visit(0, index, chance.choice(shop.gates), at_s, way, means, taken, stay_s(taken, chance))


def _means(people: People, chance: random.Random) -> tuple[Way, str]:
    drawn = chance.random()
    if drawn < people.palm_rate or drawn < people.palm_rate + people.card_rate or not people.keys:
        way: Way = "palm" if drawn < people.palm_rate else "card"
        return way, f"{way}-{chance.randrange(people.cards):06d}"
    if chance.random() < people.stranger_rate:
        return "app", "c3RyYW5nZXI="
    return "app", chance.choice(people.keys)


def _rank(count: int, chance: random.Random) -> int:
    """Draw a rank by Zipf's law, from the inverse of its continuous form."""
    top = 1 - (count + 1) ** (1 - _POPULAR)
    return min(count - 1, int((1 - chance.random() * top) ** (1 / (1 - _POPULAR))) - 1)
