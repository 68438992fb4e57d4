"""One event, one answer: repeats a remembered answer, and answers once where a decision is slow.

The key of an event has no answer yet, has an answer, or is claimed by a worker that decides on the answer.

- A decision that needs no records: decide, then `store.insert_answer_if_absent`. The insert finds an earlier answer.
  `identity.py` does so for fixture keys.
- A decision that needs records: look up, decide and remember in one unit of work (`store.transact`). Nothing else
  writes meanwhile, so duplicates at the same moment need nothing more. `identity.py` does so for all other keys, and
  `loyalty.py` for each scan.
- A decision that asks other systems takes longer than a transaction may. `LeasedAnswers` claims the event, asks, and
  then remembers the answer. `shopper_auth.py` alone does so.

A cart needs none of these: the purchase of its trip is the remembered answer, see `orders.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple

from reference_connector.errors import StillClaimed, StoreError
from reference_connector.messages import Answer
from reference_connector.store import CLAIMED, Records, RememberAnswer, RememberedAnswer, Scope, Store
from reference_connector.telemetry import Clock

_POLL_S = 0.01
_WITHDRAWAL_S = 0.1


class Attempt(NamedTuple):
    """An attempt to process one event.

    `request_hash` distinguishes a repeated request from another request with the same key. `RememberAnswer` begins with
    the same members in the same order, so `RememberAnswer(*attempt, status=…, body=…)` is the command to remember.
    """

    scope: Scope
    key: str
    request_hash: bytes
    now: datetime
    forget_at: datetime

    def repeat(self, earlier: RememberedAnswer) -> Outcome:
        """Make the outcome of a repeated event: the earlier answer."""
        changed = earlier.request_hash != self.request_hash
        return Outcome(Answer(earlier.status, earlier.body, "replayed"), replayed=True, changed=changed)


class Outcome(NamedTuple):
    """An answer. `replayed`: it was given before. `changed`: it was given to another request with the same key."""

    answer: Answer
    replayed: bool = False
    changed: bool = False


class LeasedAnswers:
    """Answers each event once, where a decision is slow. After `lease_s` another worker may take a claim over.

    One node writes a lease by its clock, and another node reads it by its own. If the clocks differ by more than the
    lease minus the time of a decision, both nodes decide. The first answer that is remembered is then the answer of
    both.
    """

    def __init__(
        self, store: Store, clock: Clock, new_owner: Callable[[], str], *, lease_s: float, budget_s: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_owner = new_owner
        self._lease = timedelta(seconds=lease_s)
        self._budget_s = budget_s

    async def answer(self, attempt: Attempt, decide: Callable[[], Awaitable[Answer]]) -> Outcome:
        """Repeat the answer, wait for the worker that decides on it, or decide.

        A 5xx is never remembered: whatever fails, the claim is withdrawn before the error is raised.
        Raises StillClaimed if the wait for a claim is over the budget, and TimeoutError if the decision is.
        """
        owner, end = self._new_owner(), asyncio.get_running_loop().time() + self._budget_s
        try:
            earlier = await self._answer_or_claim_before(end, attempt, owner)
            if earlier is not None:
                return attempt.repeat(earlier)
            async with asyncio.timeout_at(end):
                answer = await decide()
            return await self._store.transact(_finish, attempt, answer, self._clock())
        except BaseException:
            await self._withdraw(attempt, owner)
            raise

    async def _answer_or_claim_before(self, end: float, attempt: Attempt, owner: str) -> RememberedAnswer | None:
        """Do as `_answer_or_claim`. Raises StillClaimed at the time `end` of the event loop's clock."""
        try:
            async with asyncio.timeout_at(end):
                return await self._answer_or_claim(attempt, owner)
        except TimeoutError as error:
            raise StillClaimed("another call for the same event is still being decided") from error

    async def _withdraw(self, attempt: Attempt, owner: str) -> None:
        """Drop the owner's claim, if it has one.

        Units of work run in their order. So a claim that still waits for the writer is written first, and then dropped.
        The answer must not be late, so this waits for a short time only, and the writer may drop the claim later. If
        the database fails here as well, the claim ends with its lease.
        """
        with suppress(StoreError, TimeoutError):
            async with asyncio.timeout(_WITHDRAWAL_S):
                await self._store.transact(_drop_claim, attempt, owner, self._clock())

    async def _answer_or_claim(self, attempt: Attempt, owner: str) -> RememberedAnswer | None:
        """Return the answer of the event, or None once the event is claimed; wait while another worker holds it."""
        while True:
            now = self._clock()
            found = await self._store.transact(_claim, attempt, owner, now, now + self._lease)
            if found is None or found.status != CLAIMED:
                return found
            await asyncio.sleep(_POLL_S)


def _claim(
    records: Records, attempt: Attempt, owner: str, now: datetime, lease_until: datetime
) -> RememberedAnswer | None:
    """Claim the event and return None, or return its answer or the claim of another worker."""
    found = records.find_answer(attempt.scope, attempt.key, now)
    is_over = found is not None and found.status == CLAIMED and (found.lease_until is None or found.lease_until <= now)
    if found is not None and not is_over:
        return found
    claim = RememberAnswer(*attempt._replace(now=now), status=CLAIMED, body=b"")
    records.overwrite_answer(claim, owner=owner, lease_until=lease_until)
    return None


def _drop_claim(records: Records, attempt: Attempt, owner: str, now: datetime) -> None:
    """Drop the claim, unless it is another worker's or has become an answer."""
    found = records.find_answer(attempt.scope, attempt.key, now)
    if found is not None and found.owner == owner:
        records.drop_answer(attempt.scope, attempt.key)


def _finish(records: Records, attempt: Attempt, answer: Answer, now: datetime) -> Outcome:
    """Remember the answer. If another worker took the claim over and has remembered an answer, repeat that one."""
    found = records.find_answer(attempt.scope, attempt.key, now)
    if found is not None and found.status != CLAIMED:
        return attempt.repeat(found)
    records.overwrite_answer(RememberAnswer(*attempt, status=answer.status, body=answer.body))
    return Outcome(answer)
