"""The payment outbox: takes the steps of charges, pre-authorisations, refunds and payments of debts, after the answer.

A charge enters the outbox in the same transaction as its purchase, so neither exists without the other. Each call to
the provider has an idempotency key, which is made of the trip, the authEvent or the refund. After a crash any node
repeats the call with the same key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any

from reference_connector.errors import (
    PaymentDeclined,
    PaymentImpossible,
    PaymentPending,
    PaymentUnclear,
    StoreError,
)
from reference_connector.payments.amazon import AmazonSteps
from reference_connector.payments.matching import match_charge, release_uncollected
from reference_connector.payments.provider import PaymentProvider
from reference_connector.payments.steps import Row, Steps, refused, stuck
from reference_connector.platform_calls.caller import PlatformCaller
from reference_connector.settings import Payments
from reference_connector.store import AT_AMAZON, Authorisation, Charge, Records, Store, Transfer
from reference_connector.store.leases import Leased
from reference_connector.telemetry import Clock, EventLog

_NO_ANSWER = "no_answer"
_MOST_DOUBLINGS = 30
_SHARE_OF_LEASE = 0.9
"""A call ends before its lease, so that its result is saved."""


class PaymentOutbox:
    """Takes steps until it is stopped. Several outboxes may share a store, as each one leases the rows it works on.

    A call may be sent to the provider twice: after a crash, or if the clocks of two nodes differ by more than the lease
    minus the time of a call. Both calls have the same key, so the provider acts once.
    """

    def __init__(
        self,
        *,
        store: Store,
        provider: PaymentProvider,
        platform: PlatformCaller,
        rules: Payments,
        owner: str,
        clock: Clock,
        log: EventLog,
    ) -> None:
        self._store = store
        self._steps = Steps(provider, rules, clock)
        self._amazon = AmazonSteps(platform, log, shows_card=rules.shows_card)
        self._rules = rules
        self._call_s = min(rules.call_s, _SHARE_OF_LEASE * rules.lease_s or rules.call_s)
        self._owner = owner
        self._clock = clock
        self._log = log
        self._wakeup = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Wake `run`: there is new work."""
        self._wakeup.set()

    def stop(self) -> None:
        """End `run` once the current batch has taken its step."""
        self._stopping = True
        self._wakeup.set()

    async def run(self) -> None:
        """Repeat: take a step of each row that is due. If none is, wait for `wake` or for `poll_s` seconds."""
        while not self._stopping:
            self._wakeup.clear()
            try:
                worked = await self.settle_due()
            except StoreError as error:
                self._log.event("outbox_waits", code=error.code)
                worked = 0
            except Exception as error:  # noqa: BLE001 - without this task, no later payment would be made
                self._log.event("outbox_waits", code=type(error).__name__)
                worked = 0
            if not worked and not self._stopping:
                await _first_of(self._wakeup.wait(), self._rules.poll_s)

    async def settle_due(self) -> int:
        """Take one step of each row of a batch; return how many rows that were.

        All steps end before the first error of one of them is raised, so that no step runs beside a later batch.
        """
        now = self._clock()
        until = now + timedelta(seconds=self._rules.lease_s)
        count, rows = await self._store.transact(self._take, now, until)
        ended = await asyncio.gather(*(self._settle(row) for row in rows), return_exceptions=True)
        for failure in filter(None, ended):
            raise failure
        return count

    def _take(self, records: Records, now: datetime, until: datetime) -> tuple[int, list[Any]]:
        """Lease a batch. Return its size, and the rows that wait for the provider.

        A step that needs no call is taken at once: a charge finds its pre-authorisation, and one that is held for too
        long is to be released.
        """
        rows: list[Any] = []
        count = 0
        for table in (records.charges, records.authorisations, records.transfers):
            taken: list[Any] = table.take(self._owner, now=now, lease_until=until, limit=self._rules.batch)
            count += len(taken)
            rows += [row for row in taken if not self._needs_no_call(records, row, now)]
        return count, rows

    def _needs_no_call(self, records: Records, row: Any, now: datetime) -> bool:  # noqa: ANN401 - any row
        """Take a step that needs no call, and return True; return False if the step needs one."""
        if isinstance(row, Charge) and row.state == "matching":
            wait = timedelta(seconds=max(self._rules.backoff_first_s, 0.05))
            records.charges.update(match_charge(records, row, now, wait), self._owner)
            return True
        if isinstance(row, Authorisation) and row.state == "held":
            expired = row._replace(state="releasing", trouble="expired")
            records.authorisations.update(expired, self._owner)
            return True
        return False

    async def _settle(self, row: Row) -> None:
        done = await self._attempt(row)
        kept = await self._store.transact(self._keep, done)
        trouble = {"trouble": done.trouble} if done.trouble else {}
        kind = type(row).__name__.lower()
        self._log.event("payment_step", kind=kind, id=row[0], did=row.state, state=done.state, kept=kept, **trouble)

    def _keep(self, records: Records, row: Row) -> bool:
        """Save the row. The same transaction ends a debt that is paid, and releases what a charge does not collect."""
        table: Leased[Any] = _table_of(records, row)
        kept = table.update(row, self._owner)
        if kept and isinstance(row, Charge) and row.state in {"collecting", "declined"}:
            release_uncollected(records, row, self._clock())
        if kept and isinstance(row, Transfer) and (row.kind, row.state) == ("settle", "done"):
            charge = records.charges.find(row.trip_id)
            if charge is not None:
                records.charges.replace(charge._replace(state="captured", captured=charge.amount, trouble=""))
        return kept

    async def _attempt(self, row: Row) -> Row:
        try:
            async with asyncio.timeout(self._call_s):
                return await self._next(row)
        except (PaymentDeclined, PaymentImpossible) as refusal:
            is_money = isinstance(refusal, PaymentDeclined)
            return refused(row, refusal.code) if is_money else stuck(row._replace(trouble=refusal.code))
        except PaymentPending as pending:
            is_over = row.state == "adjusting" and row.attempts + 1 >= self._rules.adjust_attempts_max
            return refused(row, pending.code) if is_over else self._again(row, pending.code)
        except PaymentUnclear as trouble:
            return self._again(row, trouble.code, trouble.retry_after_s)
        except TimeoutError:
            return self._again(row, _NO_ANSWER)
        except Exception as error:  # noqa: BLE001 - a retailer's provider may raise any error, and the outbox must continue
            self._log.event("provider_failed", id=row[0], reason=type(error).__name__)
            return self._again(row, PaymentUnclear.code)

    async def _next(self, row: Row) -> Row:
        if row.state in AT_AMAZON:
            return await self._amazon.next(row)
        return await self._steps.next(row)

    def _again(self, row: Row, trouble: str, pause_s: float = 0) -> Row:
        """Return the state of a row that is due again after a pause, or that is stuck after too many attempts.

        A total that Amazon's issuer has not decided on is asked for until it is decided.
        """
        is_amazons = row.state in AT_AMAZON
        is_undecided = is_amazons and trouble == PaymentPending.code
        was_undecided = is_amazons and row.trouble == PaymentPending.code
        attempts = row.attempts + 1 if is_undecided == was_undecided else 1
        if attempts >= self._rules.attempts_max and not is_undecided:
            return stuck(row._replace(attempts=attempts, trouble=trouble))
        pause = max(backoff(self._rules, attempts), timedelta(seconds=pause_s))
        return row._replace(attempts=attempts, due_at=self._clock() + pause, trouble=trouble)


def backoff(rules: Payments, attempts: int) -> timedelta:
    """Return the pause after a number of attempts that gave no result."""
    doublings = min(attempts - 1, _MOST_DOUBLINGS)
    return timedelta(seconds=min(rules.backoff_first_s * 2**doublings, rules.backoff_max_s))


def _table_of(records: Records, row: Charge | Authorisation | Transfer) -> Leased[Any]:
    if isinstance(row, Charge):
        return records.charges
    return records.authorisations if isinstance(row, Authorisation) else records.transfers


async def _first_of(wakeup: Awaitable[object], wait_s: float) -> None:
    try:
        await asyncio.wait_for(wakeup, wait_s)
    except TimeoutError:
        return
