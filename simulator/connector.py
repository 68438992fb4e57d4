"""Signed messages to a retailer's connector, timed in real milliseconds from connecting to the last byte."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Literal, NamedTuple

import orjson
from pydantic import PlainSerializer, PlainValidator

from jwo_contract.gate import NoAnswer
from jwo_contract.house import House
from jwo_contract.operations import Operation, operation_named
from jwo_contract.sigv4 import Key, sign
from simulator.clock import Clock
from simulator.hosts import connector_url
from simulator.http_client import NO_TAMPERING, Tampering, post
from simulator.redaction import redacted_body, redacted_headers

Auth = Literal["sigv4", "headers", "none"]


class Connector(NamedTuple):
    """The address of a store's connector and how to call it; `headers` are sent in mode `headers` only."""

    url: str
    auth: Auth = "sigv4"
    headers: tuple[tuple[str, str], ...] = ()
    region: str = ""
    """The AWS region for the signature; if empty, the region of the house rules."""


class Exchange(NamedTuple):
    """One call and its result: an answer, or in `failure` the reason why there is no answer."""

    operation: str
    url: str
    sent: dict[str, str]
    request: bytes
    status: int | None
    headers: dict[str, str]
    body: bytes
    failure: NoAnswer | None
    elapsed_ms: int
    lost: Exchange | None = None
    """The exchange before a fault removed its answer."""
    problem: str = ""
    """Where a call without an answer failed, as in `Reply`."""

    def for_journal(self, secrets: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the exchange as JSON, redacted."""
        lost = {"lost": self.lost.answer_for_journal(secrets)} if self.lost else {}
        return {
            "operation": self.operation,
            "request": {
                "method": "POST",
                "url": self.url,
                "headers": redacted_headers(self.sent),
                "body": redacted_body(self.request, secrets),
            },
            "response": self.answer_for_journal(secrets) if self.failure is None else None,
            "failure": self.failure,
            "elapsedMs": self.elapsed_ms,
            **lost,
        }

    def answer_for_journal(self, secrets: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the answer as JSON, redacted."""
        return {
            "status": self.status,
            "headers": redacted_headers(self.headers),
            "body": redacted_body(self.body, secrets),
        }


def _name_of(operation: Operation) -> str:
    return operation.name


def _operation_of(name: object) -> Operation:
    """Raise ValueError if the contract has no operation of this name."""
    operation = operation_named(str(name))
    if operation is None:
        raise ValueError(f"there is no operation {name!r}")
    return operation


StoredOperation = Annotated[Operation, PlainSerializer(_name_of), PlainValidator(_operation_of)]
"""An operation that a database holds as its name: its other members are the contract's, and infinity is no JSON."""


class OutgoingRequest(NamedTuple):
    """A message to send. A non-empty `body` replaces the message, for faults that break its JSON."""

    operation: StoredOperation
    connector: Connector | None
    message: dict[str, Any]
    timeout_s: float
    body: bytes = b""
    skew_s: float = 0.0
    tampering: Tampering = NO_TAMPERING


class ConnectorClient:
    """Sends messages to connectors."""

    def __init__(self, key: Key, house: House, clock: Clock, ca_file: str = "") -> None:
        self._ca_file = ca_file
        self._key = key
        self._house = house
        self._clock = clock
        self.before_send: Callable[[], Awaitable[None]] | None = None
        """Waits before each message, for a connector with a declared rate limit; measured times exclude it."""

    async def send(self, request: OutgoingRequest) -> Exchange:
        """Send one message and wait for the whole answer. Without a connector, the failure is `no_connection`."""
        operation, connector = request.operation, request.connector
        body = request.body or orjson.dumps(request.message)
        if connector is None:
            return unsent(request, body)
        if self.before_send is not None:
            await self.before_send()
        url = connector_url(connector.url, block_amazon=self._house.auth.block_amazon_hosts) + operation.path
        sent = self._headers(connector, url, body, request.skew_s)
        started = self._clock.monotonic()
        reply = await post(url, sent, body, request.timeout_s, request.tampering, self._ca_file)
        elapsed_ms = round((self._clock.monotonic() - started) * 1000)
        return Exchange(
            operation.name,
            url,
            sent,
            body,
            reply.status,
            reply.headers,
            reply.body,
            reply.failure,
            elapsed_ms,
            problem=reply.problem,
        )

    async def resend(self, url: str, auth: Connector, body: bytes, timeout_s: float) -> Exchange:
        """Send a body unchanged to an address, with a new signature."""
        sent = self._headers(auth, url, body, 0.0)
        started = self._clock.monotonic()
        reply = await post(url, sent, body, timeout_s, ca_file=self._ca_file)
        elapsed_ms = round((self._clock.monotonic() - started) * 1000)
        return Exchange("resent", url, sent, body, reply.status, reply.headers, reply.body, reply.failure, elapsed_ms)

    def _headers(self, connector: Connector, url: str, body: bytes, skew_s: float) -> dict[str, str]:
        plain = {"Content-Type": "application/json", "Accept": "application/json"}
        if connector.auth == "sigv4":
            now = self._clock.wall() + timedelta(seconds=skew_s)
            region = connector.region or self._house.auth.region
            return sign("POST", url, plain, body, self._key, region=region, now=now)
        return {**plain, **dict(connector.headers)} if connector.auth == "headers" else plain


def unsent(request: OutgoingRequest, body: bytes = b"") -> Exchange:
    """Return the exchange of a message that is not sent to its connector."""
    connector = request.connector
    url = connector.url.rstrip("/") + request.operation.path if connector else ""
    content = body or request.body or orjson.dumps(request.message)
    return Exchange(request.operation.name, url, {}, content, None, {}, b"", NoAnswer.NO_CONNECTION, 0)
