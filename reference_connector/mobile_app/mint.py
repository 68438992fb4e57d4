"""Makes fresh keys for test suites; available only if the setting `app_test_keys` is on."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Literal

from jwo_contract.house import ScanKeyRules
from jwo_contract.scan_key import ScanKey, encode, to_identity_key
from reference_connector.errors import NotThere
from reference_connector.mobile_app.codes import CodeIssuer
from reference_connector.payments.desk import clear_debts
from reference_connector.retailer import Account, CurrentRetailer, Policy, VisitorType
from reference_connector.store import Badge, BadgeState, Store
from reference_connector.telemetry import Clock

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""The time of issue of an expired code: before every scan, with any date that a suite gives to its authEvents."""


class Kind(StrEnum):
    """The kind of a minted key."""

    SHOPPER = "shopper"
    ASSOCIATE = "associate"
    CASH_SHOPPER = "cash_shopper"
    REFUSED = "refused"
    EXPIRED = "expired"
    USED = "used"
    UNKNOWN = "unknown"
    BADGE = "badge"
    ASSOCIATE_BADGE = "associate_badge"
    REVOKED_BADGE = "revoked_badge"
    LOST_BADGE = "lost_badge"
    EXPIRED_BADGE = "expired_badge"
    DECLINED_PAYMENT = "declined_payment"
    IN_DEBT = "in_debt"
    DEBT_AFTER_TRIP = "debt_after_trip"


_BADGES: dict[Kind, tuple[BadgeState, datetime | None]] = {
    Kind.BADGE: ("issued", None),
    Kind.ASSOCIATE_BADGE: ("issued", None),
    Kind.REVOKED_BADGE: ("revoked", None),
    Kind.LOST_BADGE: ("lost", None),
    Kind.EXPIRED_BADGE: ("issued", LONG_AGO),
}
"""The state and the expiry of a minted badge."""
_TYPES: dict[Kind, VisitorType] = {
    Kind.ASSOCIATE: "ASSOCIATE",
    Kind.ASSOCIATE_BADGE: "ASSOCIATE",
    Kind.CASH_SHOPPER: "CASH_SHOPPER",
}
"""The type of account for a minted key; SHOPPER for all other kinds."""


Trouble = Literal["flagged", "in_debt", "declined", "declined_after_trip"]
_TROUBLES: dict[Kind, Trouble] = {
    Kind.REFUSED: "flagged",
    Kind.IN_DEBT: "in_debt",
    Kind.DECLINED_PAYMENT: "declined",
    Kind.DEBT_AFTER_TRIP: "declined_after_trip",
}
"""What is wrong with the account of a minted key; nothing for all other kinds."""
_PAYMENT_TROUBLES: dict[str, Trouble] = {
    "tok_declined": "declined",
    "tok_declined_at_capture": "declined_after_trip",
}
"""By the magic values of the simulated provider."""


def trouble_of(account: Account, policy: Policy) -> Trouble | None:
    """Return what keeps an account of the files out now, or after a trip; None if nothing does."""
    if account.flagged:
        return "flagged"
    if account.open_balance > policy.max_open_balance:
        return "in_debt"
    return _PAYMENT_TROUBLES.get(account.payment_method)


class Mint:
    """Makes identity keys of a given kind."""

    def __init__(
        self,
        retailer: CurrentRetailer,
        codes: CodeIssuer,
        rules: ScanKeyRules,
        store: Store,
        clock: Clock,
        new_token: Callable[[], str],
    ) -> None:
        self._retailer = retailer
        self._codes = codes
        self._rules = rules
        self._store = store
        self._clock = clock
        self._new_token = new_token

    async def identity_key(self, kind: Kind) -> str:
        """Return a fresh key in Base64. Raises NotThere if the retailer has no shopper of that kind."""
        if kind is Kind.DEBT_AFTER_TRIP:
            await self._store.transact(clear_debts, self._shopper(kind), self._clock())
        return to_identity_key(await (self._badge(kind) if kind in _BADGES else self._code(kind)))

    async def _code(self, kind: Kind) -> str:
        now = self._clock()
        if kind is Kind.UNKNOWN:
            return encode(ScanKey(self._rules.prefix, now, self._new_token()), self._rules)
        issued_at = LONG_AGO if kind is Kind.EXPIRED else now
        used_by = f"minted-{secrets.token_hex(8)}" if kind is Kind.USED else ""
        return await self._codes.issue(self._shopper(kind), issued_at, used_by)

    async def _badge(self, kind: Kind) -> str:
        badge = Badge(f"badge-{secrets.token_hex(8)}", self._shopper(kind), *_BADGES[kind])
        await self._store.transact(lambda records: records.save_badge(badge))
        return badge.id

    def _shopper(self, kind: Kind) -> str:
        wanted, retailer = (_TYPES.get(kind, "SHOPPER"), _TROUBLES.get(kind)), self._retailer.current
        for shopper_id, account in retailer.accounts.items():
            if (account.visitor.type, trouble_of(account, retailer.policy)) == wanted:
                return shopper_id
        raise NotThere(f"the retailer files have no account for a key of the kind {kind}")
