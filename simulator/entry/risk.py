"""The platform's own opinion of a means of payment: it refuses a random share of them, and shoppers with debts.

The same seed refuses the same cards, as fraud. Only a record makes a card invalid, since the card reader knows that and
refuses it first. Amazon publishes these three names of risks, but not the risks that its models find.
"""

from __future__ import annotations

from typing import NamedTuple

from simulator.seed import Seed
from simulator.storage.key_values import KeyValueStore

INVALID, FRAUD, DEBT = "InvalidCard", "CustomerFraud", "BadDebt"


class Opinion(NamedTuple):
    """Whether the platform would let this means of payment in, and the risks if not."""

    authorized: bool
    risks: tuple[str, ...] = ()


class RiskRecord(NamedTuple):
    """The record of a means of payment: the risks that the model shall find (None: by chance), and its unpaid trips."""

    risks: tuple[str, ...] | None = None
    debts: tuple[str, ...] = ()


class RiskModel:
    """Judges means of payment by their id and their records."""

    def __init__(self, seed: Seed, rate: float, storage: KeyValueStore[RiskRecord] | None = None) -> None:
        self._seed = seed
        self._rate = rate
        self._storage = storage or KeyValueStore("means of payment", RiskRecord)
        self._records = self._storage.all()

    def set_risks(self, instrument: str, risks: tuple[str, ...]) -> None:
        """Set the risks that the model shall find; without risks, the means of payment is trusted."""
        self._put(instrument, self._record(instrument)._replace(risks=risks))

    def set_debt(self, instrument: str, trip_id: str, *, owes: bool) -> None:
        """Add a trip to the unpaid ones if it `owes`, or remove it."""
        record = self._record(instrument)
        others = tuple(one for one in record.debts if one != trip_id)
        self._put(instrument, record._replace(debts=(*others, trip_id) if owes else others))

    def judge(self, instrument: str) -> Opinion:
        """Return the opinion of a means of payment."""
        record = self._record(instrument)
        risks = record.risks
        if risks is None:
            risks = (FRAUD,) if self._seed.draw("risk", instrument) < self._rate else ()
        if record.debts and DEBT not in risks:
            risks = (*risks, DEBT)
        return Opinion(not risks, risks)

    def _record(self, instrument: str) -> RiskRecord:
        return self._records.get(instrument, RiskRecord())

    def _put(self, instrument: str, record: RiskRecord) -> None:
        self._records[instrument] = record
        self._storage.put(instrument, record)
