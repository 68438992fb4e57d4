"""The interface of the retailer's payment provider.

Each call has an idempotency key. A repeated call with the same key has no further effect, and returns the result of the
first one. If that was pending or unclear, it returns the present result.
"""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple, Protocol


class PaymentCall(NamedTuple):
    """One call to the provider.

    `key` is the idempotency key. `order` is the retailer's name of the payment: the authEvent.id of a
    pre-authorisation, otherwise the shopping trip. `amount` has two decimals. `reference` is the provider's name of the
    authorisation that the call continues, or empty.
    """

    key: str
    order: str
    method: str
    amount: Decimal
    currency: str
    reference: str = ""


class PaymentProvider(Protocol):
    """The retailer's payment provider.

    The caller treats an error of another type as PaymentUnclear, and logs that type.

    Each method raises PaymentDeclined for a final refusal, PaymentPending before a decision, and PaymentUnclear if the
    result is unknown.
    """

    async def authorise(self, call: PaymentCall) -> str:
        """Reserve the amount; return the provider's reference of this authorisation."""

    async def adjust(self, call: PaymentCall) -> None:
        """Change the reserved amount of an authorisation to the call's amount: the total, not the difference."""

    async def capture(self, call: PaymentCall) -> None:
        """Collect the amount, at most the reserved one. The rest of the authorisation ends."""

    async def release(self, call: PaymentCall) -> None:
        """End an authorisation, and collect nothing."""

    async def collect(self, call: PaymentCall) -> None:
        """Authorise and capture an amount at once, for an order that another authorisation did not pay in full."""

    async def refund(self, call: PaymentCall) -> None:
        """Return an amount of an order to its payers, at most what was captured and collected for that order."""
