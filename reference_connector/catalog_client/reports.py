"""Gets the addresses that the platform's messages name: the report of an ingestion, and a confirmation."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import orjson

from jwo_contract.errors import MalformedBody
from jwo_contract.messages import message, parse_object
from jwo_contract.operations import GET_CATALOG_UPLOAD_STATUS
from reference_connector.catalog_client.attempts import Attempts
from reference_connector.catalog_client.calls import PlatformCalls
from reference_connector.catalog_client.sending import Sender
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import (
    ForbiddenHost,
    MalformedAnswer,
    PlatformRefused,
    PlatformUnreachable,
)
from reference_connector.platform_calls.hosts import Hosts
from reference_connector.telemetry import EventLog

_OK = 200
_GZIP = b"\x1f\x8b"
"""The first bytes of a gzip file. A report that is stored compressed may have no Content-Encoding."""
_Parsed = TypeVar("_Parsed")


class Downloads:
    """Gets addresses without a signature of our own, as a presigned link requires."""

    def __init__(self, settings: CatalogClientSettings, sender: Sender, attempts: Attempts) -> None:
        self._settings = settings
        self._sender = sender
        self._attempts = attempts

    def get(self, what: str, url: str, parse: Callable[[bytes], _Parsed], end: float = math.inf) -> _Parsed:
        """Return the parsed body of an address. After a failure that may pass, also one of `parse`, get it again.

        Raises PlatformRefused for an error status. Raises PlatformUnreachable if there is no complete answer, and
        MalformedAnswer if it is damaged.
        """
        return self._attempts.run(what, lambda: parse(self._attempt(what, url)), end)

    def _attempt(self, what: str, url: str) -> bytes:
        answer = self._sender.send("GET", url)
        if answer.status != _OK:
            raise PlatformRefused(
                answer.status,
                f"{what} is not available",
                may_pass=answer.status in self._settings.retried_statuses,
                retry_after_s=answer.retry_after_s(),
            )
        is_packed = answer.content.startswith(_GZIP)
        return self._sender.decode(answer.content, "gzip") if is_packed else answer.content


class Reports:
    """Fetches reports. If a link fails, it requests a fresh one: a link and its token are valid for a limited time."""

    def __init__(self, downloads: Downloads, calls: PlatformCalls, hosts: Hosts, log: EventLog) -> None:
        self._downloads = downloads
        self._calls = calls
        self._hosts = hosts
        self._log = log

    def fetch(self, ingestion_id: str, link: str, end: float = math.inf) -> dict[str, Any]:
        """Return the report of an ingestion. `end` is a time of the monotonic clock, after which no attempt begins.

        Raises the PlatformClientError of the fresh link if both links fail.
        """
        try:
            return self._read(ingestion_id, link, end)
        except (PlatformRefused, PlatformUnreachable, MalformedAnswer) as error:
            self._log.event("catalog_link_failed", ingestionId=ingestion_id, reason=str(error))
        answer = self._calls.call(GET_CATALOG_UPLOAD_STATUS, {"ingestionId": ingestion_id}, end)
        return self._read(ingestion_id, answer["reportDownloadLink"], end)

    def _read(self, ingestion_id: str, link: str, end: float) -> dict[str, Any]:
        what = f"the report of {ingestion_id}"
        if not link:
            raise MalformedAnswer(f"{what} has no link")
        try:
            url = self._hosts.allowed(link)
        except ForbiddenHost as error:
            raise ForbiddenHost(f"the link of {what}: {error}", hint=error.hint) from error
        return self._downloads.get(what, url, partial(_checked, ingestion_id), end)


def _checked(ingestion_id: str, content: bytes) -> dict[str, Any]:
    what, schema = f"the report of {ingestion_id}", message("catalog_report")
    try:
        report = parse_object(content)
    except MalformedBody as error:
        is_damaged = isinstance(error.__cause__, orjson.JSONDecodeError)
        raise MalformedAnswer(f"{what} is not a report: {error}", may_pass=is_damaged) from error
    if not schema.is_valid(report):
        raise MalformedAnswer(f"{what} breaks the contract: {schema.violations(report)[0].message}")
    if report["ingestionId"] != ingestion_id:
        raise MalformedAnswer(f"{what} is about another ingestion, {report['ingestionId']}")
    if wrong := _wrong_sum(report):
        raise MalformedAnswer(f"{what} contradicts itself: {wrong}")
    return report


def _wrong_sum(report: dict[str, Any]) -> str:
    """Return which count of a report's summary differs from its items; empty if none does."""
    listed = Counter(item["status"] for item in report["items"])
    counted = {"received": len(report["items"]), "accepted": listed["ACCEPTED"], "rejected": listed["REJECTED"]}
    differing = (name for name, count in counted.items() if report["summary"][name] != count)
    return next(
        (f"summary.{name} is {report['summary'][name]}, its items are {counted[name]}" for name in differing), ""
    )
