"""The families of the event feed, Ordering, Payment and Shopper, and the journal entries that become their events.

Amazon publishes the names of the families, but no schemas, so the details are ours. Amounts are texts.
"""

from __future__ import annotations

from collections.abc import Callable

from jwo_toolkit.json_types import JsonObject
from simulator.journal import Entry

FAMILIES = ("Ordering", "Payment", "Shopper")
ORDER_RECOVERED = "order_recovered"
"""The kind of an entry that replaces the entry of a delivery, which a killed platform had not written."""
FamilyEvent = tuple[str, JsonObject]
"""A family and the detail of an event."""


def event_of(entry: Entry) -> FamilyEvent | None:
    """Return family and detail of a journal entry that is an event for a retailer; None for other entries."""
    make = _EVENTS.get(entry["kind"])
    return make(entry) if make else None


def _decision(entry: Entry) -> FamilyEvent:
    what = "SHOPPER_ENTERED" if entry["opens"] else "SHOPPER_REFUSED"
    return _event("Shopper", what, entry, "storeId", "gate", "method", "cause", "authEventId", "visitor")


def _exit(entry: Entry) -> FamilyEvent:
    return _event("Shopper", "SHOPPER_LEFT", entry, "storeId", "lines")


def _delivery(entry: Entry) -> FamilyEvent | None:
    if not entry.get("outcome"):
        return None
    what = "ORDER_DELIVERED" if entry["outcome"] == "delivered" else "ORDER_ATTEMPT_FAILED"
    return _event("Ordering", what, entry, "storeId", "requestId", "outcome", "purchaseId")


def _recovered(entry: Entry) -> FamilyEvent:
    return _event("Ordering", "ORDER_DELIVERED", entry, "storeId", "requestId", "outcome", "purchaseId")


def _checkout(entry: Entry) -> FamilyEvent:
    return _event("Ordering", "ORDER_CHECKED_OUT", entry, "storeId", "orderId", "total", "lines")


def _charge(entry: Entry) -> FamilyEvent | None:
    """Return the event of a changed charge; a repeated call is not an event."""
    if entry["effect"] != "changed":
        return None
    what = "CHARGE_DECLINED" if entry.get("status") == "DECLINED" else _CHARGES[entry["operation"]]
    members = ("storeId", "operation", "amount", "status", "adjusted", *_REFUND)
    return _event("Payment", what, entry, *(name for name in members if name in entry))


def _report(entry: Entry) -> FamilyEvent:
    return _event("Payment", "PAYMENT_REPORTED", entry, "storeId", "total", "settled", "answer")


def _event(family: str, what: str, entry: Entry, *members: str) -> FamilyEvent:
    detail = {"event": what, "shoppingTripId": entry.get("tripId")}
    return family, {**detail, **{name: entry[name] for name in members}}


_REFUND = ("refundRequestId", "refundReasonCode", "reconciliationId")
_CHARGES = {
    "Adjust Charge": "CHARGE_ADJUSTED",
    "Capture Charge": "CHARGE_CAPTURED",
    "Checkout Cart": "CHARGE_CAPTURED",
    "Cancel Charge": "CHARGE_CANCELLED",
    "Refund Charge": "CHARGE_REFUNDED",
}
_EVENTS: dict[str, Callable[[Entry], FamilyEvent | None]] = {
    "gate_decision": _decision,
    "exit": _exit,
    "delivery": _delivery,
    ORDER_RECOVERED: _recovered,
    "checkout": _checkout,
    "charge": _charge,
    "payment_reported": _report,
}
