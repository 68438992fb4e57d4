"""One event, one answer: the claim on an idempotency key and its effects are one unit of work.

Duplicates that arrive at the same moment need nothing more, since units of work never overlap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from reference_connector.store import Recorded, Records, Scope


class Answer(NamedTuple):
    """A status and the JSON body that goes with it."""

    status: int
    body: bytes


class Claim(NamedTuple):
    """A wish to handle one event. `fingerprint` tells a repetition from a changed request under the same key."""

    scope: Scope
    key: str
    fingerprint: str
    now: datetime
    forget_at: datetime | None
    remembered_statuses: tuple[int, ...]


class Outcome(NamedTuple):
    """The answer; whether it was given before, and whether the request was another one then."""

    answer: Answer
    replayed: bool = False
    changed: bool = False


def json_answer(status: int, body: object) -> Answer:
    """Make an answer from a JSON value."""
    return Answer(status, orjson.dumps(body))


def fingerprint(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a hash that is equal for equal JSON values, whatever the order of members."""
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()


def answer_once(records: Records, claim: Claim, decide: Callable[[Records], Answer]) -> Outcome:
    """Repeat the remembered answer, or decide and remember; to be called within one unit of work."""
    recorded = records.find_answer(claim.scope, claim.key, claim.now)
    if recorded is not None:
        changed = recorded.fingerprint != claim.fingerprint
        return Outcome(Answer(recorded.status, recorded.body), replayed=True, changed=changed)
    answer = decide(records)
    if answer.status in claim.remembered_statuses:
        kept = Recorded(answer.status, answer.body, claim.fingerprint)
        records.save_answer(claim.scope, claim.key, kept, now=claim.now, forget_at=claim.forget_at)
    return Outcome(answer)
