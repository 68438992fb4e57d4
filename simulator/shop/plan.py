"""The plan of a day: all visits of all stores, drawn from the seed before the first gate opens."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Literal, NamedTuple, get_args

from jwo_contract.house import DEFAULT
from simulator.carts import PIECES
from simulator.entry.strategies import Strategy
from simulator.portal.stores import Method
from simulator.seed import Seed
from simulator.shop.curves import Curve, arrivals, curve, lines, stay_s
from simulator.shop.shares import ALONE, Shares

_POPULAR = 1.1
"""The exponent by which a product's popularity decreases with its rank."""
Way = Literal["app", "badge", "card", "palm", "loyalty"]
Kind = Literal["shopper", "associate", "cash_shopper", "stranger"]
_BETWEEN_PEOPLE_S = 2
"""Seconds between two people of a group at a gate."""
_PALMS = 5_000
"""How many palms there are if the day has no cards without a story."""
_AWAY_S = 60
"""The shortest time between an exit and a re-entry."""


class Shop(NamedTuple):
    """One store of the day: its gates, and the SKUs on its shelves, the most popular first.

    The shop weighs the SKUs of `weighed`, in `weight_unit`, and counts all others.
    """

    id: str
    gates: tuple[str, ...]
    skus: tuple[str, ...]
    weighed: frozenset[str] = frozenset()
    weight_unit: str = DEFAULT.simulator.weight_unit
    strategy: Strategy = "amazon_managed"


class Means(NamedTuple):
    """The means of entry of a day besides the keys of app users: fixed values, and what the day mints for each visit.

    `minted` are the kinds of app visitors with keys that the day mints. `cards` are those of a known story, each with
    the expectation that the gate opens for it, or None if that depends on the strategy.
    """

    associates: tuple[str, ...] = ()
    cash_shoppers: tuple[str, ...] = ()
    minted: tuple[Kind, ...] = ()
    associate_badges: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    refused_badges: tuple[str, ...] = ()
    """Badges for which the gate stays closed: revoked, lost or expired."""
    loyalty: tuple[str, ...] = ()
    cards: tuple[tuple[str, bool | None], ...] = ()
    stranger: str = "c3RyYW5nZXI="

    @property
    def has_badges(self) -> bool:
        """Whether there is a badge of any kind."""
        return bool(self.associate_badges or self.badges or self.refused_badges)


class People(NamedTuple):
    """The visitors: identity keys of app users, the shares of cards, palms and unknown app users, and other means."""

    keys: tuple[str, ...]
    card_rate: float = ALONE.card
    palm_rate: float = ALONE.palm
    stranger_rate: float = ALONE.stranger
    """The share of app users with a key that no connector knows."""
    cards: int = 5_000
    """How many cards without a story there are."""
    means: Means = Means()
    shares: Shares = ALONE
    """The shares of all other visits."""

    @classmethod
    def of(cls, keys: tuple[str, ...], means: Means, shares: Shares, cards: int = 5_000) -> People:
        """Make the people of a day from their means and the shares."""
        return cls(keys, shares.card, shares.palm, shares.stranger, cards, means, shares)

    @property
    def methods(self) -> tuple[Method, ...]:
        """Return the ways in that a store needs for these visitors."""
        found = self.ways()
        return tuple(one for one in get_args(Method) if one in found)

    def ways(self) -> dict[Way, float]:
        """Return the ways in that these visitors have means for, with their shares; the app takes the rest."""
        wanted: dict[Way, float] = {
            "palm": self.palm_rate,
            "card": self.card_rate if self.cards or self.means.cards else 0,
            "badge": self.shares.badge if self.means.has_badges else 0,
            "loyalty": self.shares.loyalty if self.means.loyalty else 0,
        }
        found = {way: share for way, share in wanted.items() if share}
        if self.keys or self.means.associates or self.means.cash_shoppers or self.means.minted:
            found["app"] = max(0.0, 1 - sum(found.values()))
        return found


class Visit(NamedTuple):
    """One visit: its place, time, means of entry, and length. `basket` draws its items at the exit."""

    number: int
    shop: int
    gate: str
    at_s: int
    way: Way
    means: str
    """The key, card, badge or loyalty card; empty if the day mints the key."""
    line_count: int
    stay_s: int
    kind: Kind = "shopper"
    admitted: bool | None = True
    """Whether the gate is to open if all parts work; None if the plan does not know."""
    people: int = 1
    joins: int = 0
    """How many more people of the group come in with an event of their own."""
    loyalty: str = ""
    """The loyalty card that the shopper shows inside."""
    returns: bool = False
    comes_again: bool = False

    @property
    def is_minted(self) -> bool:
        """Return whether the day mints a key for each entry of this visit."""
        return not self.means

    def joins_at_s(self) -> list[int]:
        """Return when the further people of the group are at the gate, in seconds from midnight."""
        return [self.at_s + _BETWEEN_PEOPLE_S * number for number in range(1, self.joins + 1)]


class Movement(NamedTuple):
    """Goods taken off a shelf, or put back if the quantity is below zero."""

    sku: str
    quantity: Decimal
    unit: str = PIECES


class _Guest(NamedTuple):
    """A person with a means of entry."""

    way: Way
    means: str
    kind: Kind = "shopper"
    admitted: bool | None = True


def visits(shops: tuple[Shop, ...], day: str, people: People, seed: Seed, trips: int = 0) -> list[Visit]:
    """Draw the visits of a day, in order of time; `trips` 0 means the day's own number for each store."""
    kind, found = curve(day), []
    for index, shop in enumerate(shops):
        share = trips // len(shops) + (index < trips % len(shops)) if trips else kind.trips
        chance = seed.stream("visits", shop.id, day)
        found += _visits(index, shop, arrivals(kind, share, chance), kind, people, chance)
    found.sort(key=lambda visit: (visit.at_s, visit.shop))
    return [visit._replace(number=number) for number, visit in enumerate(found)]


def basket(visit: Visit, shop: Shop, seed: Seed) -> list[Movement]:
    """Draw what a shopper takes and puts back; popular products are more frequent."""
    chance = seed.stream("basket", shop.id, visit.number)
    taken = []
    for _ in range(visit.line_count):
        sku = shop.skus[_rank(len(shop.skus), chance)]
        taken.append(_taken(sku, shop, chance.random()))
    moved = taken + [_put_back(one) for one in taken if chance.random() < 0.06]  # noqa: PLR2004 - one in sixteen
    return moved + _returned(moved, chance) if visit.returns else moved


def _returned(moved: list[Movement], chance: random.Random) -> list[Movement]:
    """Hand back at the exit what the shopper still has: of one product, or of all in one case of four."""
    held: dict[tuple[str, str], Decimal] = {}
    for one in moved:
        held[one.sku, one.unit] = held.get((one.sku, one.unit), Decimal(0)) + one.quantity
    back = [Movement(sku, -quantity, unit) for (sku, unit), quantity in held.items() if quantity > 0]
    return back if chance.random() < 0.25 else back[:1]  # noqa: PLR2004 - the share of whole baskets


def _taken(sku: str, shop: Shop, drawn: float) -> Movement:
    """Take one or two pieces, or 0.20 to 3.00 units of weight."""
    if sku in shop.weighed:
        return Movement(sku, Decimal(20 + int(drawn * 281)).scaleb(-2), shop.weight_unit)
    return Movement(sku, Decimal(1 + (drawn < 0.15)))  # noqa: PLR2004 - of one item in seven, two pieces


def _put_back(taken: Movement) -> Movement:
    """Put back one piece, or all that was weighed."""
    return taken._replace(quantity=Decimal(-1) if taken.unit == PIECES else -taken.quantity)


def _visits(
    index: int, shop: Shop, times: list[int], kind: Curve, people: People, chance: random.Random
) -> list[Visit]:
    """Draw the visits of one store; a shopper that has left may come again."""
    shares, ways, found = people.shares, people.ways(), list[Visit]()
    if not ways:
        return []
    for at_s in times:
        comes_again = bool(found) and chance.random() < shares.reentry
        earlier = _left_before(found, at_s, chance) if comes_again else None
        guest = _Guest(earlier.way, earlier.means, earlier.kind) if earlier else _guest(people, ways, chance)
        taken = lines(kind, chance)
        visit = Visit(
            0, index, chance.choice(shop.gates), at_s, guest.way, guest.means, taken, stay_s(taken, chance), guest.kind,
            guest.admitted, comes_again=earlier is not None,
        )  # fmt: skip
        is_shopper = guest.kind == "shopper" and guest.admitted is not False
        found.append(_with_more(visit, people, chance) if is_shopper else visit)
    return found


def _left_before(found: list[Visit], at_s: int, chance: random.Random) -> Visit | None:
    """Draw an earlier visit that is over; None if the drawn one is not, or if the gate is not to open for it."""
    earlier = chance.choice(found)
    is_over = earlier.at_s + earlier.stay_s + _AWAY_S <= at_s
    return earlier if is_over and earlier.admitted else None


def _with_more(visit: Visit, people: People, chance: random.Random) -> Visit:
    """Draw the company of a shopper, a loyalty card shown inside, and returned goods."""
    shares = people.shares
    if chance.random() < shares.group:
        size = chance.choice((2, 2, 2, 3, 3, 4, 5))
        has_events = visit.way != "loyalty" and chance.random() < shares.group_events
        visit = visit._replace(people=size, joins=size - 1 if has_events else 0, line_count=visit.line_count * size)
    if people.means.loyalty and visit.way != "loyalty" and chance.random() < shares.loyalty_inside:
        visit = visit._replace(loyalty=chance.choice(people.means.loyalty))
    return visit._replace(returns=chance.random() < shares.returns and visit.line_count > 0)


def _guest(people: People, ways: dict[Way, float], chance: random.Random) -> _Guest:
    way = chance.choices(list(ways), weights=list(ways.values()))[0] if any(ways.values()) else next(iter(ways))
    means = people.means
    if way == "app":
        return _app_user(people, chance)
    if way == "badge":
        badge = chance.choice(means.associate_badges + means.badges + means.refused_badges)
        kind: Kind = "associate" if badge in means.associate_badges else "shopper"
        return _Guest(way, badge, kind, admitted=badge not in means.refused_badges)
    if way == "loyalty":
        return _Guest(way, chance.choice(means.loyalty))
    if way == "card" and means.cards and (not people.cards or chance.random() < people.shares.story):
        card, admitted = chance.choice(means.cards)
        return _Guest(way, card, admitted=admitted)
    return _Guest(way, f"{way}-{chance.randrange(people.cards or _PALMS):06d}", admitted=None)


def _app_user(people: People, chance: random.Random) -> _Guest:
    means, shares = people.means, people.shares
    fixed: dict[Kind, tuple[str, ...]] = {
        "shopper": people.keys, "associate": means.associates, "cash_shopper": means.cash_shoppers
    }  # fmt: skip
    has = {kind: bool(keys) or kind in means.minted for kind, keys in fixed.items()}
    kind: Kind = next((one for one in fixed if has[one]), "shopper")
    drawn = chance.random()
    if drawn < people.stranger_rate:
        return _Guest("app", means.stranger, "stranger", admitted=False)
    if drawn < people.stranger_rate + shares.associate:
        kind = "associate" if has["associate"] else kind
    elif drawn < people.stranger_rate + shares.associate + shares.cash:
        kind = "cash_shopper" if has["cash_shopper"] else kind
    return _Guest("app", "" if kind in means.minted else chance.choice(fixed[kind]), kind)


def _rank(count: int, chance: random.Random) -> int:
    """Draw a rank by Zipf's law, from the inverse of its continuous form."""
    top = 1 - (count + 1) ** (1 - _POPULAR)
    return min(count - 1, int((1 - chance.random() * top) ** (1 / (1 - _POPULAR))) - 1)
