"""The operators' routes for payments. Amounts are texts with two decimals.

GET  /ops/charges/{state}                     the charges in a state, the oldest 100; `declined` are the debts
POST /ops/charges/{trip}/retry                take up a stuck charge again
GET  /ops/authorisations/{state}              the pre-authorisations in a state, the oldest 100
POST /ops/authorisations/{authEventId}/retry  release a stuck pre-authorisation
GET  /ops/transfers/{state}                   the refunds and the payments of debts in a state, the oldest 100
POST /ops/refunds                             start a refund, or return the earlier one of the same refundRequestId
GET  /ops/refunds/{refundRequestId}           one refund
POST /ops/refunds/{refundRequestId}/retry     take up a stuck refund again
POST /ops/debts/{trip}/settle                 record that the shopper paid a debt, or a stuck charge, in another way
POST /ops/debts/{trip}/retry                  take up a stuck payment of a debt again
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import get_args

import orjson
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from jwo_contract.errors import ContractError
from jwo_contract.messages import parse_object
from reference_connector.dispatch import CallerGone, read_body
from reference_connector.errors import InvalidRequest, TooLarge
from reference_connector.payments.desk import PaymentDesk, RefundRequest
from reference_connector.pricing.goods import as_text
from reference_connector.store import (
    Authorisation,
    AuthorisationState,
    Charge,
    ChargeState,
    Store,
    Transfer,
    TransferState,
)

_LISTED, _BODY_BYTES = 100, 4096
_REFUND_MEMBERS = ("refundRequestId", "shoppingTripId", "amount", "refundReasonCode")
_REASONS = ("DAMAGED_ITEM", "EXPIRED_ITEM", "UNWANTED_ITEM", "JWO_TECH_ERROR", "OTHER")
_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]{1,2})?")


def payment_routes(store: Store, desk: PaymentDesk) -> APIRouter:
    """Make the routes of this module."""
    routes = APIRouter(prefix="/ops")
    routes.include_router(_retry_routes(desk))

    @routes.get("/charges/{state}")
    async def charges(state: str) -> Response:
        _check_state(state, get_args(ChargeState))
        found = await store.transact(lambda records: records.charges.in_state(state, _LISTED))
        return _json({"charges": [_charge(charge) for charge in found]})

    @routes.get("/authorisations/{state}")
    async def authorisations(state: str) -> Response:
        _check_state(state, get_args(AuthorisationState))
        found = await store.transact(lambda records: records.authorisations.in_state(state, _LISTED))
        return _json({"authorisations": [_authorisation(each) for each in found]})

    @routes.get("/transfers/{state}")
    async def transfers(state: str) -> Response:
        _check_state(state, get_args(TransferState))
        found = await store.transact(lambda records: records.transfers.in_state(state, _LISTED))
        return _json({"transfers": [_transfer(each) for each in found]})

    @routes.post("/refunds")
    async def refund(request: Request) -> Response:
        return _json(_refund(await desk.refund(_refund_request(await _body(request)))), 202)

    @routes.get("/refunds/{refund_id}")
    async def find_refund(refund_id: str) -> Response:
        return _json(_refund(await desk.find_refund(refund_id)))

    @routes.post("/debts/{trip_id:path}/settle")
    async def settle(trip_id: str) -> Response:
        return _json(_charge(await desk.settle(trip_id)))

    return routes


def _retry_routes(desk: PaymentDesk) -> APIRouter:
    routes = APIRouter()

    @routes.post("/charges/{trip_id:path}/retry")
    async def retry_charge(trip_id: str) -> Response:
        return _json(_charge(await desk.retry_charge(trip_id)), 202)

    @routes.post("/authorisations/{event_id:path}/retry")
    async def retry_authorisation(event_id: str) -> Response:
        return _json(_authorisation(await desk.retry_authorisation(event_id)), 202)

    @routes.post("/refunds/{refund_id}/retry")
    async def retry_refund(refund_id: str) -> Response:
        return _json(_refund(await desk.retry_refund(refund_id)), 202)

    @routes.post("/debts/{trip_id:path}/retry")
    async def retry_debt_payment(trip_id: str) -> Response:
        return _json(_transfer(await desk.retry_debt_payment(trip_id)), 202)

    return routes


def _check_state(state: str, states: tuple[str, ...]) -> None:
    if state not in states:
        raise InvalidRequest(f"there is no state {state}; the states are {', '.join(states)}", status=422)


async def _body(request: Request) -> bytes:
    try:
        content = await read_body(request.receive, _BODY_BYTES)
    except CallerGone as error:
        raise InvalidRequest("the body is incomplete") from error
    if len(content) > _BODY_BYTES:
        raise TooLarge(f"the body is larger than {_BODY_BYTES} bytes")
    return content


def _refund_request(body: bytes) -> RefundRequest:
    """Read a request. Raises InvalidRequest, which names the wrong member and says what to send."""
    try:
        given = parse_object(body)
    except ContractError as error:
        raise InvalidRequest(str(error)) from error
    if unknown := sorted(given.keys() - _REFUND_MEMBERS):
        what, known = ", ".join(unknown), ", ".join(_REFUND_MEMBERS)
        raise InvalidRequest(f"a refund has no member {what}; its members are {known}, in the currency of the charge")
    refund_id, trip_id = given.get("refundRequestId"), given.get("shoppingTripId")
    reason = given.get("refundReasonCode", "OTHER")
    if not isinstance(refund_id, str) or not _UUID.fullmatch(refund_id):
        raise InvalidRequest("refundRequestId must be a UUID; make one for each refund, and keep it for repetitions")
    if not isinstance(trip_id, str) or not trip_id:
        raise InvalidRequest("shoppingTripId must be the id of a shopping trip")
    if reason not in _REASONS:
        raise InvalidRequest(f"refundReasonCode must be one of {', '.join(_REASONS)}")
    return RefundRequest(refund_id.lower(), trip_id, _amount(given.get("amount")), reason)


def _amount(given: object) -> Decimal | None:
    """Read an amount; None is all that is left. A JSON number would not be exact, so an amount is a text."""
    if given is None:
        return None
    if not isinstance(given, str) or not _AMOUNT.fullmatch(given) or not Decimal(given):
        raise InvalidRequest('amount must be a text with at most 2 decimals and more than 0, such as "1.50"')
    return Decimal(given)


def _charge(charge: Charge) -> dict[str, object]:
    return {
        "shoppingTripId": charge.trip_id,
        "shopperId": charge.shopper_id,
        "amount": as_text(charge.amount),
        "authorised": as_text(charge.authorised),
        "collected": as_text(charge.collected),
        "owed": as_text(charge.owed),
        "currency": charge.currency,
        "amazonStore": charge.amazon_store,
        "orderId": charge.reference if charge.cart else "",
        "paidWith": charge.paid_with,
        "state": charge.state,
        "attempts": charge.attempts,
        "trouble": charge.trouble,
    }


def _authorisation(held: Authorisation) -> dict[str, object]:
    return {
        "authEventId": held.event_id,
        "shopperId": held.shopper_id,
        "shoppingTripId": held.trip_id,
        "amount": as_text(held.amount),
        "currency": held.currency,
        "amazonStore": held.amazon_store,
        "state": held.state,
        "attempts": held.attempts,
        "trouble": held.trouble,
    }


def _transfer(transfer: Transfer) -> dict[str, object]:
    if transfer.kind == "refund":
        return {"kind": "refund", **_refund(transfer)}
    return {
        "kind": "payment_of_debt",
        "shoppingTripId": transfer.trip_id,
        "amount": as_text(transfer.amount),
        "currency": transfer.currency,
        "state": transfer.state,
        "attempts": transfer.attempts,
        "trouble": transfer.trouble,
    }


def _refund(refund: Transfer) -> dict[str, object]:
    return {
        "refundRequestId": refund.id,
        "shoppingTripId": refund.trip_id,
        "amount": as_text(refund.amount),
        "currency": refund.currency,
        "refundReasonCode": refund.reason,
        "state": refund.state,
        "attempts": refund.attempts,
        "trouble": refund.trouble,
    }


def _json(value: object, status: int = 200) -> Response:
    return Response(orjson.dumps(value), status, media_type="application/json", headers={"Cache-Control": "no-store"})
