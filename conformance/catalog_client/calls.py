"""The calls of one account, read from the platform's journal: each call is an exchange with the time of its arrival.

The journal names no account for a call with a refused signature. The stores or the ingestion in the body of such a call
identify its account.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from conformance.catalog_client.platform import Account
from conformance.drivers.exchange import Answer, Exchange
from contract.operations import ARCHIVE_CATALOG, GET_CATALOG_UPLOAD_STATUS, UPLOAD_CATALOG, Operation
from contract.values import parse_instant
from jwo_toolkit.json_types import JsonObject

_API = {each.path: each for each in (UPLOAD_CATALOG, GET_CATALOG_UPLOAD_STATUS, ARCHIVE_CATALOG)}
REPORT = Operation("Report download", "", "retailer", "", "", 200)
_OTHER = Operation("Other call", "", "retailer", "", "", 200)


class Call(NamedTuple):
    """One call of the client. `arrived_s` counts from one moment for all calls."""

    exchange: Exchange
    arrived_s: float
    content: Any
    """The request's body as JSON; for a large body its size, its digest and its first characters."""
    ingestion: str

    @property
    def status(self) -> int:
        """Return the answer's status; 0 if the client hung up before the answer."""
        return self.exchange.answer.status if self.exchange.answer else 0

    @property
    def accepted(self) -> bool:
        """Say whether the platform accepted the call."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the 2xx

    @property
    def answered_s(self) -> float:
        """Return the time at which the platform sent its answer."""
        return self.arrived_s + self.exchange.elapsed_s

    @property
    def is_upload(self) -> bool:
        """Say whether the call is an upload."""
        return self.exchange.operation is UPLOAD_CATALOG

    @property
    def is_report(self) -> bool:
        """Say whether the call fetches a report."""
        return self.exchange.operation is REPORT

    @property
    def is_api(self) -> bool:
        """Say whether the call is for the catalog API, under a known path or an unknown one."""
        return urlsplit(self.exchange.url).path.startswith("/v1/")


def calls_of(entries: Iterable[JsonObject], account: Account) -> list[Call]:
    """Return the calls of an account, in the order in which they arrived."""
    entries = list(entries)
    accepted = [entry for entry in entries if entry.get("account") == account.id]
    ids = {str(entry["ingestionId"]) for entry in accepted if entry.get("ingestionId")}
    own = [_call(entry, account) for entry in entries if _belongs_to(entry, account, ids)]
    return sorted(own, key=lambda call: call.arrived_s)


def _belongs_to(entry: JsonObject, account: Account, ingestions: set[str]) -> bool:
    if entry.get("account"):
        return bool(entry["account"] == account.id)
    body = json.dumps(entry["request"]["body"])
    return _ingestion_in_link(entry) in ingestions or any(name in body for name in (*account.stores, *ingestions))


def _call(entry: JsonObject, account: Account) -> Call:
    request, response = entry["request"], entry["response"]
    exchange = Exchange(
        operation=_operation(entry),
        method=request["method"],
        url=request["url"],
        headers=request["headers"],
        body=_bytes(request["body"]),
        started_at=_started_at(entry),
        elapsed_s=entry["elapsedMs"] / 1000,
        answer=response and Answer(response["status"], response["headers"], _bytes(response["body"])),
        detail="" if response else "the client hung up before the answer",
        secrets=frozenset({account.key.secret_access_key, account.key.session_token or ""} - {""}),
    )
    return Call(
        exchange, entry["startedMs"] / 1000, request["body"], str(entry.get("ingestionId") or _ingestion_in_link(entry))
    )


def _operation(entry: JsonObject) -> Operation:
    return _API.get(urlsplit(entry["request"]["url"]).path) or (REPORT if _ingestion_in_link(entry) else _OTHER)


def _ingestion_in_link(entry: Mapping[str, Any]) -> str:
    """Return the ingestion that the link of a report names; empty for other paths."""
    name = urlsplit(entry["request"]["url"]).path.rpartition("/")[2]
    return name.removesuffix(".json") if name.endswith(".json") else ""


def _bytes(body: object) -> bytes:
    if body is None or body == "":
        return b""
    return body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()


def _started_at(entry: JsonObject) -> datetime:
    return parse_instant(entry["at"])
