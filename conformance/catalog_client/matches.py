"""Matches over a job: each returns what is wrong with what the platform saw, or None.

Where it saw nothing of the matter, nothing is judged: NotDeclared.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from conformance.catalog_client.jobs import MOST_ITEMS, Job
from conformance.catalog_client.rows import key_of, listed, lost
from conformance.catalog_client.seen import Call
from conformance.errors import NotDeclared
from conformance.match import Mismatch
from contract.profile import CatalogClientTable

Match = Callable[[Job], Mismatch | None]
_TOO_MANY_ITEMS = re.compile(r"(\d+) items in one request")
_FORBIDDEN, _THROTTLED, _FAILED = 403, 429, 500
_TOLERANCE_S = 0.05
"""By so much two clocks may count a second differently."""


def signed(job: Job) -> Mismatch | None:
    """Match when no call was refused for who signed it, or how."""
    refused = [call for call in _api_calls(job) if call.status == _FORBIDDEN]
    return _none_of(refused, "each call signed for execute-api with the account's key and session token", job)


def understood(job: Job) -> Mismatch | None:
    """Match when the platform found no fault with any call; too many items are another rule."""
    wrong = [call for call in _admitted(job) if 400 <= call.status < 500 and not _has_too_many(call)]  # noqa: PLR2004 - the 4xx
    refused = [call for call in wrong if call.status != _THROTTLED]
    return _none_of(refused, "calls that the platform understands", job)


def typed_as_json(job: Job) -> Mismatch | None:
    """Match when each call says that its body is JSON."""
    for call in _api_calls(job):
        named = {name.lower(): value for name, value in call.exchange.headers.items()}
        kind = named.get("content-type", "no Content-Type")
        if kind.partition(";")[0].strip().lower() != "application/json":
            return Mismatch("Content-Type: application/json", f"{kind}, at {call.exchange.operation.name}")
    return None


def split(job: Job) -> Mismatch | None:
    """Match when no upload has more items than it may have."""
    too_large = [call for call in _admitted(job) if _has_too_many(call)]
    return _none_of(too_large, f"at most {MOST_ITEMS} items an upload", job)


def complete(job: Job) -> Mismatch | None:
    """Match when the platform holds every row of the file that is right."""
    mismatch = lost(job.wanted, job.held)
    return mismatch and Mismatch(mismatch.expected, f"{mismatch.got}; {job.ended.in_short()}")


def nothing_else(job: Job) -> Mismatch | None:
    """Match when the platform holds no row that the file does not have."""
    _needs_an_upload(job)
    known = {key_of(row) for row in job.rows}
    more = listed("not in the file", [key_of(item) for item in job.held if key_of(item) not in known])
    return Mismatch("rows of the file only", more) if more else None


def once(job: Job) -> Mismatch | None:
    """Match when no row went up in two accepted uploads."""
    _needs_an_upload(job)
    uploaded = Counter(key_of(row) for rows in job.reports.values() for row in rows)
    twice = listed("in several", [key for key, count in uploaded.items() if count > 1])
    return Mismatch("each row in one upload", twice) if twice else None


def within_rate(job: Job) -> Mismatch | None:
    """Match when the client never came so often that it had to be turned away."""
    calls = _admitted(job)
    refused = [call for call in calls if call.status == _THROTTLED]
    if not refused:
        return None
    name = refused[0].exchange.operation.name
    most = most_in_a_second([call for call in calls if call.exchange.operation.name == name])
    expected = "10 calls a second, and no call answered 429 where a burst of 10 is let in"
    return Mismatch(expected, f"{most} calls of {name} within a second; {len(refused)} answered 429")


def subscribed(job: Job) -> Mismatch | None:
    """Match when the subscription was confirmed; nothing is judged where the client never looked into its queue."""
    if job.subscription == "Complete":
        return None
    if not job.invitation_was_taken:
        raise NotDeclared("the client does not read its queue; it may follow its uploads by status calls alone")
    return Mismatch(
        "the SubscribeURL of the SubscriptionConfirmation fetched",
        f"the message was taken from the queue, and the subscription is {job.subscription}; {job.ended.in_short()}",
    )


def followed(job: Job) -> Mismatch | None:
    """Match when the client fetched the report of every upload that was taken."""
    taken = [call.ingestion for call in _api_calls(job) if call.is_upload and call.accepted]
    read = {call.ingestion for call in job.calls if call.is_report and call.accepted}
    unread = [each for each in taken if each not in read]
    if taken and not unread:
        return None
    got = f"{len(unread)} of {len(taken)} not fetched" if taken else "no upload was taken"
    return Mismatch("the report of each upload fetched", f"{got}; {job.ended.in_short()}")


def followed_by_queue(job: Job) -> Mismatch | None:
    """As `followed`, where the client confirmed its subscription, so that notifications reach it."""
    if job.subscription != "Complete":
        raise NotDeclared("the client has not confirmed its subscription, so no notification reaches it")
    return followed(job)


def ended(job: Job) -> Mismatch | None:
    """Match when the client came to an end by itself."""
    _api_calls(job)
    if job.ended.code is not None:
        return None
    return Mismatch("a client that ends when its work is done", job.ended.in_short())


def ended_after_failure(job: Job) -> Mismatch | None:
    """Match when the client came to an end though its ingestion did not succeed."""
    _needs_an_upload(job)
    return ended(job)


def tried_again(job: Job) -> Mismatch | None:
    """Match when the upload that was turned away came again and was taken."""
    refused = _refused(job)
    if any(call.accepted for call in _repeats(job, refused)):
        return None
    return Mismatch(f"the upload again after {refused.status}", f"it never was taken; {job.ended.in_short()}")


def waited(job: Job) -> Mismatch | None:
    """Match when the upload came again no sooner than the answer asked for."""
    refused = _refused(job)
    repeats = _repeats(job, refused)
    if not repeats:
        raise NotDeclared("the upload was not tried again, which is another rule")
    assert refused.exchange.answer is not None
    asked = {name.lower(): value for name, value in refused.exchange.answer.headers.items()}.get("retry-after")
    if asked is None:
        raise NotDeclared("the platform asked for no pause, as [house.catalog] retry_after_s says")
    after_s = repeats[0].arrived_s - refused.answered_s
    if after_s >= float(asked) - _TOLERANCE_S:
        return None
    return Mismatch(f"the next attempt {asked} s after the {refused.status}, as Retry-After says", f"{after_s:.2f} s")


def given_up(job: Job) -> Mismatch | None:
    """Match when the upload that failed for good was not sent again."""
    refused = _refused(job)
    repeats = _repeats(job, refused)
    return Mismatch("no other attempt", f"{len(repeats)} more") if repeats else None


def tells(table: CatalogClientTable) -> Match:
    """Make the match that the client tells of a rejected row, in the way that the profile declares."""

    def match(job: Job) -> Mismatch | None:
        if not table.tells_rejected:
            raise NotDeclared("[catalog_client] tells_rejected is not declared: how the client tells of a rejected row")
        sku = job.rejected[0]["item_sku"]
        if table.tells_rejected == "exit_code":
            return None if job.ended.code else Mismatch(f"another exit code than 0, for {sku}", job.ended.in_short())
        return None if sku in job.ended.output else Mismatch(f"{sku} in the output", job.ended.in_short())

    return match


def most_in_a_second(calls: Sequence[Call]) -> int:
    """Count the most calls that arrived within one second."""
    moments = [call.arrived_s for call in calls]
    return max((sum(start <= each < start + 1 for each in moments) for start in moments), default=0)


def _api_calls(job: Job) -> list[Call]:
    """Return the calls of the catalog API; nothing can be judged by none."""
    calls = [call for call in job.calls if call.is_api]
    if not calls:
        raise NotDeclared(f"the platform saw no call of the client: {job.ended.in_short()}")
    return calls


def _admitted(job: Job) -> list[Call]:
    """Return the calls whose signature was accepted: nobody looked at the others any further."""
    calls = [call for call in _api_calls(job) if call.status != _FORBIDDEN]
    if not calls:
        raise NotDeclared("no call of the client was admitted, so nothing in them was looked at")
    return calls


def _needs_an_upload(job: Job) -> None:
    """Make sure that something went up; a client that uploads nothing is right about nothing."""
    if not any(call.is_upload and call.accepted for call in _admitted(job)):
        raise NotDeclared(f"no upload was taken: {job.ended.in_short()}")


def _refused(job: Job) -> Call:
    """Return the upload that was turned away on purpose."""
    found = [call for call in job.calls if call.is_upload and call.status in {_THROTTLED, _FAILED}]
    if not found:
        raise NotDeclared(f"the client made no upload that could be turned away: {job.ended.in_short()}")
    return found[0]


def _repeats(job: Job, refused: Call) -> list[Call]:
    return [
        call
        for call in job.calls
        if call.is_upload and call.arrived_s > refused.arrived_s and _same(call.content, refused.content)
    ]


def _same(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON
    return bool(one == other)


def _has_too_many(call: Call) -> bool:
    said = call.exchange.answer.json() if call.is_upload and call.exchange.answer else None
    return bool(said and _TOO_MANY_ITEMS.search(str(said.get("errorMsg", ""))))


def _none_of(calls: Sequence[Call], expected: str, job: Job) -> Mismatch | None:
    if not calls:
        return None
    first = f"{calls[0].exchange.operation.name} answered {calls[0].exchange.in_short()}"
    return Mismatch(expected, f"{len(calls)} of {len(job.calls)} calls refused; the first: {first}")
