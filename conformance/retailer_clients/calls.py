"""The calls of one account, read from the platform's journal: each call is an exchange with the time of its arrival.

The journal names no account for a call with a refused signature. The ids in the body of such a call identify its
account.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

from conformance.drivers.exchange import Answer, Exchange
from conformance.retailer_clients.addresses import Account
from jwo_contract.operations import OPERATIONS, Operation
from jwo_contract.values import parse_instant
from jwo_toolkit.json_types import JsonObject

_API = {each.path: each for each in OPERATIONS if each.called_by == "retailer"}
OTHER = Operation("Other call", "", "retailer", "", "", 200)


@dataclass(frozen=True)
class ClientCall:
    """One call of a client. `arrived_s` counts from one moment for all calls."""

    exchange: Exchange
    arrived_s: float
    content: Any
    """The request's body as JSON; for a large body its size, its digest and its first characters."""
    is_lost: bool = False
    """Whether a fault cut the answer off, so that the client cannot know what it was."""
    reason: str = ""
    """Why the platform refused the call, in its own words; the client does not see them."""

    @property
    def operation(self) -> Operation:
        """Return the operation that the path names."""
        return self.exchange.operation

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
    def is_api(self) -> bool:
        """Say whether the call is for an API of the platform, under a known path or an unknown one."""
        return urlsplit(self.exchange.url).path.startswith("/v1/")


C = TypeVar("C", bound=ClientCall)


def in_order(entries: Iterable[JsonObject], make: Callable[[JsonObject], C]) -> list[C]:
    """Return the calls of journal entries, in the order in which they arrived."""
    return sorted(map(make, entries), key=lambda call: call.arrived_s)


def belongs_to(entry: JsonObject, account: Account, ids: Collection[str] = ()) -> bool:
    """Say whether a call is an account's: by its key, or else by a store or another of its ids in the body."""
    if entry.get("account"):
        return bool(entry["account"] == account.id)
    body = json.dumps(entry["request"]["body"])
    return any(name in body for name in (*account.stores, *ids))


def to_call(entry: JsonObject, account: Account) -> ClientCall:
    """Return the call of a journal entry."""
    return ClientCall(to_exchange(entry, account), **about(entry))


def about(entry: JsonObject) -> dict[str, Any]:
    """Return the members of a call that are beside its exchange."""
    lost = entry.get("outcome") == "answer_lost"
    return {
        "arrived_s": entry["startedMs"] / 1000,
        "content": entry["request"]["body"],
        "is_lost": lost,
        "reason": entry.get("reason") or "",
    }


def to_exchange(entry: JsonObject, account: Account, other: Operation = OTHER) -> Exchange:
    """Return the exchange of a journal entry; `other` is the operation of a path that no API has."""
    request, response = entry["request"], entry["response"]
    return Exchange(
        operation=_API.get(urlsplit(request["url"]).path, other),
        method=request["method"],
        url=request["url"],
        headers=request["headers"],
        body=_bytes(request["body"]),
        started_at=parse_instant(entry["at"]),
        elapsed_s=entry["elapsedMs"] / 1000,
        answer=response and Answer(response["status"], response["headers"], _bytes(response["body"])),
        detail="" if response else "the client hung up before the answer",
        secrets=frozenset({account.key.secret_access_key, account.key.session_token or ""} - {""}),
    )


def _bytes(body: object) -> bytes:
    if body is None or body == "":
        return b""
    return body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode()
