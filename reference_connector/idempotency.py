"""One event, one answer. A key is ABSENT, CLAIMED by somebody who works on its answer, or DONE.

`answer_once` goes from ABSENT to DONE with the effect in one unit of work: duplicates at the same moment need nothing
more, since units of work never overlap. `keep_first` does so where the answer is known before. `LeasedAnswers` is for
decisions that ask others first, and so take longer than a transaction may: it claims, asks, and then keeps answer and
effect together.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson

from reference_connector.errors import StillClaimed
from reference_connector.store import (
    CLAIMED,
    NewAnswer,
    Recorded,
    Records,
    Scope,
    Store,
    Together,
    keep_answers,
    run_works,
)
from reference_connector.telemetry import Clock

_LOOK_AGAIN_S = 0.01


class Answer(NamedTuple):
    """A status, the JSON body that goes with it, and what was decided in a word, for the metrics."""

    status: int
    body: bytes
    code: str = ""


class Pending(NamedTuple):
    """An answer that may not leave before a job is done; `word` makes it of the job's result."""

    together: Together
    entry: Any
    word: Callable[[Any], Answer]


class Claim(NamedTuple):
    """A wish to handle one event. `fingerprint` tells a repetition from a changed request under the same key."""

    scope: Scope
    key: str
    fingerprint: bytes
    now: datetime
    forget_at: datetime
    remembered_statuses: tuple[int, ...]


class Outcome(NamedTuple):
    """The answer; whether it was given before, and whether the request was another one then."""

    answer: Answer
    replayed: bool = False
    changed: bool = False


def json_answer(status: int, body: object) -> Answer:
    """Make an answer from a JSON value."""
    return Answer(status, orjson.dumps(body))


def fingerprint(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return a hash that is equal for equal JSON values, whatever the order of members."""
    return hashlib.blake2b(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def answer_once(records: Records, claim: Claim, decide: Callable[[Records], Answer]) -> Outcome:
    """Repeat the remembered answer, or decide and remember; to be called within one unit of work."""
    recorded = records.find_answer(claim.scope, claim.key, claim.now)
    if recorded is not None and recorded.status != CLAIMED:
        return _repeated(recorded, claim.fingerprint)
    answer = decide(records)
    _remember(records, claim, answer)
    return Outcome(answer)


def keep_first(new: NewAnswer, answer: Answer, word: Callable[[Outcome], Answer]) -> Pending:
    """Repeat the remembered answer, or remember this one, which needed no look at the records."""
    return Pending(
        keep_answers,
        new,
        lambda earlier: word(Outcome(answer) if earlier is None else _repeated(earlier, new.fingerprint)),
    )


def decide_once(claim: Claim, decide: Callable[[Records], Answer], word: Callable[[Outcome], Answer]) -> Pending:
    """Repeat the remembered answer, or decide with a look at the records, and remember."""
    return Pending(run_works, lambda records: answer_once(records, claim, decide), word)


def _repeated(recorded: Recorded, mark: bytes) -> Outcome:
    changed = recorded.fingerprint != mark
    return Outcome(Answer(recorded.status, recorded.body, "replayed"), replayed=True, changed=changed)


def _remember(records: Records, claim: Claim, answer: Answer) -> None:
    if answer.status in claim.remembered_statuses:
        kept = Recorded(answer.status, answer.body, claim.fingerprint)
        records.save_answer(claim.scope, claim.key, kept, now=claim.now, forget_at=claim.forget_at)


class LeasedAnswers:
    """Answers once where the decision is slow. A claim is good for `lease_s`; after that another may take it over."""

    def __init__(
        self, store: Store, clock: Clock, new_owner: Callable[[], str], *, lease_s: float, budget_s: float
    ) -> None:
        self._store = store
        self._clock = clock
        self._new_owner = new_owner
        self._lease = timedelta(seconds=lease_s)
        self._budget_s = budget_s

    async def answer(self, claim: Claim, decide: Callable[[], Awaitable[Answer]]) -> Outcome:
        """Repeat the answer, wait for who works on it, or decide; StillClaimed when the wait is over the budget.

        When deciding fails, or is over the budget, the claim is given back, and the error goes to the caller: a 5xx
        is never the answer.
        """
        owner, end = self._new_owner(), asyncio.get_running_loop().time() + self._budget_s
        try:
            async with asyncio.timeout_at(end):
                found = await self._claim(claim, owner)
        except TimeoutError as error:
            raise StillClaimed("the same event is being handled still") from error
        if found is not None:
            return found
        try:
            async with asyncio.timeout_at(end):
                answer = await decide()
        except BaseException:
            await self._store.transact(lambda records: _give_back(records, claim, owner, self._clock()))
            raise
        return await self._store.transact(lambda records: _finish(records, claim, owner, answer, self._clock()))

    async def _claim(self, claim: Claim, owner: str) -> Outcome | None:
        while True:
            now = self._clock()
            state = await self._store.transact(lambda records, now=now: self._take(records, claim, owner, now))  # type: ignore[misc] # bound at once
            if state != "CLAIMED":
                return state if isinstance(state, Outcome) else None
            await asyncio.sleep(_LOOK_AGAIN_S)

    def _take(self, records: Records, claim: Claim, owner: str, now: datetime) -> Outcome | str:
        recorded = records.find_answer(claim.scope, claim.key, now)
        if recorded is not None and recorded.status != CLAIMED:
            return _repeated(recorded, claim.fingerprint)
        if recorded is not None and recorded.lease_until is not None and recorded.lease_until > now:
            return "CLAIMED"
        mine = Recorded(CLAIMED, b"", claim.fingerprint, owner, now + self._lease)
        records.save_answer(claim.scope, claim.key, mine, now=now, forget_at=claim.forget_at)
        return "MINE"


def _give_back(records: Records, claim: Claim, owner: str, now: datetime) -> None:
    recorded = records.find_answer(claim.scope, claim.key, now)
    if recorded is not None and recorded.owner == owner:
        records.drop_answer(claim.scope, claim.key)


def _finish(records: Records, claim: Claim, owner: str, answer: Answer, now: datetime) -> Outcome:
    """Keep the answer, unless the lease was lost to somebody who has kept theirs already: then theirs is the answer."""
    recorded = records.find_answer(claim.scope, claim.key, now)
    if recorded is not None and recorded.status != CLAIMED:
        return _repeated(recorded, claim.fingerprint)
    if answer.status in claim.remembered_statuses:
        _remember(records, claim, answer)
    elif recorded is not None and recorded.owner == owner:
        records.drop_answer(claim.scope, claim.key)
    return Outcome(answer)
