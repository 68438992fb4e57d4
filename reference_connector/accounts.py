"""The checks before an account may enter, as Amazon publishes them: payment card, its expiry, fraud threshold."""

from __future__ import annotations

from datetime import datetime

from reference_connector.errors import CodeDenied
from reference_connector.retailer import Account, Policy


def check_account(account: Account, policy: Policy, at: datetime) -> None:
    """Check an account at an instant. Raises CodeDenied if a check fails; its code is also one of `Refusal`."""
    if (at.year, at.month) > account.card_expires:
        raise CodeDenied("the payment card is expired; ask the store to change it", code="card_expired")
    if account.fraud_score > policy.max_fraud_score:
        raise CodeDenied("this account cannot enter now; ask the store", code="fraud_threshold")
    if account.visitor.type == "SHOPPER" and not account.payment_method:
        raise CodeDenied("the account has no means of payment; ask the store to add one", code="no_payment_method")
