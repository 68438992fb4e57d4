"""Judges a crash run: compares the answers with the connector's records and with the provider's ledger."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from reference_connector.payments.simulated import Effect
from reference_connector.store import Purchase

TOTAL, REFUND = Decimal("3.00"), Decimal("1.00")
"""The price of a cart that is not empty, and the amount of each refund."""
NEVER_PAYS = "tok_declined"


class Trip(NamedTuple):
    """A planned trip. `event_id` is the authEvent of its entry; only trips that `enters` scan a key at the gate."""

    id: str
    event_id: str
    shopper: str
    method: str
    enters: bool
    is_empty: bool
    is_refunded: bool

    @property
    def price(self) -> Decimal:
        """What the provider must have collected, if the trip has a cart."""
        return Decimal(0) if self.is_empty or self.method == NEVER_PAYS else TOTAL


class Tally:
    """The platform's view: the purchase ids in the answers of each trip, and the trips that the gate kept out."""

    def __init__(self) -> None:
        self.ids: dict[str, set[str]] = {}
        self.kept_out: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self.kills = 0

    def answered(self, trip: str, purchase_id: str) -> None:
        """Record the purchase id of an answer 201."""
        self.ids.setdefault(trip, set()).add(purchase_id)


class _Payment:
    """The effects of one trip in the ledger."""

    def __init__(self, effects: Iterable[Effect]) -> None:
        self._effects = list(effects)

    def _of(self, *kinds: str) -> list[Effect]:
        return [effect for effect in self._effects if effect.kind in kinds]

    @property
    def collected(self) -> Decimal:
        return sum((effect.amount for effect in self._of("capture", "collect")), Decimal(0))

    @property
    def refunded(self) -> Decimal:
        return sum((effect.amount for effect in self._of("refund")), Decimal(0))

    @property
    def has_two_captures(self) -> bool:
        return any(len(self._of(kind)) > 1 for kind in ("capture", "collect"))

    @property
    def ends(self) -> list[int]:
        """For each authorisation, the number of its captures and releases."""
        ended = Counter(effect.reference for effect in self._of("capture", "release"))
        return [ended[effect.reference] for effect in self._of("authorise")]

    @property
    def kept_authorisations(self) -> int:
        """The number of authorisations that were not released."""
        released = {effect.reference for effect in self._of("release")}
        return sum(effect.reference not in released for effect in self._of("authorise"))


def judge(
    trips: Sequence[Trip], tally: Tally, purchases: dict[str, Purchase | None], effects: list[Effect]
) -> dict[str, int]:
    """Count the trips and the faults; the name of a fault begins with `lost` or `doubled`."""
    by_order: dict[str, list[Effect]] = defaultdict(list)
    for effect in effects:
        by_order[effect.order].append(effect)
    payments = {trip.id: _Payment(by_order[trip.event_id] + by_order[trip.id]) for trip in trips}
    carts = [trip for trip in trips if trip.id not in tally.kept_out]
    price = {trip.id: trip.price if trip.id not in tally.kept_out else Decimal(0) for trip in trips}
    return {
        "carts": len(carts),
        "entries": sum(trip.enters for trip in trips),
        "kept out": len(tally.kept_out),
        "kills": tally.kills,
        "answers": sum(tally.outcomes.values()),
        "authorisations": sum(effect.kind == "authorise" for effect in effects),
        "captures": sum(effect.kind == "capture" for effect in effects),
        "releases": sum(effect.kind == "release" for effect in effects),
        "refunds": sum(effect.kind == "refund" for effect in effects),
        "lost purchases": sum(not _is_recorded(purchases[trip.id], tally.ids.get(trip.id)) for trip in carts),
        "doubled purchases": sum(len(ids) > 1 for ids in tally.ids.values()),
        "lost charges": sum(payments[trip.id].collected < price[trip.id] for trip in trips),
        "doubled charges": sum(
            payments[trip.id].collected > price[trip.id] or payments[trip.id].has_two_captures for trip in trips
        ),
        "lost releases": sum(payments[trip.id].ends.count(0) for trip in trips),
        "doubled ends": sum(ends > 1 for trip in trips for ends in payments[trip.id].ends),
        "doubled authorisations": sum(payments[trip.id].kept_authorisations > bool(price[trip.id]) for trip in trips),
        "lost refunds": sum(payments[trip.id].refunded < _refund(trip, tally) for trip in trips),
        "doubled refunds": sum(payments[trip.id].refunded > _refund(trip, tally) for trip in trips),
    }


def is_refunded(trip: Trip, tally: Tally) -> bool:
    """Return whether a refund of a trip was requested."""
    return trip.is_refunded and trip.price > 0 and trip.id not in tally.kept_out


def _refund(trip: Trip, tally: Tally) -> Decimal:
    return REFUND if is_refunded(trip, tally) else Decimal(0)


def _is_recorded(purchase: Purchase | None, answered: set[str] | None) -> bool:
    return purchase is not None and answered == {purchase.purchase_id}
