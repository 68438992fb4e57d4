"""The payer of a purchase."""

from __future__ import annotations

from typing import Literal

Payer = Literal["card", "cash", "staff", "platform", "nobody"]
"""card: the connector charges the account's card. cash: the shopper pays at the till. staff: an associate's trip, which
costs nothing. platform: the shopper entered with a card that only the platform knows. The last one: an empty cart."""


def payer_of(scan_types: list[str], payload_types: list[str], shopper_id: str) -> Payer:
    """Return who pays for a trip: the first person that entered decides."""
    first = scan_types[0] if scan_types else ""
    if first == "ASSOCIATE":
        return "staff"
    if first in {"CASH", "CASH_SHOPPER"}:
        return "cash"
    if payload_types[:1] == ["FINANCIAL"] or not shopper_id:
        return "platform"
    return "card"
