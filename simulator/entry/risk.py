"""The platform's own opinion of a means of payment: a seeded share is distrusted, and whoever owes is kept out.

The same seed distrusts the same cards. Which risks Amazon's models know is not published; these three names are.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.seed import Seed

INVALID, FRAUD, DEBT = "InvalidCard", "CustomerFraud", "BadDebt"
_KINDS = (INVALID, FRAUD)


class Opinion(NamedTuple):
    """Whether the platform would let this means of payment in, and what speaks against it."""

    authorized: bool
    risks: tuple[str, ...] = ()


class RiskModel:
    """Judges means of payment by their id."""

    def __init__(self, seed: Seed, rate: float) -> None:
        self._seed = seed
        self._rate = rate
        self._known: dict[str, tuple[str, ...]] = {}
        self._debts: dict[str, set[str]] = {}

    def know(self, instrument: str, risks: tuple[str, ...]) -> None:
        """Say what the model is to find with a means of payment; nothing makes it trusted."""
        self._known[instrument] = risks

    def owe(self, instrument: str, trip_id: str, *, owes: bool) -> None:
        """Note that a trip was not paid for, or was at last."""
        trips = self._debts.setdefault(instrument, set())
        (trips.add if owes else trips.discard)(trip_id)

    def judge(self, instrument: str) -> Opinion:
        """Give the opinion."""
        risks = self._known.get(instrument)
        if risks is None:
            distrusted = self._seed.draw("risk", instrument) < self._rate
            which = _KINDS[int(self._seed.draw("risk kind", instrument) * len(_KINDS))]
            risks = (which,) if distrusted else ()
        if self._debts.get(instrument) and DEBT not in risks:
            risks = (*risks, DEBT)
        return Opinion(not risks, risks)
