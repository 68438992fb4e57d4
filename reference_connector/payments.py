"""Payment, after the answer: who pays for a purchase, and the outbox that authorises and captures.

A charge enters the outbox in the same transaction as its purchase, so neither exists without the other. Each call to
the provider carries an idempotency key, which is made of the trip. After a crash the outbox repeats the call with the
same key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Literal, Protocol

from reference_connector.errors import PaymentDeclined, PaymentUnclear, StoreError
from reference_connector.settings import Payments
from reference_connector.store import Charge, Records, Store
from reference_connector.telemetry import Clock, EventLog

Payer = Literal["card", "cash", "staff", "platform", "nobody"]
"""card: the connector charges the account's card. cash: the shopper pays at the till. staff: an associate's trip, which
costs nothing. platform: the shopper entered with a card that only the platform knows. The last one: an empty cart."""


class PaymentProvider(Protocol):
    """The retailer's payment provider. A repeated call with the same key has no effect, and gets the first result.

    The outbox treats any other error as PaymentUnclear, and logs its type.
    """

    async def authorise(self, key: str, charge: Charge) -> str:
        """Reserve the amount and return the provider's reference.

        Raises PaymentDeclined if the provider refuses, and PaymentUnclear if the result is unknown.
        """

    async def capture(self, key: str, charge: Charge) -> None:
        """Collect the amount that `charge.reference` reserved; raises as `authorise` does."""


def payer_of(scan_types: list[str], payload_types: list[str], shopper_id: str) -> Payer:
    """Return who pays for a trip: the first person that entered decides."""
    first = scan_types[0] if scan_types else ""
    if first == "ASSOCIATE":
        return "staff"
    if first in {"CASH", "CASH_SHOPPER"}:
        return "cash"
    if payload_types[:1] == ["FINANCIAL"] or not shopper_id:
        return "platform"
    return "card"


class PaymentOutbox:
    """Settles charges until it is stopped. Several outboxes may share a store, as each one leases what it settles.

    A charge may be sent to the provider twice: after a crash, or if the clocks of two nodes differ by more than the
    lease minus the time of a call. Both calls have the same key, so the provider collects the amount once.
    """

    def __init__(
        self, *, store: Store, provider: PaymentProvider, rules: Payments, owner: str, clock: Clock, log: EventLog
    ) -> None:
        self._store = store
        self._provider = provider
        self._rules = rules
        self._owner = owner
        self._clock = clock
        self._log = log
        self._wakeup = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Wake `run`: there is a new charge."""
        self._wakeup.set()

    def stop(self) -> None:
        """End `run` once the current batch is settled."""
        self._stopping = True
        self._wakeup.set()

    async def run(self) -> None:
        """Repeat: settle the charges that are due, then wait for `wake` or for `poll_s` seconds."""
        while not self._stopping:
            self._wakeup.clear()
            try:
                settled = await self.settle_due()
            except StoreError as error:
                self._log.event("outbox_waits", code=error.code)
                settled = 0
            if settled < self._rules.batch and not self._stopping:
                await _first_of(self._wakeup.wait(), self._rules.poll_s)

    async def settle_due(self) -> int:
        """Settle one batch and return its size."""
        now = self._clock()
        until = now + timedelta(seconds=self._rules.lease_s)
        charges = await self._store.transact(self._take, now, until)
        await asyncio.gather(*(self._settle(charge) for charge in charges))
        return len(charges)

    def _take(self, records: Records, now: datetime, until: datetime) -> list[Charge]:
        return records.take_charges(self._owner, now=now, lease_until=until, limit=self._rules.batch)

    async def _settle(self, charge: Charge) -> None:
        settled = await self._attempt(charge)
        kept = await self._store.transact(lambda records: records.update_charge(settled, self._owner))
        self._log.event("charge_settled", shoppingTripId=charge.trip_id, state=settled.state, kept=kept)

    async def _attempt(self, charge: Charge) -> Charge:
        try:
            if charge.state == "pending":
                reference = await self._provider.authorise(f"{charge.trip_id}:authorise", charge)
                charge = charge._replace(state="authorised", reference=reference)
            await self._provider.capture(f"{charge.trip_id}:capture", charge)
        except PaymentDeclined as refusal:
            return charge._replace(state="declined", trouble=refusal.code)
        except PaymentUnclear as trouble:
            return self._again(charge, trouble.code)
        except Exception as error:  # noqa: BLE001 - a retailer's provider may raise any error, and the outbox must continue
            self._log.event("provider_failed", shoppingTripId=charge.trip_id, reason=type(error).__name__)
            return self._again(charge, PaymentUnclear.code)
        return charge._replace(state="captured", trouble="")

    def _again(self, charge: Charge, trouble: str) -> Charge:
        attempts = charge.attempts + 1
        if attempts >= self._rules.attempts_max:
            return charge._replace(state="stuck", attempts=attempts, trouble=trouble)
        wait_s = min(self._rules.backoff_first_s * 2 ** (attempts - 1), self._rules.backoff_max_s)
        due_at = self._clock() + timedelta(seconds=wait_s)
        return charge._replace(attempts=attempts, due_at=due_at, trouble=trouble)


async def _first_of(wakeup: Awaitable[object], wait_s: float) -> None:
    try:
        await asyncio.wait_for(wakeup, wait_s)
    except TimeoutError:
        return
