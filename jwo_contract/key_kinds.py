"""The kinds of identity keys that a profile may declare."""

from __future__ import annotations

from typing import Literal, get_args

BadgeKind = Literal["badge", "associate_badge", "revoked_badge", "lost_badge", "expired_badge"]
PaymentKind = Literal["declined_payment", "in_debt", "debt_after_trip"]
PlainOffer = Literal["associate", "cash_shopper", "refused", "expired", "used"]
KeyOffer = Literal[PlainOffer, BadgeKind, PaymentKind]
"""The kinds that a retailer may not offer. Every retailer has shoppers, and keys that it does not know."""
PlainKind = Literal["shopper", PlainOffer, "unknown"]
KeyKind = PlainKind | BadgeKind | PaymentKind
BADGE_KINDS: tuple[BadgeKind, ...] = get_args(BadgeKind)
PAYMENT_KINDS: tuple[PaymentKind, ...] = get_args(PaymentKind)
KEY_OFFERS: tuple[KeyOffer, ...] = get_args(KeyOffer)
KEY_KINDS: tuple[KeyKind, ...] = (*get_args(PlainKind), *BADGE_KINDS, *PAYMENT_KINDS)
