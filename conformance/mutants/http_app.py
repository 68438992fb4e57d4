"""Requests and replies of the small connector, and their conversion from and to ASGI messages."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from conformance.mutants.json_values import Body, without_nulls

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

CALLS = {
    "/v1/identity/identity-keys": "scan",
    "/v1/order/purchases": "cart",
    "/v1/fraudandabuse/shopperauthorization": "tap",
    "/v1/identity/scan": "loyalty",
    "/v1/identity/scan/details": "details",
}
"""The short names of the calls, by path; a fault of one call ends in `:` and this name."""
JSON_HEADERS: Headers = ((b"content-type", b"application/json"),)


def read_json(raw: bytes) -> Any:  # noqa: ANN401 - any JSON
    """Read JSON in UTF-8. Raises ValueError for anything else, NaN included."""
    return json.loads(raw.decode(), parse_constant=_no_number)


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


@dataclass
class Request:
    """One request. `is_whole` is False if the caller disconnected early; `receive` reports a later disconnect."""

    path: str
    method: str
    content_type: bytes
    raw: bytes
    is_whole: bool
    took_s: float
    receive: Receive
    headers: Mapping[str, str] = field(default_factory=dict)
    """By their names in lower case."""

    @property
    def call(self) -> str:
        """Return the short name of the call; empty for another path."""
        return CALLS.get(self.path, "")

    @cached_property
    def is_json(self) -> bool:
        """Whether the body is JSON."""
        try:
            read_json(self.raw)
        except (ValueError, RecursionError):
            return False
        return True

    @cached_property
    def document(self) -> object:
        """Return the body as a JSON value, or None if it is not JSON."""
        return read_json(self.raw) if self.is_json else None

    @cached_property
    def body(self) -> Body:
        """Return the body without nulls, which count as absent; empty if the body is not an object."""
        return without_nulls(self.document) if isinstance(self.document, dict) else {}

    @property
    def items(self) -> list[Any]:
        """Return the lines of a cart."""
        lines = self.body.get("cartItems")
        return lines if isinstance(lines, list) else []


@dataclass(frozen=True)
class Reply:
    """The answer of the connector: a JSON value, or bytes that are sent unchanged."""

    status: int
    body: Any = b""
    headers: Headers = JSON_HEADERS

    @property
    def content(self) -> bytes:
        """Return the bytes of the body."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def error(status: int, text: str) -> Reply:
    """Return an error reply with a text for a person."""
    return Reply(status, {"errorMsg": text})


async def read_request(scope: Scope, receive: Receive) -> Request:
    """Read a request to its end, or to the end of its connection."""
    start, raw, is_over, is_whole = time.monotonic(), b"", False, True
    while not is_over:
        message = await receive()
        is_whole = message["type"] != "http.disconnect"
        raw += message.get("body", b"")
        is_over = not is_whole or not message.get("more_body")
    content_type = dict(scope["headers"]).get(b"content-type", b"")
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    took_s = time.monotonic() - start
    return Request(scope["path"], scope["method"], content_type, raw, is_whole, took_s, receive, headers)


async def send_head(send: Send, reply: Reply) -> None:
    """Send the status and the headers of a reply."""
    headers = [*reply.headers, (b"content-length", str(len(reply.content)).encode())]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})


async def send_reply(send: Send, reply: Reply) -> None:
    """Send a whole reply."""
    await send_head(send, reply)
    await send({"type": "http.response.body", "body": reply.content})
