"""Report Payment Status: a retailer that charges shoppers itself reports what they paid. A debt keeps a shopper out.

Amazon does not publish when the service answers Rejected. This platform does so if the settled amount is above the
total.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from simulator.catalog.access import Access
from simulator.entry.risk import RiskModel
from simulator.errors import CatalogRefusal, NotKnown
from simulator.journal import Journal
from simulator.portal.stores import Stores
from simulator.trips import Trips

PATH = "/v1/feedback/payment-status"
NAME = "Report Payment Status"


class Money(BaseModel):
    """An amount in the format of the payment calls."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    amount: float = Field(ge=0)
    code: str = Field(pattern="^[A-Z]{3}$")


class PaymentStatus(BaseModel):
    """The amount owed for a trip, the amount paid, and the time of that."""

    model_config = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)

    storeId: str = Field(min_length=1, max_length=255, pattern="^[0-9a-zA-Z_-]*$")  # noqa: N815 - the wire's spelling
    shoppingTripId: str = Field(min_length=1, max_length=255, pattern="^[0-9a-zA-Z_-]+$")  # noqa: N815 - as above
    totalAmount: Money  # noqa: N815 - as above
    settledAmount: Money  # noqa: N815 - as above
    paymentStatusTime: float  # noqa: N815 - as above


class Payments:
    """Processes payment reports."""

    def __init__(self, trips: Trips, stores: Stores, risk: RiskModel, journal: Journal) -> None:
        self._trips = trips
        self._stores = stores
        self._risk = risk
        self._journal = journal

    async def report(self, body: bytes, retailer: str) -> dict[str, str]:
        """Record a report; returns the answer.

        Raises CatalogRefusal if the report is not valid, or names a trip that the retailer's store never had.
        """
        try:
            status = PaymentStatus.model_validate_json(body)
            trip = await self._trips.find(status.shoppingTripId)
        except ValidationError as error:
            raise CatalogRefusal("BadRequestException") from error
        except NotKnown as error:
            raise CatalogRefusal("UnknownShoppingTrip") from error
        if trip.store_id != status.storeId or status.storeId not in self._stores.of_retailer(retailer):
            raise CatalogRefusal("UnknownShoppingTrip")
        total, settled = status.totalAmount.amount, status.settledAmount.amount
        accepted = settled <= total
        if accepted and trip.shopper_identity:
            self._risk.set_debt(trip.shopper_identity, trip.id, owes=settled < total)
        amounts = {"total": status.totalAmount.model_dump(), "settled": status.settledAmount.model_dump()}
        answer = "Accepted" if accepted else "Rejected"
        self._journal.add(
            "payment_reported", {"tripId": trip.id, "storeId": trip.store_id, **amounts, "answer": answer}
        )
        return {"status": answer}


def payments_router(payments: Payments, access: Access) -> APIRouter:
    """Make the route of the call."""
    router = APIRouter(tags=["payments"])
    schema: dict[str, Any] = PaymentStatus.model_json_schema()

    @router.post(
        PATH,
        summary=NAME,
        openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}},
    )
    async def report_payment_status(request: Request) -> dict[str, str]:
        body = await request.body()
        account = access.authenticate(request, body)
        access.admit(account, NAME)
        return await payments.report(body, account.retailer)

    return router
