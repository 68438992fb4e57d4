"""The catalog client: uploads rows, confirms the subscription, waits for results, and fetches reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx

from contract.errors import MalformedBody
from contract.messages import message, parse_object
from contract.operations import ARCHIVE_CATALOG, GET_CATALOG_UPLOAD_STATUS, UPLOAD_CATALOG
from reference_connector.catalog_client.calls import PlatformCalls
from reference_connector.catalog_client.hosts import Hosts
from reference_connector.catalog_client.inbox import Inbox
from reference_connector.catalog_client.journal import UploadJournal
from reference_connector.catalog_client.rows import CatalogRow, naming_stores, uploads
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import MalformedAnswer, PlatformRefused, PlatformUnreachable
from reference_connector.telemetry import EventLog

_DONE = "DONE"
_FINAL = frozenset({_DONE, "CANCELLED", "FATAL"})
_OK, _FORBIDDEN = 200, 403
_LONGEST_POLL_S = 5


class IngestionResult(NamedTuple):
    """The state of an ingestion; `report` is the platform's report if the state is DONE."""

    ingestion_id: str
    processing_status: str
    report: dict[str, Any] | None = None

    @property
    def is_final(self) -> bool:
        """Whether the platform has finished the ingestion."""
        return self.processing_status in _FINAL


class CatalogClient:
    """Does a retailer's work with the catalog API. `catalog_client.app.create_client` makes it."""

    def __init__(  # noqa: PLR0913 - the composition root hands in each part by name
        self,
        settings: CatalogClientSettings,
        *,
        calls: PlatformCalls,
        http: httpx.Client,
        hosts: Hosts,
        inbox: Inbox | None,
        monotonic: Callable[[], float],
        sleep: Callable[[float], None],
        log: EventLog,
    ) -> None:
        self._settings = settings
        self._calls = calls
        self._http = http
        self._hosts = hosts
        self._inbox = inbox
        self._monotonic = monotonic
        self._sleep = sleep
        self._log = log

    def upload(
        self,
        rows: Sequence[CatalogRow],
        journal: UploadJournal | None = None,
        on_progress: Callable[[int], None] = lambda _rows: None,
    ) -> list[str]:
        """Upload rows in as many calls as they need; return all ingestion ids, which the caller must keep.

        With a journal, it skips the chunks that an earlier run has uploaded. It calls `on_progress` with the number of
        rows of each uploaded chunk.
        """

        def upload_chunk(chunk: list[CatalogRow]) -> str:
            ingestion_id = self._upload(chunk, journal)
            on_progress(len(chunk))
            return ingestion_id

        with ThreadPoolExecutor(self._settings.workers) as workers:
            return list(workers.map(upload_chunk, uploads(rows, self._settings.chunk_rows)))

    def _upload(self, chunk: list[CatalogRow], journal: UploadJournal | None) -> str:
        known = journal.find(chunk) if journal else None
        if known is not None:
            return known
        with naming_stores(chunk):
            ingestion_id = str(self._calls.call(UPLOAD_CATALOG, {"catalogItems": chunk})["ingestionId"])
        if journal is not None:
            journal.keep(chunk, ingestion_id)
        self._log.event("catalog_uploaded", ingestionId=ingestion_id, rows=len(chunk))
        return ingestion_id

    def archive(self, skus: Sequence[str], every_store: Sequence[str]) -> list[str]:
        """Archive SKUs, so that no store sells them; return the ingestion ids. `every_store` is all stores' ids."""
        size = self._settings.chunk_rows
        chunks = [list(skus[start : start + size]) for start in range(0, len(skus), size)]
        bodies = ({"itemSkus": chunk, "allApplicableStores": list(every_store)} for chunk in chunks)
        return [str(self._calls.call(ARCHIVE_CATALOG, body)["ingestionId"]) for body in bodies]

    def status(self, ingestion_id: str) -> dict[str, Any]:
        """Return `processingStatus` and `reportDownloadLink` of an ingestion."""
        return self._calls.call(GET_CATALOG_UPLOAD_STATUS, {"ingestionId": ingestion_id})

    def confirm_subscription(self, deadline_s: float = 30) -> bool:
        """Confirm the subscription that waits in the queue; return False if there is none in time.

        Raises ForbiddenHost if the message asks for a call to another host than the platform.
        """
        end = self._monotonic() + deadline_s
        if self._inbox is None:
            return False
        while not self._inbox.confirmations:
            if self._monotonic() >= end:
                return False
            self._inbox.collect(self._poll_s(end))
        while self._inbox.confirmations:
            confirmation = self._inbox.confirmations.pop(0)
            self._get(self._hosts.at_home(confirmation.envelope["SubscribeURL"]))
            self._inbox.delete(confirmation)
            self._log.event("catalog_subscription_confirmed", topicArn=confirmation.envelope["TopicArn"])
        return True

    def wait_for_results(self, ingestion_ids: Iterable[str], deadline_s: float = 120) -> list[IngestionResult]:
        """Wait until every ingestion is final, or the time is over; return one result each, in the given order.

        If there is no queue, or a notification is missing, the status call decides.
        """
        wanted = list(ingestion_ids)
        end = self._monotonic() + deadline_s
        results: dict[str, IngestionResult] = {}
        while len(results) < len(set(wanted)) and self._monotonic() < end:
            missing = [known for known in wanted if known not in results]
            results |= {result.ingestion_id: result for result in self._arrived(missing, end) if result.is_final}
        for late in wanted:
            if late not in results:
                results[late] = self._by_status(late)
        return [results[known] for known in wanted]

    def _arrived(self, missing: Sequence[str], end: float) -> list[IngestionResult]:
        if self._inbox is not None:
            notified = self._notified(self._inbox, missing, end)
            return notified or [self._by_status(known) for known in missing]
        found = [self._by_status(known) for known in missing]
        if not any(result.is_final for result in found):
            self._sleep(min(self._settings.status_every_s, max(0.0, end - self._monotonic())))
        return found

    def _notified(self, inbox: Inbox, missing: Sequence[str], end: float) -> list[IngestionResult]:
        if inbox.notifications.keys().isdisjoint(missing):
            inbox.collect(self._poll_s(end))
        arrived = [known for known in missing if known in inbox.notifications]
        return [self._result(known, inbox.notifications.pop(known)) for known in arrived]

    def _by_status(self, ingestion_id: str) -> IngestionResult:
        return self._result(ingestion_id, self.status(ingestion_id))

    def _result(self, ingestion_id: str, found: dict[str, Any]) -> IngestionResult:
        status = found["processingStatus"]
        report = self._report(ingestion_id, found["reportDownloadLink"]) if status == _DONE else None
        return IngestionResult(ingestion_id, status, report)

    def _report(self, ingestion_id: str, link: str) -> dict[str, Any]:
        """Fetch the report. If the link is too old, request a new one, once."""
        try:
            content = self._get(self._hosts.allowed(link))
        except PlatformRefused as refusal:
            if refusal.status != _FORBIDDEN:
                raise
            content = self._get(self._hosts.allowed(self.status(ingestion_id)["reportDownloadLink"]))
        return _checked_report(ingestion_id, content)

    def _get(self, url: str) -> bytes:
        """Get a URL without a signature of our own, as a presigned link requires."""
        try:
            answer = self._http.get(url)
        except httpx.HTTPError as error:
            raise PlatformUnreachable(f"no answer: {type(error).__name__}") from error
        if answer.status_code != _OK:
            raise PlatformRefused(answer.status_code, "a plain GET was refused")
        return answer.content

    def _poll_s(self, end: float) -> int:
        return max(0, min(_LONGEST_POLL_S, round(end - self._monotonic())))


def _checked_report(ingestion_id: str, content: bytes) -> dict[str, Any]:
    schema = message("catalog_report")
    try:
        report = parse_object(content)
    except MalformedBody as error:
        raise MalformedAnswer(f"report of {ingestion_id}: {error}") from error
    if not schema.is_valid(report):
        raise MalformedAnswer(f"report of {ingestion_id}: {schema.violations(report)[0].message}")
    if report["ingestionId"] != ingestion_id:
        raise MalformedAnswer(f"report of {ingestion_id}: it is about {report['ingestionId']}")
    return report
