"""What the platform's journal says, as exchanges of the suite: the platform hides keys, and reports mask the rest."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from conformance.drivers.exchange import Answer, Exchange
from contract.gate import NoAnswer
from contract.operations import OPERATIONS, Operation
from contract.values import parse_instant
from jwo_toolkit.json_types import JsonObject

_BY_NAME = {operation.name: operation for operation in OPERATIONS}


def exchange_of(entry: JsonObject, label: str, secrets: frozenset[str] = frozenset()) -> Exchange:
    """Return an entry that holds a call; an answer that a fault took away is the answer all the same."""
    request, given = entry["request"], entry.get("lost") or entry["response"]
    elapsed_s = float(entry["elapsedMs"]) / 1000
    return Exchange(
        operation=operation_of(entry),
        method=request["method"],
        url=request["url"],
        headers=request["headers"],
        body=_bytes(request["body"]),
        started_at=parse_instant(entry["at"]) - timedelta(seconds=elapsed_s),
        elapsed_s=elapsed_s,
        answer=Answer(given["status"], given["headers"], _bytes(given["body"])) if given else None,
        failure=None if given else NoAnswer(entry["failure"]),
        detail="" if given else _why(entry),
        label=f"{label}{_struck(entry)}",
        secrets=secrets,
        measured=False,
    )


def operation_of(entry: JsonObject) -> Operation:
    """Return the call that an entry is about."""
    return _BY_NAME[entry["operation"]]


def is_call(entry: JsonObject) -> bool:
    """Say whether an entry holds a call to the connector, and not a decision or an exit."""
    return "request" in entry and entry.get("operation") in _BY_NAME


def is_clean(entry: JsonObject) -> bool:
    """Say whether no fault kept the message from the connector, or the answer from whoever reads the journal."""
    return bool(entry.get("lost") or entry["response"])


def _why(entry: JsonObject) -> str:
    return str(entry["failure"]).replace("_", " ")


def _struck(entry: JsonObject) -> str:
    faults = ", ".join(entry.get("faults", ())).replace("_", " ")
    return f" ({faults})" if faults else ""


def _bytes(body: Any) -> bytes:  # noqa: ANN401 - any JSON, or the text that it is
    return (body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)).encode()
