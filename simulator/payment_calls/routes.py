"""The routes of the payment calls, and a page that shows the charge of a trip."""

from __future__ import annotations

from fastapi import APIRouter

from jwo_contract.money import Money
from jwo_contract.operations import (
    ADJUST_CHARGE,
    CANCEL_CHARGE,
    CAPTURE_CHARGE,
    GET_TRANSACTIONAL_DATA,
    REFUND_CHARGE,
)
from jwo_contract.values import format_instant
from jwo_toolkit.json_types import JsonObject
from simulator.called_trips import CalledTrip, CalledTrips
from simulator.clock import Clock
from simulator.errors import NotKnown
from simulator.payment_calls.charge_record import Charge, Refund, reconciliation_id
from simulator.payment_calls.charges import Charges
from simulator.payment_calls.samples import check_sample_capture, sample_adjustment
from simulator.payment_calls.transactional_data import transactional_data
from simulator.portal.accounts import Account
from simulator.signed_calls import SignedCalls


class PaymentCalls:
    """Answers the payment calls."""

    def __init__(self, charges: Charges, trips: CalledTrips, clock: Clock, *, refund_has_id: bool) -> None:
        self.charges = charges
        self._trips = trips
        self._clock = clock
        self._refund_has_id = refund_has_id

    async def adjust(self, account: Account, message: JsonObject) -> JsonObject:
        """Answer Adjust Charge."""
        trip, money = await self._trip(account, message), Money.of(message["amount"])
        self.charges.check(money)
        result = sample_adjustment(trip.id, money) if trip.is_sample else self.charges.adjust(trip, money)
        return {"status": result.status, "authorizedAmount": result.authorized.to_json()}

    async def capture(self, account: Account, message: JsonObject) -> None:
        """Answer Capture Charge."""
        trip, money = await self._trip(account, message), Money.of(message["amount"])
        self.charges.check(money)
        if trip.is_sample:
            check_sample_capture(trip.id)
        else:
            self.charges.capture(trip, money)

    async def cancel(self, account: Account, message: JsonObject) -> None:
        """Answer Cancel Charge."""
        trip = await self._trip(account, message)
        if not trip.is_sample:
            self.charges.cancel(trip)

    async def refund(self, account: Account, message: JsonObject) -> JsonObject | None:
        """Answer Refund Charge."""
        trip, money, request_id = (
            await self._trip(account, message),
            Money.of(message["amount"]),
            message["refundRequestId"],
        )
        self.charges.check(money, refund=True)
        if trip.is_sample:
            check_sample_capture(trip.id)
        else:
            self.charges.refund(trip, request_id, Refund(money, message["refundReasonCode"], self._clock.now()))
        return {"reconciliationId": reconciliation_id(trip.id, request_id)} if self._refund_has_id else None

    async def read(self, account: Account, message: JsonObject) -> JsonObject:
        """Answer Get Transactional Data."""
        trip = await self._trip(account, message)
        currency = self.charges.of(trip).authorized.code
        return transactional_data(trip.id, trip.store_id, currency, self._clock.now().year)

    async def _trip(self, account: Account, message: JsonObject) -> CalledTrip:
        return await self._trips.find(message["storeId"], message["shoppingTripId"], account)


def payment_router(calls: PaymentCalls, signed: SignedCalls) -> APIRouter:
    """Make the routes of the payment calls."""
    router = APIRouter(tags=["payments"])
    signed.add(router, ADJUST_CHARGE, calls.adjust)
    signed.add(router, CAPTURE_CHARGE, calls.capture)
    signed.add(router, CANCEL_CHARGE, calls.cancel)
    signed.add(router, REFUND_CHARGE, calls.refund)
    signed.add(router, GET_TRANSACTIONAL_DATA, calls.read)

    @router.get("/trips/{trip_id}/charge", summary="Show the charge of a trip")
    async def show(trip_id: str) -> JsonObject:
        charge = calls.charges.show(trip_id)
        if charge is None:
            raise NotKnown("charge", trip_id, hint="no payment call has named this trip")
        return charge_to_json(charge)

    return router


def charge_to_json(charge: Charge) -> JsonObject:
    """Return a charge as JSON, with amounts as texts."""
    adjustment, captured = charge.adjustment, charge.captured
    return {
        "tripId": charge.trip_id,
        "storeId": charge.store_id,
        "authorized": charge.authorized.to_texts(),
        "adjustment": {"status": adjustment.status, **adjustment.money.to_texts()} if adjustment else None,
        "captured": captured.to_texts() if captured else None,
        "capturedBy": charge.captured_by,
        "capturedAt": format_instant(charge.captured_at) if charge.captured_at else None,
        "cancelled": charge.cancelled,
        "refunds": [_refund_to_json(key, one) for key, one in charge.refunds.items()],
    }


def _refund_to_json(request_id: str, refund: Refund) -> JsonObject:
    named = {"refundRequestId": request_id, "refundReasonCode": refund.reason}
    return {**named, "at": format_instant(refund.at), **refund.money.to_texts()}
