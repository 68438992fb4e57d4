"""The platform's own opinion of a means of payment: a seeded share is distrusted, and a shopper with debts is kept out.

The same seed distrusts the same cards. Which risks Amazon's models know is not published; these three names are.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.seed import Seed
from simulator.storage.key_values import KeyValueStore

INVALID, FRAUD, DEBT = "InvalidCard", "CustomerFraud", "BadDebt"
_KINDS = (INVALID, FRAUD)


class Opinion(NamedTuple):
    """Whether the platform would let this means of payment in, and what speaks against it."""

    authorized: bool
    risks: tuple[str, ...] = ()


class File(NamedTuple):
    """What is on file of a means of payment: what the model is to find (None: whatever it finds), and unpaid trips."""

    risks: tuple[str, ...] | None = None
    debts: tuple[str, ...] = ()


class RiskModel:
    """Judges means of payment by their id, and stores the settings and debts of each."""

    def __init__(self, seed: Seed, rate: float, storage: KeyValueStore[File] | None = None) -> None:
        self._seed = seed
        self._rate = rate
        self._storage = storage or KeyValueStore("means of payment", File)
        self._files = self._storage.all()

    def know(self, instrument: str, risks: tuple[str, ...]) -> None:
        """Say what the model is to find with a means of payment; nothing makes it trusted."""
        self._put(instrument, self._file(instrument)._replace(risks=risks))

    def owe(self, instrument: str, trip_id: str, *, owes: bool) -> None:
        """Record that a trip is unpaid, or that it has been paid."""
        file = self._file(instrument)
        others = tuple(one for one in file.debts if one != trip_id)
        self._put(instrument, file._replace(debts=(*others, trip_id) if owes else others))

    def judge(self, instrument: str) -> Opinion:
        """Return the opinion on a means of payment."""
        file = self._file(instrument)
        risks = file.risks
        if risks is None:
            distrusted = self._seed.draw("risk", instrument) < self._rate
            which = _KINDS[int(self._seed.draw("risk kind", instrument) * len(_KINDS))]
            risks = (which,) if distrusted else ()
        if file.debts and DEBT not in risks:
            risks = (*risks, DEBT)
        return Opinion(not risks, risks)

    def _file(self, instrument: str) -> File:
        return self._files.get(instrument, File())

    def _put(self, instrument: str, file: File) -> None:
        self._files[instrument] = file
        self._storage.put(instrument, file)
