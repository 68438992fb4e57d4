"""The answers for the trip ids of Amazon's samples. They have no state, so each test run gets the same answers."""

from __future__ import annotations

from jwo_contract.money import Money
from simulator.called_trips import DECLINED_TRIP, PENDING_TRIP, VALID_TRIP
from simulator.errors import CallRefused
from simulator.payment_calls.charge_record import Adjustment, AdjustStatus
from simulator.signed_calls import BAD_REQUEST

_STATUSES: dict[str, AdjustStatus] = {
    VALID_TRIP: "APPROVED",
    DECLINED_TRIP: "DECLINED",
    PENDING_TRIP: "PENDING",
}


def sample_adjustment(trip_id: str, money: Money) -> Adjustment:
    """Return the answer to an adjustment of a sample trip."""
    return Adjustment(_STATUSES[trip_id], money)


def check_sample_capture(trip_id: str) -> None:
    """Raise CallRefused for a sample trip without an authorised amount."""
    if _STATUSES[trip_id] != "APPROVED":
        raise CallRefused(BAD_REQUEST, f"{trip_id} is {_STATUSES[trip_id]} in Amazon's samples")
