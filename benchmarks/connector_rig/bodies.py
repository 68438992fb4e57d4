"""Request bodies: scans and carts, each with ids of its own."""

from __future__ import annotations

import uuid
from typing import Any

import orjson

SCAN_PATH, CART_PATH = "/v1/identity/identity-keys", "/v1/order/purchases"
KEY = "dmFsaWRfc2hvcHBlcl9rZXk="


def a_scan() -> bytes:
    """Make a Verify Identity Keys request of a new event."""
    return orjson.dumps(
        {
            "requestId": str(uuid.uuid4()),
            "identityKey": KEY,
            "storeId": "STORE-001",
            "authEvent": {"id": str(uuid.uuid4()), "timestamp": "2026-02-09T12:00:00Z", "location": "ENTRY"},
            "keyChannel": "OPTICAL",
        }
    )


def a_cart(trip: str | None = None, *, lines: int = 10, shopper: str = "", skus: int = 3) -> bytes:
    """Make a Create Purchases request; without a shopper it is of somebody who entered with a card."""
    event: dict[str, Any] = {"id": str(uuid.uuid4()), "timestamp": "2026-02-09T11:50:00Z", "location": "ENTRY"}
    event["payloadType"] = "SCAN_CODE" if shopper else "FINANCIAL"
    if shopper:
        event["scanResult"] = {"id": shopper, "type": "SHOPPER"}
    return orjson.dumps(
        {
            "requestId": str(uuid.uuid4()),
            "idempotentShoppingTripId": trip or str(uuid.uuid4()),
            "storeId": "STORE-001",
            "shoppingTrip": {
                "startTime": "2026-02-09T11:50:00Z",
                "endTime": "2026-02-09T12:00:00Z",
                "authEvents": [event],
            },
            "cartItems": [
                {
                    "id": f"SKU-{number % skus + 1:03}",
                    "type": "SKU",
                    "quantity": {"value": "1.0", "unit": "unit"},
                    "lineItemId": f"line-{number}",
                }
                for number in range(lines)
            ],
        }
    )
