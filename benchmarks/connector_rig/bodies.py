"""Request bodies: scans and carts, each with its own ids and times; and the products in the carts."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

SCAN_PATH, CART_PATH = "/v1/identity/identity-keys", "/v1/order/purchases"
KEY = "dmFsaWRfc2hvcHBlcl9rZXk="
PRODUCTS = 1000
_DAY_S = 86_400
_seconds = itertools.cycle(range(_DAY_S))


def write_products(path: Path) -> None:
    """Write a retailer file with PRODUCTS products, each with its own price."""
    prices = (f"{1 + number % 20}.{number % 100:02}" for number in range(PRODUCTS))
    rows = (
        f'[[product]]\nsku = "BENCH-{number:04}"\nname = "Thing {number}"\nprice = "{price}"\n'
        for number, price in enumerate(prices)
    )
    path.write_text("".join(rows), "utf-8")


def some_products(count: int) -> Iterator[list[str]]:
    """Yield the SKUs of one cart after another: `count` different SKUs for each cart."""
    for start in itertools.count():
        yield [f"BENCH-{(start * 7 + step * 31) % PRODUCTS:04}" for step in range(count)]


_TEN_PRODUCTS = some_products(10)


def a_uuid() -> str:
    """Return a random UUID, in a fifth of the time of `uuid.uuid4`."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


def a_scan(key: str = KEY, *, event: str = "", at: str = "") -> bytes:
    """Return a Verify Identity Keys request of a new event, or of a given one."""
    return orjson.dumps(
        {
            "requestId": a_uuid(),
            "identityKey": key,
            "storeId": "STORE-001",
            "authEvent": {"id": event or a_uuid(), "timestamp": at or _an_instant(), "location": "ENTRY"},
            "keyChannel": "OPTICAL",
        }
    )


def a_cart_of_ten() -> bytes:
    """Return a Create Purchases request with ten different products."""
    return a_cart(skus=next(_TEN_PRODUCTS))


def a_cart(trip: str | None = None, *, skus: list[str], shopper: str = "", start: str = "", entry: str = "") -> bytes:
    """Return a Create Purchases request; without a shopper id, the shopper entered with a bank card.

    `entry` is the id of the authEvent; by default a new one.
    """
    start = start or _an_instant()
    event: dict[str, Any] = {"id": entry or a_uuid(), "timestamp": start, "location": "ENTRY"}
    event["payloadType"] = "SCAN_CODE" if shopper else "FINANCIAL"
    if shopper:
        event["scanResult"] = {"id": shopper, "type": "SHOPPER"}
    return orjson.dumps(
        {
            "requestId": a_uuid(),
            "idempotentShoppingTripId": trip or a_uuid(),
            "storeId": "STORE-001",
            "shoppingTrip": {"startTime": start, "endTime": _later(start), "authEvents": [event]},
            "cartItems": [
                {
                    "id": sku,
                    "type": "SKU",
                    "quantity": {"value": "1.0", "unit": "unit"},
                    "lineItemId": f"line-{number}",
                }
                for number, sku in enumerate(skus)
            ],
        }
    )


def _an_instant() -> str:
    """Return the next second of a day, so that successive requests have different times."""
    second = next(_seconds)
    return f"2026-02-09T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"


def _later(start: str) -> str:
    return start.replace("2026-02-09", "2026-02-10")
