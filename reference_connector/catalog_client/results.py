"""Follows ingestions to their results, by notifications and by status calls, whatever fails meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from jwo_contract.operations import GET_CATALOG_UPLOAD_STATUS
from reference_connector.catalog_client.calls import PlatformCalls
from reference_connector.catalog_client.inbox import Inbox
from reference_connector.catalog_client.reports import Reports
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import MalformedAnswer, PlatformClientError, QueueUnusable
from reference_connector.telemetry import EventLog

_DONE = "DONE"
_FINAL = frozenset({_DONE, "CANCELLED", "FATAL"})


class IngestionResult(NamedTuple):
    """What is known about an ingestion: its state, and the platform's report if the state is DONE.

    The state is empty as long as no status call was answered. `problem` says why the result is not known.
    """

    ingestion_id: str
    processing_status: str
    report: dict[str, Any] | None = None
    problem: str = ""
    is_given_up: bool = False
    """Whether no further attempt would help."""

    @property
    def is_final(self) -> bool:
        """Whether the platform has finished the ingestion."""
        return self.processing_status in _FINAL

    @property
    def is_settled(self) -> bool:
        """Whether the result is known, or will not be known in this run."""
        return self.is_given_up or (self.is_final and not self.problem)


class Follower:
    """Waits for results. If the queue fails, it goes on with status calls; `queue_problem` says what to check."""

    def __init__(
        self,
        settings: CatalogClientSettings,
        *,
        calls: PlatformCalls,
        reports: Reports,
        inbox: Inbox | None,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
        log: EventLog,
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._reports = reports
        self._inbox = inbox
        self._monotonic = monotonic
        self._sleep = sleep
        self._log = log
        self.queue_problem = ""

    def follow(
        self, ingestion_ids: Sequence[str], deadline_s: float, on_result: Callable[[IngestionResult], None]
    ) -> list[IngestionResult]:
        """Return one result for each id, in the given order. It calls `on_result` with each new state.

        It ends when every result is known, or after `deadline_s` seconds. Until then it repeats what failed in a way
        that may pass. It makes at least one status call for each ingestion that no notification reports.
        """
        end = self._monotonic() + deadline_s
        latest = {each: IngestionResult(each, "") for each in ingestion_ids}
        while pending := [result for result in latest.values() if not result.is_settled]:
            notified = self._notified(pending, end) if self._monotonic() < end else []
            is_last = self._monotonic() >= end and not notified
            started = self._monotonic()
            for result in notified or self._asked(pending, end):
                latest[result.ingestion_id] = result
                on_result(result)
                self._handled(result)
            if is_last:
                break
            if not notified and not all(result.is_settled for result in latest.values()):
                self._rest(started + self._settings.status_every_s, end)
        return [latest[each] for each in ingestion_ids]

    def _rest(self, until: float, end: float) -> None:
        """Wait until the next status calls are due. A poll for messages is a part of that time."""
        self._sleep(max(0.0, min(until, end) - self._monotonic()))

    def _handled(self, result: IngestionResult) -> None:
        if result.report is not None:
            counts = result.report["summary"]
            self._log.event(
                "catalog_result",
                ingestionId=result.ingestion_id,
                accepted=counts["accepted"],
                rejected=counts["rejected"],
            )
        if self._inbox is not None and result.is_final and not result.problem:
            self._inbox.handled(result.ingestion_id)

    def _notified(self, pending: Sequence[IngestionResult], end: float) -> list[IngestionResult]:
        """Return the results that notifications report, and read the queue if there is none yet."""
        inbox = self._inbox
        if inbox is None:
            return []
        if inbox.notifications.keys().isdisjoint(each.ingestion_id for each in pending):
            try:
                inbox.collect(end - self._monotonic())
            except QueueUnusable as error:
                self.queue_problem = f"{error}; {error.hint}"
                self._log.event("catalog_queue_failed", reason=self.queue_problem, instead="status calls")
                self._inbox = None
                return []
        arrived = [each for each in pending if each.ingestion_id in inbox.notifications]
        return [self._result(each, inbox.notifications.pop(each.ingestion_id), end) for each in arrived]

    def _asked(self, pending: Sequence[IngestionResult], end: float) -> Iterator[IngestionResult]:
        """Yield the results of status calls. If the platform is down, it makes no call for the other ingestions."""
        for number, each in enumerate(pending):
            try:
                found = self._calls.call(GET_CATALOG_UPLOAD_STATUS, {"ingestionId": each.ingestion_id}, end)
            except PlatformClientError as error:
                if error.may_pass:
                    yield from (_failed(other, error) for other in pending[number:])
                    return
                yield _failed(each, error)
            else:
                yield self._result(each, found, end)

    def _result(self, known: IngestionResult, found: dict[str, Any], end: float) -> IngestionResult:
        result = IngestionResult(known.ingestion_id, found["processingStatus"])
        if result.processing_status != _DONE:
            return result
        try:
            return result._replace(report=self._reports.fetch(known.ingestion_id, found["reportDownloadLink"], end))
        except PlatformClientError as error:
            return _failed(result, error)


def _failed(known: IngestionResult, error: PlatformClientError) -> IngestionResult:
    """Return a result with the reason why it is not known. A damaged report is given up: it was read several times."""
    problem = f"{error}; {error.hint}" if error.hint else str(error)
    may_pass = error.may_pass and not isinstance(error, MalformedAnswer)
    return known._replace(problem=problem, is_given_up=not may_pass)
