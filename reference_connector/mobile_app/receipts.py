"""The app's routes for the money of the shopper that is signed in: receipts with their payment, and debts.

    GET  /app/shoppers/{id}/receipts               {"receipts": [{…, "madeAt", "timeZone", "payment"}]}
                                                   "payment" has the card as "paidWith", if Amazon charged it
    GET  /app/shoppers/{id}/debts                  {"debts": [{"shoppingTripId", "amount", "currency", "state"}]}
    POST /app/shoppers/{id}/debts/{trip}/settle    202, the state of the payment; 409 if there is nothing to pay

`madeAt` is the instant of the purchase, `timeZone` the store's, and `payment` has {"state", "owed", "refunded"}.
Amounts are texts with two decimals. The body of a settlement may name another means of payment: {"paymentMethod": …},
a token of the provider. Without one, the connector uses the means on record.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import orjson
from fastapi import APIRouter, Depends, FastAPI
from starlette.requests import Request
from starlette.responses import Response

from jwo_contract.errors import ContractError
from jwo_contract.messages import parse_object
from jwo_contract.values import format_instant
from reference_connector.errors import InvalidRequest
from reference_connector.mobile_app.routes import app_json, read_app_body, require_own
from reference_connector.mobile_app.sign_in import SignIn
from reference_connector.payments.desk import PaymentDesk
from reference_connector.pricing.goods import as_text
from reference_connector.retailer import CurrentRetailer
from reference_connector.store import Charge, Records, Store, Transfer

_LONGEST_TOKEN = 255
_STATES = {
    "captured": "paid",
    "read_at_amazon": "paid",
    "released": "nothing_to_pay",
    "declined": "owed",
    "settled": "settled",
    "stuck": "checked",
}
"""By the state of the charge, what the shopper sees; all other states are `open`."""
_ATTEMPTS = {"pending": "paying", "declined": "declined", "stuck": "checked"}


def add_receipt_routes(
    app: FastAPI, retailer: CurrentRetailer, store: Store, desk: PaymentDesk, sign_in: SignIn
) -> None:
    """Serve receipts and debts."""
    own = [Depends(require_own(sign_in))]
    app.include_router(_receipt_routes(retailer, store), dependencies=own)
    app.include_router(_debt_routes(retailer, desk), dependencies=own)


def _receipt_routes(retailer: CurrentRetailer, store: Store) -> APIRouter:
    routes = APIRouter(prefix="/app/shoppers/{shopper_id}")

    @routes.get("/receipts")
    async def receipts(shopper_id: str) -> Response:
        return app_json({"receipts": await store.transact(_receipts, shopper_id, retailer.current.time_zones)})

    return routes


def _receipts(records: Records, shopper_id: str, time_zones: Mapping[str, str]) -> list[dict[str, object]]:
    """List a shopper's receipts, the newest first; a trip with a charge has its payment. This is a unit of work."""
    return [
        orjson.loads(each.receipt)
        | {"madeAt": format_instant(each.made_at), "timeZone": time_zones.get(each.store_id, "UTC")}
        | _payment(records, each.trip_id)
        for each in records.purchases_of(shopper_id)
    ]


def _payment(records: Records, trip_id: str) -> dict[str, object]:
    charge = records.charges.find(trip_id)
    if charge is None:
        return {}
    refunds = [each for each in records.transfers.of_trip(trip_id) if (each.kind, each.state) == ("refund", "done")]
    refunded = sum((each.amount for each in refunds), Decimal(0))
    payment = {"state": _STATES.get(charge.state, "open"), "owed": as_text(charge.owed), "refunded": as_text(refunded)}
    return {"payment": payment | ({"paidWith": charge.paid_with} if charge.paid_with else {})}


def _debt_routes(retailer: CurrentRetailer, desk: PaymentDesk) -> APIRouter:
    routes = APIRouter(prefix="/app/shoppers/{shopper_id}/debts")

    @routes.get("")
    async def debts(shopper_id: str) -> Response:
        found = await desk.debts_of(shopper_id)
        return app_json({"debts": [_debt(charge, payment) for charge, payment in found]})

    @routes.post("/{trip_id:path}/settle")
    async def settle(shopper_id: str, trip_id: str, request: Request) -> Response:
        account = retailer.current.accounts.get(shopper_id)
        method = _payment_method(await read_app_body(request)) or (account.payment_method if account else "")
        payment = await desk.pay_debt(shopper_id, trip_id, method)
        return app_json({"state": _ATTEMPTS.get(payment.state, "paid")}, 202)

    return routes


def _debt(charge: Charge, payment: Transfer | None) -> dict[str, str]:
    state = _ATTEMPTS.get(payment.state, "owed") if payment else "owed"
    trip, currency = charge.trip_id, charge.currency
    return {"shoppingTripId": trip, "amount": as_text(charge.owed), "currency": currency, "state": state}


def _payment_method(body: bytes) -> str:
    """Read the optional means of payment; empty if the body names none. Raises InvalidRequest if it is not a token."""
    if not body:
        return ""
    try:
        method = parse_object(body).get("paymentMethod", "")
    except ContractError as error:
        raise InvalidRequest(str(error)) from error
    if not isinstance(method, str) or len(method) > _LONGEST_TOKEN:
        raise InvalidRequest(
            f"paymentMethod must be a token of the provider, a text of at most {_LONGEST_TOKEN} characters"
        )
    return method
