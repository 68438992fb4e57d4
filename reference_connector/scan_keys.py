"""Scan Key Codes: how this retailer issues and redeems them. The policy is its own; the gate gets 200 or 401."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from jwo_contract.errors import BadValue
from jwo_contract.house import ScanKeyRules
from jwo_contract.scan_key import ScanKey, decode, encode
from reference_connector.retailer import Account, CurrentRetailer, Policy, Visitor
from reference_connector.store import IssuedCode, Records


class Refusal(StrEnum):
    """Why a key does not open the gate."""

    UNKNOWN_KEY = "unknown_key"
    EXPIRED = "expired_code"
    REPLAYED = "replayed_code"
    FLAGGED = "flagged_account"
    OWES = "open_balance"
    CARD_EXPIRED = "card_expired"
    FRAUD = "fraud_threshold"
    NO_PAYMENT_METHOD = "no_payment_method"
    BADGE_REVOKED = "revoked_badge"
    BADGE_LOST = "lost_badge"
    BADGE_EXPIRED = "expired_badge"
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_UNCLEAR = "payment_unclear"
    WRONG_STORE = "wrong_store"


class ScanKeys:
    """Issues and redeems codes."""

    def __init__(self, retailer: CurrentRetailer, rules: ScanKeyRules, new_token: Callable[[], str]) -> None:
        self._retailer = retailer
        self._rules = rules
        self._new_token = new_token

    def make(self, shopper_id: str, issued_at: datetime) -> tuple[str, IssuedCode]:
        """Make a code's text, and its record, which must be saved before the app shows the code."""
        token = self._new_token()
        text = encode(ScanKey(self._rules.prefix, issued_at, token), self._rules)
        return text, IssuedCode(token, shopper_id, decode(text, self._rules).issued_at)

    def is_code(self, text: str) -> bool:
        """Return whether a text has the form of a code, known or not."""
        try:
            decode(text, self._rules)
        except BadValue:
            return False
        return True

    def redeem(self, records: Records, text: str, event_id: str, scanned_at: datetime) -> Visitor | Refusal:
        """Use a code for an event and return its owner, or return why it is refused.

        The age of a code is the time of the scan minus the time of issue. A code that was issued after the scan is not
        too old. Every refusal reads the same records, so that its time does not show its reason.
        """
        issued = self._find(records, text)
        retailer = self._retailer.current
        account = retailer.accounts.get(issued.shopper_id) if issued else None
        debt = records.debt_of(account.visitor.id if account else "")
        if issued is None or account is None:
            return Refusal.UNKNOWN_KEY
        refusal = self._refusal(issued, account, event_id, scanned_at)
        if refusal is not None:
            return refusal
        if owes_too_much(account, debt, retailer.policy):
            return Refusal.OWES
        records.use_code(issued.token, event_id)
        return account.visitor

    def give_back(self, records: Records, text: str, event_id: str) -> None:
        """Undo the use of a code by an event, as the gate refuses its owner for another reason."""
        issued = self._find(records, text)
        if issued is not None and issued.used_by == event_id:
            records.use_code(issued.token, "")

    def owner(self, records: Records, text: str) -> str:
        """Return the shopper of a code, or an empty text if the code is not known."""
        issued = self._find(records, text)
        return issued.shopper_id if issued else ""

    def _find(self, records: Records, text: str) -> IssuedCode | None:
        """Find the record of a code; None if the time in the code, or its custom information, was changed."""
        try:
            key = decode(text, self._rules)
        except BadValue:
            key = None
        issued = records.find_code(key.token if key else "")
        is_same = issued is not None and key is not None and issued.issued_at == key.issued_at and not key.custom_info
        return issued if is_same else None

    def _refusal(self, issued: IssuedCode, account: Account, event_id: str, scanned_at: datetime) -> Refusal | None:
        if scanned_at - issued.issued_at > timedelta(seconds=self._rules.max_age_s):
            return Refusal.EXPIRED
        if self._rules.single_use and issued.used_by not in {"", event_id}:
            return Refusal.REPLAYED
        return Refusal.FLAGGED if account.flagged else None


def owes_too_much(account: Account, debt: Decimal, policy: Policy) -> bool:
    """Return whether an account's debt, or its balance with that debt, is over the retailer's limits.

    The debt is what is not collected of declined charges.
    """
    return debt > policy.max_debt or account.open_balance + debt > policy.max_open_balance
