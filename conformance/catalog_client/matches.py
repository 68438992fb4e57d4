"""Matches over a job: each returns a Mismatch if the client's calls break a rule, or None.

Raises NotDeclared if the platform saw no call that the rule is about.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from conformance.catalog_client.calls import Call
from conformance.catalog_client.jobs import MOST_ITEMS, Job
from conformance.catalog_client.mentions import mentions_of
from conformance.catalog_client.platform import FINAL
from conformance.catalog_client.rows import compare_catalogs, key_of, list_keys
from conformance.errors import NotDeclared
from conformance.match import Mismatch
from conformance.retailer_clients import call_matches
from conformance.retailer_clients.call_matches import (
    THROTTLED,
    admitted,
    api_calls,
    client_ended,
    match_none_refused,
    waited,
)
from jwo_contract.not_offered import QUEUE_UNREAD
from jwo_contract.profile import CatalogClientTable

Match = Callable[[Job], Mismatch | None]
_TOO_MANY_ITEMS = re.compile(r"(\d+) items in one request")
_FAILED = 500


def understood(job: Job) -> Mismatch | None:
    """Match when the platform refused no call as invalid; the number of items has a rule of its own."""
    wrong = [call for call in admitted(job) if 400 <= call.status < 500 and not _has_too_many(call)]  # noqa: PLR2004 - the 4xx
    refused = [call for call in wrong if call.status != THROTTLED]
    return match_none_refused(refused, "calls that the platform understands", job)


def within_item_limit(job: Job) -> Mismatch | None:
    """Match when no upload has more items than the limit."""
    too_large = [call for call in admitted(job) if _has_too_many(call)]
    return match_none_refused(too_large, f"at most {MOST_ITEMS} items an upload", job)


def holds_all_rows(job: Job) -> Mismatch | None:
    """Match when the platform stores every valid row of the file."""
    mismatch = compare_catalogs(job.valid_rows, job.stored_items)
    return mismatch and Mismatch(mismatch.expected, f"{mismatch.got}; {job.run.in_short()}")


def nothing_else(job: Job) -> Mismatch | None:
    """Match when the platform stores no row that is not in the file."""
    _require_an_upload(job)
    known = {key_of(row) for row in job.rows}
    extra = list_keys("not in the file", [key_of(item) for item in job.stored_items if key_of(item) not in known])
    return Mismatch("rows of the file only", extra) if extra else None


def uploaded_once(job: Job) -> Mismatch | None:
    """Match when no row is in two accepted uploads."""
    _require_an_upload(job)
    uploaded = Counter(key_of(row) for rows in job.reports.values() for row in rows)
    twice = list_keys("in several", [key for key, count in uploaded.items() if count > 1])
    return Mismatch("each row in one upload", twice) if twice else None


def within_rate(job: Job) -> Mismatch | None:
    """Match when the platform answered no call with 429."""
    calls = admitted(job)
    refused = [call for call in calls if call.status == THROTTLED]
    if not refused:
        return None
    name = refused[0].exchange.operation.name
    most = most_in_a_second([call for call in calls if call.exchange.operation.name == name])
    expected = "10 calls a second, and no call answered 429 where the limit admits a burst of 10"
    return Mismatch(expected, f"{most} calls of {name} within a second; {len(refused)} answered 429")


def subscribed(job: Job) -> Mismatch | None:
    """Match when the client confirmed its subscription. Raises NotDeclared if it never reads its queue."""
    if job.subscription == "Complete":
        return None
    if "SubscriptionConfirmation" in job.unread:
        raise NotDeclared(
            f"{QUEUE_UNREAD}; if it follows uploads by status calls alone, list catalog_queue in [suite] not_offered"
        )
    got = f"the client received the message from the queue, and the subscription is {job.subscription}"
    return Mismatch("the SubscribeURL of the SubscriptionConfirmation fetched", f"{got}; {job.run.in_short()}")


def fetched_reports(job: Job) -> Mismatch | None:
    """Match when the client fetched the report of every accepted upload."""
    accepted = [call.ingestion for call in api_calls(job) if call.is_upload and call.accepted]
    read = {call.ingestion for call in job.calls if call.is_report and call.accepted}
    unread = [each for each in accepted if each not in read]
    if accepted and not unread:
        return None
    got = f"{len(unread)} of {len(accepted)} not fetched" if accepted else "no upload was accepted"
    return Mismatch("the report of each upload fetched", f"{got}; {job.run.in_short()}")


def fetched_reports_with_queue(job: Job) -> Mismatch | None:
    """Match as `fetched_reports`. Raises NotDeclared if the client has not confirmed its subscription."""
    if job.subscription != "Complete":
        raise NotDeclared("the client has not confirmed its subscription, so no notification reaches it")
    return fetched_reports(job)


def client_ended_after_failure(job: Job) -> Mismatch | None:
    """Match when the client exited although its ingestion failed. Raises NotDeclared if it exited before it knew."""
    _require_an_upload(job)
    if job.run.code is not None and not _knew_the_end(job):
        raise NotDeclared("the client exited before it knew how its ingestion ended; see CAT-X.12")
    return client_ended(job)


def retried(job: Job) -> Mismatch | None:
    """Match when the client sent the refused upload again and the platform accepted it."""
    refused = _find_refused_upload(job)
    return call_matches.retried(refused, _find_retries(job, refused), job.run)


def waited_before_retry(job: Job) -> Mismatch | None:
    """Match when the client sent the upload again after the pause of the Retry-After header."""
    refused = _find_refused_upload(job)
    return waited(refused, _find_retries(job, refused), "[house.catalog] retry_after_s")


def not_retried(job: Job) -> Mismatch | None:
    """Match when the client did not send an upload again after a final failure."""
    refused = _find_refused_upload(job)
    repeats = _find_retries(job, refused)
    return Mismatch("no other attempt", f"{len(repeats)} more") if repeats else None


def reports_rejected_row(table: CatalogClientTable) -> Match:
    """Return the match that the client reports a rejected row in the way that the profile declares."""

    def match(job: Job) -> Mismatch | None:
        if not table.tells_rejected:
            raise NotDeclared("[catalog_client] tells_rejected is not declared: how the client reports a rejected row")
        _require_an_upload(job)
        sku = job.rejected["item_sku"]
        if not any(row["item_sku"] == sku for rows in job.reports.values() for row in rows):
            raise NotDeclared(f"the client did not upload {sku}, which the platform rejects; see CAT-X.3")
        if table.tells_rejected == "exit_code":
            return None if job.run.code else Mismatch(f"an exit code other than 0, for {sku}", job.run.in_short())
        is_named = any(mentions_of(job.run.output, [sku]).values())
        return None if is_named else Mismatch(f"{sku} in the output", job.run.in_short())

    return match


def reports_nothing_else(table: CatalogClientTable, rejecting: Job) -> Match:
    """Return the match that the client reports no row where the platform rejected none.

    `rejecting` is the job with the same rows, of which the platform rejected one. A client that always exits with 1
    reports nothing by it. An output may name stored rows, but not in the way in which it names the rejected row.
    """

    def match(job: Job) -> Mismatch | None:
        _require_an_upload(job)
        if table.tells_rejected == "output":
            return _names_only_the_rejected(rejecting, job)
        if job.run.code == 0:
            return None
        return Mismatch("exit code 0 for a catalog without a rejected row", job.run.in_short())

    return match


def _names_only_the_rejected(rejecting: Job, job: Job) -> Mismatch | None:
    """Match when the output mentions the SKU of the rejected row unlike the stored rows, in both jobs."""
    sku, found = rejecting.rejected["item_sku"], _mentions(rejecting)
    expected = f"{sku} marked as rejected"
    same = [other for other, mentions in found.items() if other != sku and mentions == found[sku]]
    if same:
        how = f"the output mentions {len(same)} stored SKUs in the same way, such as {same[0]}"
        return Mismatch(expected, f"{how}; {rejecting.run.in_short()}")
    if _mentions(job)[sku] == found[sku]:
        how = "the output mentions it in the same way if the platform rejects no row"
        return Mismatch(expected, f"{how}; {job.run.in_short()}")
    return None


def most_in_a_second(calls: Sequence[Call]) -> int:
    """Count the most calls that arrived within one second."""
    moments = [call.arrived_s for call in calls]
    return max((sum(start <= each < start + 1 for each in moments) for start in moments), default=0)


def _require_an_upload(job: Job) -> None:
    """Raises NotDeclared if no upload was accepted: then no rule about uploads can be judged."""
    if not any(call.is_upload and call.accepted for call in admitted(job)):
        raise NotDeclared(f"no upload was accepted: {job.run.in_short()}")


def _mentions(job: Job) -> dict[str, Counter[tuple[str, str]]]:
    return mentions_of(job.run.output, dict.fromkeys(row["item_sku"] for row in job.rows))


def _knew_the_end(job: Job) -> bool:
    """Say whether the client read the final status of an upload, from a status call or from its queue."""
    if job.notified and "Notification" not in job.unread:
        return True
    answers = [call.exchange.answer.json() or {} for call in job.calls if call.accepted and call.exchange.answer]
    return any(answer.get("processingStatus") in FINAL for answer in answers)


def _find_refused_upload(job: Job) -> Call:
    """Return the upload that an armed fault refused. Raises NotDeclared if the client made no such upload."""
    found = [call for call in job.calls if call.is_upload and call.status in {THROTTLED, _FAILED}]
    if not found:
        raise NotDeclared(f"the client made no upload that the platform could refuse: {job.run.in_short()}")
    return found[0]


def _find_retries(job: Job, refused: Call) -> list[Call]:
    return [
        call
        for call in job.calls
        if call.is_upload and call.arrived_s > refused.arrived_s and _is_same_content(call.content, refused.content)
    ]


def _is_same_content(one: Any, other: Any) -> bool:  # noqa: ANN401 - any JSON
    return bool(one == other)


def _has_too_many(call: Call) -> bool:
    answer = call.exchange.answer.json() if call.is_upload and call.exchange.answer else None
    return bool(answer and _TOO_MANY_ITEMS.search(str(answer.get("errorMsg", ""))))
