"""Signed payment calls that the suite makes itself, as the retailer of a shop."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from decimal import Decimal

import httpx

from conformance.errors import HarnessBroke
from conformance.retailer_clients.shop import Shop
from jwo_contract.exact_json import dump_exact
from jwo_contract.operations import CANCEL_CHARGE, CAPTURE_CHARGE, REFUND_CHARGE, Operation
from jwo_contract.sigv4 import sign

_CALL_TIMEOUT_S = 20.0
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


class Charging:
    """Makes the payment calls of a shop. Each raises HarnessBroke if it is refused."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def capture(self, trip: str, amount: Decimal) -> None:
        """Take an amount that the pre-authorisation covers."""
        self._call(CAPTURE_CHARGE, trip, amount)

    def cancel(self, trip: str) -> None:
        """End a charge without money."""
        self._call(CANCEL_CHARGE, trip)

    def refund(self, trip: str, amount: Decimal) -> None:
        """Return an amount, under a new id."""
        self._call(REFUND_CHARGE, trip, amount, refundRequestId=str(uuid.uuid4()), refundReasonCode="OTHER")

    def _call(self, operation: Operation, trip: str, amount: Decimal | None = None, **more: str) -> None:
        shop, ids = self._shop, {"storeId": self._shop.store, "shoppingTripId": trip, **more}
        body = dump_exact(ids if amount is None else {**ids, "amount": {"amount": amount, "code": "USD"}})
        url = shop.addresses.platform_url + operation.path
        region, now = shop.addresses.region, datetime.now(UTC)
        headers = sign("POST", url, _HEADERS, body, shop.account.key, region=region, now=now)
        answer = httpx.post(url, content=body, headers=headers, timeout=_CALL_TIMEOUT_S, trust_env=False)
        if answer.is_error:
            raise HarnessBroke(f"the simulated platform: {operation.name} answered {answer.status_code}: {answer.text}")
