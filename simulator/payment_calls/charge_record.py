"""The data of a charge: what is authorised for a trip, what the retailer captured, and what it refunded."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple
from uuid import UUID, uuid5

from jwo_contract.money import Money

AdjustStatus = Literal["APPROVED", "DECLINED", "PENDING"]
ZERO = Decimal(0)
_NAMESPACE = UUID("7c1f0b7e-6f0e-4d53-9d0a-2f6d3d0c6a10")


class Adjustment(NamedTuple):
    """The last answered adjustment; a pending one is approved at `settles_at`."""

    status: AdjustStatus
    money: Money
    settles_at: datetime | None = None

    @property
    def authorized(self) -> Money:
        """Return the amount of an answer: 0 for a declined adjustment, otherwise the amount of the request."""
        return self.money._replace(amount=ZERO) if self.status == "DECLINED" else self.money

    def at(self, now: datetime) -> Adjustment:
        """Return the adjustment at a time."""
        if self.status == "PENDING" and self.settles_at is not None and now >= self.settles_at:
            return Adjustment("APPROVED", self.money)
        return self


class Refund(NamedTuple):
    """One refund."""

    money: Money
    reason: str
    at: datetime

    def is_like(self, other: Refund) -> bool:
        """Return whether another request asks for the same refund."""
        return (self.money, self.reason) == (other.money, other.reason)


class Charge(NamedTuple):
    """The charge of one trip, from its pre-authorisation on."""

    trip_id: str
    store_id: str
    authorized: Money
    """What may be captured: the pre-authorisation at entry, or the last approved adjustment."""
    adjustment: Adjustment | None = None
    captured: Money | None = None
    captured_at: datetime | None = None
    captured_by: str = ""
    """The call that captured: Capture Charge, or Checkout Cart."""
    cancelled: bool = False
    refunds: dict[str, Refund] = {}  # noqa: RUF012 - a NamedTuple's default; no code changes it

    @property
    def refunded(self) -> Decimal:
        """Return the sum of all refunds."""
        return sum((one.money.amount for one in self.refunds.values()), ZERO)

    def settled(self, now: datetime) -> Charge:
        """Return the charge at a time: a pending adjustment that has settled counts as approved."""
        if self.adjustment is None or (adjustment := self.adjustment.at(now)) is self.adjustment:
            return self
        return self._replace(adjustment=adjustment, authorized=adjustment.money)


def reconciliation_id(trip_id: str, refund_request_id: str = "") -> str:
    """Return the id of a charge or of a refund in the processor's files; it is the same in every answer."""
    return str(uuid5(_NAMESPACE, f"{trip_id}|{refund_request_id}"))
