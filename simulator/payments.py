"""Report Payment Status: a retailer that charges shoppers itself reports what they paid. A debt keeps a shopper out.

Amazon does not publish when the service answers Rejected. This platform does so if the settled amount is above the
total.
"""

from __future__ import annotations

from fastapi import APIRouter

from jwo_contract.money import Money
from jwo_contract.operations import REPORT_PAYMENT_STATUS
from jwo_toolkit.json_types import JsonObject
from simulator.called_trips import CalledTrips
from simulator.entry.risk import RiskModel
from simulator.journal import Journal
from simulator.portal.accounts import Account
from simulator.signed_calls import SignedCalls


class Payments:
    """Processes payment reports."""

    def __init__(self, trips: CalledTrips, risk: RiskModel, journal: Journal) -> None:
        self._trips = trips
        self._risk = risk
        self._journal = journal

    async def report(self, account: Account, message: JsonObject) -> JsonObject:
        """Record a report; returns the answer.

        Raises CallRefused if the report names a trip that the retailer's store never had.
        """
        trip = await self._trips.find(message["storeId"], message["shoppingTripId"], account)
        total, settled = Money.of(message["totalAmount"]), Money.of(message["settledAmount"])
        accepted = settled.amount <= total.amount
        if accepted and trip.record and trip.record.shopper_identity:
            self._risk.set_debt(trip.record.shopper_identity, trip.id, owes=settled.amount < total.amount)
        amounts = {"total": total.to_texts(), "settled": settled.to_texts()}
        answer = "Accepted" if accepted else "Rejected"
        self._journal.add(
            "payment_reported", {"tripId": trip.id, "storeId": trip.store_id, **amounts, "answer": answer}
        )
        return {"status": answer}


def payments_router(payments: Payments, signed: SignedCalls) -> APIRouter:
    """Make the route of the call."""
    router = APIRouter(tags=["payments"])
    signed.add(router, REPORT_PAYMENT_STATUS, payments.report)
    return router
