"""Calls to a retailer's connector: signed, timed from the first packet to the last byte, never redirected.

Each call opens its own connection, so that an idle connection which the connector closed never counts as its failure.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal, NamedTuple

import httpx
import orjson

from contract.gate import NoAnswer
from contract.house import House
from contract.operations import Operation
from contract.sigv4 import Key, sign
from simulator.clock import Clock
from simulator.hosts import checked_url
from simulator.journal import redacted_body, redacted_headers

Auth = Literal["sigv4", "headers", "none"]


class Connector(NamedTuple):
    """Where a store's connector is and how it is called; `headers` are sent in mode `headers` only."""

    url: str
    auth: Auth = "sigv4"
    headers: tuple[tuple[str, str], ...] = ()


class Exchange(NamedTuple):
    """One call and what came of it: an answer, or `failure` saying why there is none."""

    operation: str
    url: str
    sent: dict[str, str]
    request: bytes
    status: int | None
    headers: dict[str, str]
    body: bytes
    failure: NoAnswer | None
    elapsed_ms: int

    def for_journal(self, secrets: tuple[str, ...] = ()) -> dict[str, Any]:
        """Return the exchange as JSON, redacted."""
        answer = {
            "status": self.status,
            "headers": redacted_headers(self.headers),
            "body": redacted_body(self.body, secrets),
        }
        return {
            "operation": self.operation,
            "request": {
                "method": "POST",
                "url": self.url,
                "headers": redacted_headers(self.sent),
                "body": redacted_body(self.request, secrets),
            },
            "response": answer if self.failure is None else None,
            "failure": self.failure,
            "elapsedMs": self.elapsed_ms,
        }


class ConnectorClient:
    """Sends messages to connectors; `close` it when the platform stops."""

    def __init__(self, key: Key, house: House, clock: Clock) -> None:
        self._key = key
        self._house = house
        self._clock = clock
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        self._http = httpx.AsyncClient(timeout=None, limits=limits, trust_env=False, follow_redirects=False)  # noqa: S113 - the clock below covers the whole call

    async def call(
        self, operation: Operation, connector: Connector | None, message: dict[str, Any], timeout_s: float
    ) -> Exchange:
        """Send one message and wait `timeout_s` for the whole answer; a missing connector is `no_connection`."""
        body = orjson.dumps(message)
        if connector is None:
            return Exchange(operation.name, "", {}, body, None, {}, b"", NoAnswer.NO_CONNECTION, 0)
        url = checked_url(connector.url, block_amazon=self._house.auth.block_amazon_hosts) + operation.path
        sent = self._headers(connector, url, body)
        started = self._clock.monotonic()
        status, headers, answer, failure = await self._send(
            httpx.Request("POST", url, headers=sent, content=body), timeout_s
        )
        elapsed_ms = round((self._clock.monotonic() - started) * 1000)
        return Exchange(operation.name, url, sent, body, status, headers, answer, failure, elapsed_ms)

    async def close(self) -> None:
        """Give the sockets back."""
        await self._http.aclose()

    def _headers(self, connector: Connector, url: str, body: bytes) -> dict[str, str]:
        plain = {"Content-Type": "application/json", "Accept": "application/json"}
        if connector.auth == "sigv4":
            return sign("POST", url, plain, body, self._key, region=self._house.auth.region, now=self._clock.now())
        return {**plain, **dict(connector.headers)} if connector.auth == "headers" else plain

    async def _send(
        self, request: httpx.Request, timeout_s: float
    ) -> tuple[int | None, dict[str, str], bytes, NoAnswer | None]:
        try:
            async with asyncio.timeout(timeout_s):
                answer = await self._http.send(request)
        except TimeoutError:
            return None, {}, b"", NoAnswer.TIMED_OUT
        except httpx.DecodingError:
            return None, {}, b"", NoAnswer.MALFORMED_ANSWER
        except httpx.TransportError:
            return None, {}, b"", NoAnswer.NO_CONNECTION
        return answer.status_code, dict(answer.headers), answer.content, None
