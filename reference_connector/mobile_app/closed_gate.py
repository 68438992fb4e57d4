"""What the phone says of a gate that stays closed: a reason in plain words, and what the shopper can do."""

from __future__ import annotations

from collections.abc import Mapping

from reference_connector.scan_keys import Refusal

ASK_THE_STORE = "The gate stays closed for this account. Ask the store."
OWES = "The gate stays closed until your bill is paid: pay here if it is listed below, or ask the store."
BUSY = "The gate is very busy. If it stays closed, hold the code over the reader again in a few seconds."
WORDS: Mapping[Refusal, str] = {
    Refusal.EXPIRED: "That code was too old. Hold the code that this page shows now over the reader.",
    Refusal.REPLAYED: "That code was used before. Hold the code that this page shows now over the reader.",
    Refusal.FLAGGED: ASK_THE_STORE,
    Refusal.OWES: OWES,
    Refusal.CARD_EXPIRED: "Your payment card is expired, so the gate stays closed. Ask the store to change it.",
    Refusal.FRAUD: ASK_THE_STORE,
    Refusal.NO_PAYMENT_METHOD: (
        "Your account has no means of payment, so the gate stays closed. Ask the store to add one."
    ),
    Refusal.BADGE_REVOKED: "Your badge is not valid any more. Ask the store for another one.",
    Refusal.BADGE_LOST: "That badge is reported lost, so it opens no gate. Ask the store for another one.",
    Refusal.BADGE_EXPIRED: "Your badge is expired. Ask the store for another one.",
    Refusal.PAYMENT_DECLINED: (
        "Your means of payment was declined, so the gate stays closed. Ask the store to change it."
    ),
    Refusal.PAYMENT_UNCLEAR: "Your bank did not answer in time, so the gate stayed closed. Hold the code up again.",
    Refusal.WRONG_STORE: "That store does not belong to this app, so its gates stay closed. Ask the store.",
}
"""By reason; a key that is not known has no owner, and so no phone."""
