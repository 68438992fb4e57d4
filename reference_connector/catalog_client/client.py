"""The catalog client: uploads rows, confirms the subscription, waits for results, and fetches reports."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from threading import Event, Thread
from typing import Any, NamedTuple

from jwo_contract.operations import ARCHIVE_CATALOG, GET_CATALOG_UPLOAD_STATUS, UPLOAD_CATALOG
from reference_connector.catalog_client.attempts import Attempts
from reference_connector.catalog_client.calls import PlatformCalls
from reference_connector.catalog_client.inbox import Inbox, QueueMessage
from reference_connector.catalog_client.journal import UploadJournal
from reference_connector.catalog_client.reports import Downloads
from reference_connector.catalog_client.results import Follower, IngestionResult
from reference_connector.catalog_client.rows import CatalogRow, naming_stores, uploads
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import MalformedAnswer, PlatformClientError, UploadStopped
from reference_connector.platform_calls.hosts import Hosts
from reference_connector.telemetry import EventLog

_WAKE_EVERY_S = 0.1
"""How often the main thread wakes: on some systems, a signal does not end a wait."""
_GRACE_S = 3
"""How long an interrupted upload waits for the calls that run, since their ids would be lost."""

_REPEATED_HINT = "find out which program between here and the platform repeats an old answer; the rows may be missing"


class Uploaded(NamedTuple):
    """An accepted upload: its place in the file, the number of its rows, and the id of its ingestion."""

    place: int
    rows: int
    ingestion_id: str


class CatalogClient:
    """Does a retailer's work with the catalog API. `catalog_client.app.create_client` makes it."""

    def __init__(  # noqa: PLR0913 - the composition root hands in each part by name
        self,
        settings: CatalogClientSettings,
        *,
        attempts: Attempts,
        calls: PlatformCalls,
        downloads: Downloads,
        follower: Follower,
        hosts: Hosts,
        inbox: Inbox | None,
        monotonic: Callable[[], float],
        log: EventLog,
    ) -> None:
        self._settings = settings
        self._attempts = attempts
        self._calls = calls
        self._downloads = downloads
        self._follower = follower
        self._hosts = hosts
        self._inbox = inbox
        self._monotonic = monotonic
        self._log = log

    @property
    def queue_problem(self) -> str:
        """Why the queue was given up, and what to check; empty if it was not."""
        return self._follower.queue_problem

    def upload(
        self,
        rows: Sequence[CatalogRow],
        journal: UploadJournal | None = None,
        on_uploaded: Callable[[Uploaded], None] = lambda _uploaded: None,
    ) -> list[str]:
        """Upload rows in as many calls as they need; return all ingestion ids, which the caller must keep.

        With a journal, it skips the chunks that an earlier run has uploaded. It calls `on_uploaded` with each chunk
        that is uploaded, from several threads. The first failure ends the upload, and is raised after the calls that
        run have ended.
        """
        chunks = list(uploads(rows, self._settings.chunk_rows))
        ids = {place: known for place, chunk in enumerate(chunks) if journal and (known := journal.find(chunk))}
        for place, known in ids.items():
            on_uploaded(Uploaded(place, len(chunks[place]), known))

        def upload_chunk(place: int) -> None:
            chunk = chunks[place]
            with naming_stores(chunk):
                given = str(self._calls.call(UPLOAD_CATALOG, {"catalogItems": chunk})["ingestionId"])
            if given in set(ids.values()):
                raise MalformedAnswer(f"the platform answers two uploads with ingestion {given}", hint=_REPEATED_HINT)
            ids[place] = given
            self._log.event("catalog_uploaded", ingestionId=ids[place], rows=len(chunk))
            on_uploaded(Uploaded(place, len(chunk), ids[place]))
            if journal is not None:
                journal.keep(chunk, ids[place])

        self._run(upload_chunk, [place for place in range(len(chunks)) if place not in ids])
        return [ids[place] for place in range(len(chunks))]

    def _run(self, upload_chunk: Callable[[int], None], places: Sequence[int]) -> None:
        """Upload the chunks at these places, as many at once as the settings allow. Raises the first failure."""
        waiting, failures = deque(places), list[Exception]()

        def work(ended: Event) -> None:
            while waiting and not failures:
                with suppress(IndexError):  # another thread took the last chunk
                    place = waiting.popleft()
                    try:
                        upload_chunk(place)
                    except Exception as error:  # noqa: BLE001 - the caller's thread raises it
                        failures.append(error)
                        self._attempts.stop()
            ended.set()

        # a signal must end the process although a call still waits for its answer, so the threads are daemons
        ends = [Event() for _ in range(min(self._settings.workers, len(places)))]
        for ended in ends:
            Thread(target=work, args=(ended,), daemon=True).start()
        try:
            for ended in ends:
                while not ended.wait(_WAKE_EVERY_S):
                    pass
        except BaseException:
            waiting.clear()
            self._attempts.stop()
            end = self._monotonic() + _GRACE_S
            for ended in ends:
                ended.wait(max(0.0, end - self._monotonic()))
            raise
        self._attempts.resume()
        if failures:
            raise min(failures, key=lambda error: isinstance(error, UploadStopped))

    def archive(
        self,
        skus: Sequence[str],
        every_store: Sequence[str],
        on_archived: Callable[[str], None] = lambda _ingestion_id: None,
    ) -> list[str]:
        """Archive SKUs, so that no store sells them; return the ingestion ids. `every_store` is all stores' ids.

        It calls `on_archived` with the id of each call, since a later call may fail.
        """
        size, ids = self._settings.chunk_rows, list[str]()
        for start in range(0, len(skus), size):
            body = {"itemSkus": list(skus[start : start + size]), "allApplicableStores": list(every_store)}
            ids.append(str(self._calls.call(ARCHIVE_CATALOG, body)["ingestionId"]))
            on_archived(ids[-1])
        return ids

    def status(self, ingestion_id: str) -> dict[str, Any]:
        """Return `processingStatus` and `reportDownloadLink` of an ingestion."""
        return self._calls.call(GET_CATALOG_UPLOAD_STATUS, {"ingestionId": ingestion_id})

    def test_connectivity(self) -> dict[str, Any]:
        """Make one signed call that changes no catalog, and return what the platform knows about the account.

        Raises PlatformRefused if the platform does not accept the account. Raises PlatformUnreachable if it does not
        answer.
        """
        return self._calls.test_connectivity()

    def confirm_subscription(self, deadline_s: float = 30) -> bool:
        """Confirm the subscription that waits in the queue; return False if there is no message about one in time.

        Raises ForbiddenHost if the message asks for a call to another host than the platform. Raises QueueUnusable if
        the queue cannot be read, and PlatformRefused or PlatformUnreachable if no message leads to a confirmation.
        """
        end = self._monotonic() + deadline_s
        if self._inbox is None:
            return False
        while not self._inbox.confirmations:
            if self._monotonic() >= end:
                return False
            self._inbox.collect(end - self._monotonic())
        failures = []
        while self._inbox.confirmations:
            try:
                self._confirm(self._inbox.confirmations.pop(0))
            except PlatformClientError as error:
                self._log.event("catalog_subscription_not_confirmed", reason=str(error))
                failures.append(error)
            else:
                return True
        raise failures[0]

    def _confirm(self, confirmation: QueueMessage) -> None:
        assert self._inbox is not None
        url = self._hosts.at_home(confirmation.envelope["SubscribeURL"])
        self._downloads.get("the confirmation of the subscription", url, bytes)
        self._inbox.delete(confirmation)
        self._log.event("catalog_subscription_confirmed", topicArn=confirmation.envelope["TopicArn"])

    def wait_for_results(
        self,
        ingestion_ids: Iterable[str],
        deadline_s: float = 120,
        on_result: Callable[[IngestionResult], None] = lambda _result: None,
    ) -> list[IngestionResult]:
        """Wait until every result is known, or the time is over; return one result each, in the given order.

        If there is no queue, or it fails, or a notification is missing, the status call decides. A result that cannot
        be fetched has a `problem`. It calls `on_result` with each new state.
        """
        return self._follower.follow(list(ingestion_ids), deadline_s, on_result)
