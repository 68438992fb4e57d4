"""What the platform saw of one account, out of its journal: each call as an exchange, with the moment it arrived.

A call whose signature was not accepted belongs to no account; it is known by the stores or the ingestion that its body
names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from conformance.catalog_client.platform import Account
from conformance.drivers.exchange import Answer, Exchange
from conformance.platform_control import Json
from contract.operations import ARCHIVE_CATALOG, GET_CATALOG_UPLOAD_STATUS, UPLOAD_CATALOG, Operation
from contract.values import parse_instant

_API = {each.path: each for each in (UPLOAD_CATALOG, GET_CATALOG_UPLOAD_STATUS, ARCHIVE_CATALOG)}
REPORT = Operation("Report download", "", "retailer", "", "", 200)
_OTHER = Operation("Other call", "", "retailer", "", "", 200)


class Call(NamedTuple):
    """One call of the client. `arrived_s` counts from some moment that all calls share."""

    exchange: Exchange
    arrived_s: float
    content: Any
    """The request's body as JSON; of a large one its size, its digest and its beginning."""
    ingestion: str

    @property
    def status(self) -> int:
        """Return the answer's status; 0 when the client did not wait for it."""
        return self.exchange.answer.status if self.exchange.answer else 0

    @property
    def accepted(self) -> bool:
        """Whether the platform took the call."""
        return 200 <= self.status < 300  # noqa: PLR2004 - the 2xx

    @property
    def answered_s(self) -> float:
        """When the answer was on its way."""
        return self.arrived_s + self.exchange.elapsed_s

    @property
    def is_upload(self) -> bool:
        """Whether it is an upload."""
        return self.exchange.operation is UPLOAD_CATALOG

    @property
    def is_report(self) -> bool:
        """Whether it follows the link of a report."""
        return self.exchange.operation is REPORT

    @property
    def is_api(self) -> bool:
        """Whether it is a call of the catalog API, under a path that it has or not."""
        return urlsplit(self.exchange.url).path.startswith("/v1/")


def calls_of(entries: Iterable[Json], account: Account) -> list[Call]:
    """Return the calls of an account, in the order in which they arrived."""
    entries = list(entries)
    ids = {str(entry["ingestionId"]) for entry in entries if entry.get("account") == account.id and _has_id(entry)}
    mine = [_call(entry, account) for entry in entries if _is_of(entry, account, ids)]
    return sorted(mine, key=lambda call: call.arrived_s)


def _is_of(entry: Json, account: Account, ingestions: set[str]) -> bool:
    if entry.get("account"):
        return bool(entry["account"] == account.id)
    said = json.dumps(entry["request"]["body"])
    return _named_by(entry) in ingestions or any(name in said for name in (*account.stores, *ingestions))


def _has_id(entry: Json) -> bool:
    return bool(entry.get("ingestionId"))


def _call(entry: Json, account: Account) -> Call:
    request, response = entry["request"], entry["response"]
    exchange = Exchange(
        operation=_operation(entry),
        method=request["method"],
        url=request["url"],
        headers=request["headers"],
        body=_bytes(request["body"]),
        started_at=_instant(entry),
        elapsed_s=entry["elapsedMs"] / 1000,
        answer=response and Answer(response["status"], response["headers"], _bytes(response["body"])),
        detail="" if response else "the client hung up before the answer was there",
        secrets=frozenset({account.key.secret_access_key, account.key.session_token or ""} - {""}),
    )
    return Call(exchange, entry["startedMs"] / 1000, request["body"], str(entry.get("ingestionId") or _named_by(entry)))


def _operation(entry: Json) -> Operation:
    return _API.get(urlsplit(entry["request"]["url"]).path) or (REPORT if _named_by(entry) else _OTHER)


def _named_by(entry: Mapping[str, Any]) -> str:
    """Return the ingestion that the link of a report names."""
    name = urlsplit(entry["request"]["url"]).path.rpartition("/")[2]
    return name.removesuffix(".json") if name.endswith(".json") else ""


def _bytes(body: object) -> bytes:
    if body is None or body == "":
        return b""
    return body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()


def _instant(entry: Json) -> datetime:
    return parse_instant(entry["at"])
