"""What a retailer may not offer: the names for `[suite] not_offered`, and the entry of the profile that each replaces.

A case that needs such an entry is not applicable, and a run without it can still be complete.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from jwo_contract.key_kinds import KEY_OFFERS, KeyOffer

Offer = Literal[
    KeyOffer,
    "second_store",
    "scancodes",
    "weighted_skus",
    "rate_limit",
    "restart",
    "catalog_client",
    "catalog_queue",
    "shopper_authorization",
    "resolve_scan",
    "low_risk",
    "high_risk",
    "adjusted",
    "invalid_card",
    "expired_card",
    "outstanding_balance",
    "accepted_scan",
    "rejected_scan",
]


class Entry(NamedTuple):
    """A table and a key of the profile."""

    table: str
    key: str

    def __str__(self) -> str:
        return f"[{self.table}] {self.key}"


_SPECIAL: dict[Offer, Entry] = {
    "second_store": Entry("store", "other_id"),
    "rate_limit": Entry("limits", "rate_limit_per_second"),
    "restart": Entry("connector", "restart_command"),
    "catalog_client": Entry("catalog_client", "command"),
    "shopper_authorization": Entry("tiers", "shopper_authorization"),
    "resolve_scan": Entry("tiers", "resolve_scan"),
    "accepted_scan": Entry("scans", "accepted"),
    "rejected_scan": Entry("scans", "rejected"),
}
_TABLES: dict[str, tuple[Offer, ...]] = {
    "keys": KEY_OFFERS,
    "catalog": ("scancodes", "weighted_skus"),
    "shopper_identities": (
        "low_risk",
        "high_risk",
        "adjusted",
        "invalid_card",
        "expired_card",
        "outstanding_balance",
    ),
}
ENTRIES: dict[Offer, Entry] = {
    **{name: Entry(table, name) for table, names in _TABLES.items() for name in names},
    **_SPECIAL,
}
"""The entry that each name replaces. `catalog_queue` has none: a client shows by its calls whether it reads a queue."""
QUEUE_UNREAD = "the client does not read its queue"
"""The reason of a case that `catalog_queue` excuses."""
OFFERS: tuple[Offer, ...] = get_args(Offer)


def signs_of(name: Offer) -> str:
    """Return the text by which the reason of a case names what it needs."""
    return str(ENTRIES[name]) if name in ENTRIES else QUEUE_UNREAD
