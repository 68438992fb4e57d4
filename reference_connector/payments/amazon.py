"""The steps of a payment that Amazon holds: each one makes one call to the platform, and returns the row's next state.

    charge      matching ─> adjust_at_amazon or cancel_at_amazon   (if the provider may have reserved an amount)
                adjust_at_amazon ─> capture_at_amazon ─> captured
                                    capture_at_amazon ─> read_at_amazon ─> captured   (if the receipt shows the card)
                adjust_at_amazon ─> declined      (a debt: nothing is captured)
                cancel_at_amazon ─> released      (nothing to pay)
                checkout_at_amazon ─> captured    (the platform charges the priced cart)
    hold        cancel_at_amazon ─> released      (a card that pays nothing, or a charge that ends without a capture)
    transfer    refund_at_amazon ─> done

The platform knows a call by its trip or its refundRequestId, so a repeated call has one effect. Amazon's readers have
authorised an amount at the gate. So there is no capture without an approved adjustment to the total.
"""

from __future__ import annotations

from typing import TypeVar

import orjson

from jwo_contract.money import Money
from jwo_contract.operations import (
    ADJUST_CHARGE,
    CANCEL_CHARGE,
    CAPTURE_CHARGE,
    CHECKOUT_CART,
    GET_TRANSACTIONAL_DATA,
    REFUND_CHARGE,
    Operation,
)
from jwo_toolkit.json_types import JsonObject
from reference_connector.errors import (
    PaymentDeclined,
    PaymentImpossible,
    PaymentPending,
    PaymentUnclear,
    PlatformClientError,
    PlatformRefused,
)
from reference_connector.platform_calls.answers import one_line
from reference_connector.platform_calls.caller import PlatformCaller
from reference_connector.store import Authorisation, Charge, ChargeState, Transfer
from reference_connector.telemetry import EventLog

Row = TypeVar("Row", Charge, Authorisation, Transfer)
_BAD_REQUEST = 400
_UNKNOWN_TRIP = "UnknownShoppingTrip"
"""Published: the reason of a refusal."""
_LONGEST_CARD = 60


class AmazonSteps:
    """Takes the steps. With `shows_card`, it reads the card of each charge once, and does without it if that fails.

    It logs why a call failed and what to do, as the row has only a code.
    """

    def __init__(self, platform: PlatformCaller, log: EventLog, *, shows_card: bool) -> None:
        self._platform = platform
        self._log = log
        self._shows_card = shows_card

    async def next(self, row: Row) -> Row:
        """Make the call that a row waits for; return the row's next state.

        Raises PaymentDeclined if the issuer refuses the money, and PaymentPending if it has not decided. Raises
        PaymentUnclear if a repetition may help, and PaymentImpossible if it does not.
        """
        if isinstance(row, Transfer):
            return await self._refund(row)
        if isinstance(row, Authorisation):
            return await self._hold(row)
        return await self._charge(row)

    async def _charge(self, charge: Charge) -> Charge:
        if charge.state == "cancel_at_amazon":
            await self._call(CANCEL_CHARGE, charge, {})
            return _after(charge)._replace(state="released")
        if charge.state == "checkout_at_amazon":
            order_id = one_line((await self._sent(CHECKOUT_CART, orjson.loads(charge.cart)))["orderId"])
            return _after(charge)._replace(state="captured", captured=charge.amount, reference=order_id)
        if charge.state == "read_at_amazon":
            return _after(charge)._replace(state="captured", paid_with=await self._card(charge))
        money = {"amount": Money(charge.amount, charge.currency).to_json()}
        if charge.state == "adjust_at_amazon":
            _check_approved(charge, await self._call(ADJUST_CHARGE, charge, money))
            return _after(charge)._replace(state="capture_at_amazon", authorised=charge.amount)
        await self._call(CAPTURE_CHARGE, charge, money)
        state: ChargeState = "read_at_amazon" if self._shows_card else "captured"
        return _after(charge)._replace(state=state, captured=charge.amount)

    async def _hold(self, hold: Authorisation) -> Authorisation:
        """Cancel what Amazon's reader reserved. For a trip that the platform does not know, nothing is reserved."""
        try:
            await self._call(CANCEL_CHARGE, hold, {})
        except PaymentImpossible as error:
            if error.code != f"{_refusal_code(_BAD_REQUEST)}: {_UNKNOWN_TRIP}":
                raise
            return _after(hold)._replace(state="released", trouble=error.code)
        return _after(hold)._replace(state="released")

    async def _card(self, charge: Charge) -> str:
        """Return the card that was charged, or an empty text if the platform does not say it."""
        try:
            data = await self._call(GET_TRANSACTIONAL_DATA, charge, {})
        except (PaymentUnclear, PaymentImpossible):
            return ""
        return one_line(f"{data['brand']} {data['tail']}")[:_LONGEST_CARD]

    async def _refund(self, refund: Transfer) -> Transfer:
        more = {
            "amount": Money(refund.amount, refund.currency).to_json(),
            "refundRequestId": refund.id,
            "refundReasonCode": refund.reason,
        }
        try:
            await self._call(REFUND_CHARGE, refund, more)
        except PaymentImpossible as error:
            if error.code.startswith(_refusal_code(_BAD_REQUEST)):  # no money moved, so another refund may ask for it
                raise PaymentDeclined(str(error), code=error.code) from error
            raise
        return _after(refund)._replace(state="done")

    async def _call(self, operation: Operation, row: Charge | Authorisation | Transfer, more: JsonObject) -> JsonObject:
        return await self._sent(operation, {"storeId": row.amazon_store, "shoppingTripId": row.trip_id, **more})

    async def _sent(self, operation: Operation, body: JsonObject) -> JsonObject:
        try:
            return await self._platform.call(operation, body)
        except PlatformClientError as error:
            self._log.event("platform_call_failed", operation=operation.name, reason=str(error), hint=error.hint)
            code = error.code
            if isinstance(error, PlatformRefused):
                code = f"{_refusal_code(error.status)}: {error.reason}"
            if not error.may_pass:
                raise PaymentImpossible(str(error), code=code) from error
            unclear = PaymentUnclear(str(error), code=code)
            unclear.retry_after_s = error.retry_after_s or 0.0
            raise unclear from error


def _refusal_code(status: int) -> str:
    return f"refused_{status}"


def _check_approved(charge: Charge, answer: JsonObject) -> None:
    """Raise an error unless the platform has authorised at least the total."""
    status, authorised = answer["status"], Money.of(answer["authorizedAmount"])
    if status == "PENDING":
        raise PaymentPending("the issuer has not decided on the total yet")
    if status == "DECLINED":
        raise PaymentDeclined("the issuer declines the total", code="adjust_declined")
    if authorised.amount < charge.amount or authorised.code != charge.currency:
        found = f"{authorised.amount:f} {authorised.code}"
        raise PaymentImpossible(
            f"the platform authorises {found} instead of {charge.amount} {charge.currency}",
            code=f"authorised_{found}",
        )


def _after(row: Row) -> Row:
    """Return a row after a call that had its result."""
    return row._replace(trouble="", attempts=0)
