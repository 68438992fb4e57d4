"""The calls of a catalog client: uploads, status calls and downloads of reports, each with its ingestion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from conformance.retailer_clients.addresses import Account
from conformance.retailer_clients.calls import OTHER, ClientCall, about, belongs_to, in_order, to_exchange
from jwo_contract.operations import UPLOAD_CATALOG, Operation
from jwo_toolkit.json_types import JsonObject

REPORT = Operation("Report download", "", "retailer", "", "", 200)


@dataclass(frozen=True)
class Call(ClientCall):
    """One call of a catalog client."""

    ingestion: str = ""

    @property
    def is_upload(self) -> bool:
        """Say whether the call is an upload."""
        return self.operation is UPLOAD_CATALOG

    @property
    def is_report(self) -> bool:
        """Say whether the call fetches a report."""
        return self.operation is REPORT


def calls_of(entries: Iterable[JsonObject], account: Account) -> list[Call]:
    """Return the calls of an account, in the order in which they arrived."""
    entries = list(entries)
    accepted = [entry for entry in entries if entry.get("account") == account.id]
    ids = {str(entry["ingestionId"]) for entry in accepted if entry.get("ingestionId")}
    own = [entry for entry in entries if belongs_to(entry, account, ids) or _is_report_of(entry, ids)]
    return in_order(own, lambda entry: _call(entry, account))


def _is_report_of(entry: JsonObject, ingestions: set[str]) -> bool:
    return not entry.get("account") and _ingestion_in_link(entry) in ingestions


def _call(entry: JsonObject, account: Account) -> Call:
    in_link = _ingestion_in_link(entry)
    exchange = to_exchange(entry, account, REPORT if in_link else OTHER)
    return Call(exchange, **about(entry), ingestion=str(entry.get("ingestionId") or in_link))


def _ingestion_in_link(entry: Mapping[str, Any]) -> str:
    """Return the ingestion that the link of a report names; empty for other paths."""
    name = urlsplit(entry["request"]["url"]).path.rpartition("/")[2]
    return name.removesuffix(".json") if name.endswith(".json") else ""
