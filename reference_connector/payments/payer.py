"""The payer of a purchase, and the party that handles the payments of a store."""

from __future__ import annotations

from typing import Literal

from jwo_toolkit.json_types import Json

Payer = Literal["card", "cash", "staff", "platform", "nobody"]
"""card: the connector charges the account's card. cash: the shopper pays at the till. staff: an associate's trip, which
costs nothing. platform: the shopper entered with a card that only the platform knows. The last one: an empty cart."""

OtherEntry = Literal["card", "app"]
"""How a shopper entered that does not pay for the group."""

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


def other_entries(payer: Payer, events: list[Json]) -> list[OtherEntry]:
    """List how those shoppers of a group entered that do not pay, of those of which Amazon may reserve an amount."""
    found: list[OtherEntry] = []
    if payer != "platform" and any(event["payloadType"] == "FINANCIAL" for event in events):
        found.append("card")
    if payer in {"staff", "cash"} and any(_is_app_entry(event) for event in events):
        found.append("app")
    return found


def _is_app_entry(event: Json) -> bool:
    is_shopper = (event.get("scanResult") or {}).get("type") == "SHOPPER"
    return is_shopper and event["payloadType"] == "SCAN_CODE" and event.get("location") == "ENTRY"


def is_held_by_amazon(model: PaymentModel, entries: list[OtherEntry]) -> bool:
    """Return whether Amazon reserves an amount at one of these entries: of a card, or of all if it charges all."""
    return ("card" in entries and model != "retailer") or ("app" in entries and model == "amazon")


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
