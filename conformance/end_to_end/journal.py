"""Converts journal entries of the platform to exchanges. The platform hides keys, and reports mask other secrets."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from conformance.drivers.exchange import Answer, Exchange
from jwo_contract.gate import NoAnswer
from jwo_contract.operations import OPERATIONS, Operation
from jwo_contract.values import parse_instant
from jwo_toolkit.json_types import JsonObject

_BY_NAME = {operation.name: operation for operation in OPERATIONS}


def to_exchange(entry: JsonObject, label: str, secrets: frozenset[str] = frozenset()) -> Exchange:
    """Convert an entry that holds a call. An answer that a fault dropped still counts as the connector's answer."""
    request, response = entry["request"], entry.get("lost") or entry["response"]
    elapsed_s = float(entry["elapsedMs"]) / 1000
    return Exchange(
        operation=operation_of(entry),
        method=request["method"],
        url=request["url"],
        headers=request["headers"],
        body=_bytes(request["body"]),
        started_at=parse_instant(entry["at"]) - timedelta(seconds=elapsed_s),
        elapsed_s=elapsed_s,
        answer=Answer(response["status"], response["headers"], _bytes(response["body"])) if response else None,
        failure=None if response else NoAnswer(entry["failure"]),
        detail="" if response else _describe_failure(entry),
        label=f"{label}{_describe_faults(entry)}",
        secrets=secrets,
        measured=False,
    )


def operation_of(entry: JsonObject) -> Operation:
    """Return the operation of the call in an entry."""
    return _BY_NAME[entry["operation"]]


def is_call(entry: JsonObject) -> bool:
    """Say whether an entry holds a call to the connector, and not a decision or an exit."""
    return "request" in entry and entry.get("operation") in _BY_NAME


def is_clean(entry: JsonObject) -> bool:
    """Say whether the request reached the connector and the journal has the answer, dropped or not."""
    return bool(entry.get("lost") or entry["response"])


def _describe_failure(entry: JsonObject) -> str:
    return str(entry["failure"]).replace("_", " ")


def _describe_faults(entry: JsonObject) -> str:
    faults = ", ".join(entry.get("faults", ())).replace("_", " ")
    return f" ({faults})" if faults else ""


def _bytes(body: Any) -> bytes:  # noqa: ANN401 - any JSON, or a text that is not JSON
    return (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
