"""Makes fresh keys for test suites; available only if the setting `app_test_keys` is on."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum

from contract.house import ScanKeyRules
from contract.scan_key import ScanKey, encode, to_identity_key
from reference_connector.errors import NotThere
from reference_connector.mobile_app.codes import CodeIssuer
from reference_connector.retailer import CurrentRetailer
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


class Mint:
    """Makes identity keys of a given kind."""

    def __init__(
        self,
        retailer: CurrentRetailer,
        codes: CodeIssuer,
        rules: ScanKeyRules,
        clock: Clock,
        new_token: Callable[[], str],
    ) -> None:
        self._retailer = retailer
        self._codes = codes
        self._rules = rules
        self._clock = clock
        self._new_token = new_token

    async def identity_key(self, kind: Kind) -> str:
        """Return a fresh key in Base64. Raises NotThere if the retailer has no shopper of that kind."""
        return to_identity_key(await self._code(kind))

    async def _code(self, kind: Kind) -> str:
        now = self._clock()
        if kind is Kind.UNKNOWN:
            return encode(ScanKey(self._rules.prefix, now, self._new_token()), self._rules)
        issued_at = LONG_AGO if kind is Kind.EXPIRED else now
        used_by = f"minted-{secrets.token_hex(8)}" if kind is Kind.USED else ""
        return await self._codes.issue(self._shopper(kind), issued_at, used_by)

    def _shopper(self, kind: Kind) -> str:
        wanted = kind.upper() if kind in {Kind.ASSOCIATE, Kind.CASH_SHOPPER} else "SHOPPER"
        for shopper_id, account in self._retailer.current.accounts.items():
            if account.visitor.type == wanted and account.flagged == (kind is Kind.REFUSED):
                return shopper_id
        raise NotThere(f"the retailer files have no account for a key of the kind {kind}")
