"""The paths and the valid bodies of the payment calls, and the answer to a body that is not valid."""

from __future__ import annotations

from typing import Any

PATHS = {
    "ADJ": ("Adjust Charge", "/v1/adjust/charge"),
    "CAP": ("Capture Charge", "/v1/capture/charge"),
    "CAN": ("Cancel Charge", "/v1/cancel/charge"),
    "REF": ("Refund Charge", "/v1/refund"),
}
DATA = "/v1/payment/transactional-data"
VALID: dict[str, Any] = {"storeId": "VALID_STORE_ID", "shoppingTripId": "valid-shopping-trip-uuid"}
BODIES: dict[str, dict[str, Any]] = {
    "ADJ": {**VALID, "amount": {"amount": 25.5, "code": "USD"}},
    "CAP": {**VALID, "amount": {"amount": 25.5, "code": "USD"}},
    "CAN": VALID,
    "REF": {
        **VALID,
        "amount": {"amount": 25.5, "code": "USD"},
        "refundRequestId": "3b241101-e2bb-4255-8caf-4136c566a962",
        "refundReasonCode": "DAMAGED_ITEM",
    },
}
BAD = (400, {"errorMsg": "BadRequestException"})
