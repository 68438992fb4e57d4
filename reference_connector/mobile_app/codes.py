"""Issues Scan Key Codes after the published checks: payment card, its expiry, fraud threshold.

A flagged account still gets a code, since the gate refuses it.
"""

from __future__ import annotations

from datetime import datetime

from reference_connector.accounts import check_account
from reference_connector.errors import CodeDenied
from reference_connector.retailer import CurrentRetailer
from reference_connector.scan_keys import ScanKeys, owes_too_much
from reference_connector.store import Store
from reference_connector.telemetry import Clock


class CodeIssuer:
    """Issues codes; each one is recorded before the app gets it."""

    def __init__(self, retailer: CurrentRetailer, store: Store, scan_keys: ScanKeys, clock: Clock) -> None:
        self._retailer = retailer
        self._store = store
        self._scan_keys = scan_keys
        self._clock = clock

    async def code_for(self, shopper_id: str, issued_at: datetime | None = None) -> str:
        """Return a fresh code, the text of the QR symbol. Raises CodeDenied if a check fails."""
        retailer = self._retailer.current
        account = retailer.accounts.get(shopper_id)
        if account is None:
            raise CodeDenied("the account is not known", code="unknown_account")
        check_account(account, retailer.policy, self._clock())
        debt = await self._store.transact(lambda records: records.debt_of(account.visitor.id))
        if owes_too_much(account, debt, retailer.policy):
            raise CodeDenied(
                "a bill is not paid; pay it here if it is listed below, or ask the store", code="open_balance"
            )
        return await self.issue(shopper_id, issued_at or self._clock())

    async def issue(self, shopper_id: str, issued_at: datetime, used_by: str = "") -> str:
        """Issue a code without any check. With `used_by`, the id of an authEvent, the code counts as used."""
        text, code = self._scan_keys.make(shopper_id, issued_at)
        record = code._replace(used_by=used_by)
        await self._store.transact(lambda records: records.save_code(record))
        return text
