"""The payer of a purchase, and the party that handles the payments of a store."""

from __future__ import annotations

from typing import Literal

Payer = Literal["card", "cash", "staff", "platform", "nobody"]
"""card: the connector charges the account's card. cash: the shopper pays at the till. staff: an associate's trip, which
costs nothing. platform: the shopper entered with a card that only the platform knows. The last one: an empty cart."""

PaymentModel = Literal["retailer", "amazon", "mixed", "checkout"]
"""The party that handles the payments of a store.

retailer: the connector charges through the retailer's own provider, and the platform is not involved. amazon: Amazon
authorises at its readers; the connector adjusts, captures, cancels and refunds at the platform. mixed: as amazon for
shoppers that enter with a card that only the platform knows, as retailer for all others. checkout: the connector sends
the totals to the platform's Checkout Cart, and charges nothing."""
PROVIDERS_MODELS: tuple[PaymentModel, ...] = ("retailer", "mixed")
"""The models in which the retailer's provider authorises shoppers with an account before the gate opens."""


def is_charged_by_amazon(model: PaymentModel, payer: Payer) -> bool:
    """Return whether Amazon holds the money of a trip. It never does for associates and for cash."""
    return (payer == "platform" and model in {"amazon", "mixed"}) or (payer == "card" and model == "amazon")


def is_checked_out(model: PaymentModel, payer: Payer) -> bool:
    """Return whether the connector sends a cart to Checkout Cart. It never does for associates and for cash."""
    return model == "checkout" and payer in {"card", "platform"}


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
