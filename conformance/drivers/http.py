"""The HTTP driver: sends a message as the platform would and times the whole call.

Each call has a connection of its own, since the 2 seconds of the gate cover connecting too. Redirects are not followed.
A late answer is still read for a while, so that what came can be shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from conformance.drivers.exchange import Answer, Exchange
from conformance.drivers.pace import Pace
from conformance.drivers.wire import Wire
from contract.gate import NoAnswer
from contract.operations import Operation
from contract.profile import Profile
from contract.sigv4 import sign

READ_FOR_S = 10.0
"""How long an answer is read before it counts as none."""
_LARGEST_ANSWER = 4_000_000


class ConnectorClient:
    """Calls one connector; every exchange goes to `keep` the moment it is over. Safe to use from several threads."""

    def __init__(self, profile: Profile, now: Callable[[], datetime], keep: Callable[[Exchange], None]) -> None:
        self._profile = profile
        self._now = now
        self._keep = keep
        self._pace = Pace(profile.limits.rate_limit_per_second)
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.Client(limits=limits, timeout=READ_FOR_S, follow_redirects=False, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def at_once(self, count: int) -> int:
        """Return how many of `count` calls the declared rate lets go at the same moment, and wait until it does."""
        return self._pace.at_once(count)

    def send(
        self,
        operation: Operation,
        body: bytes,
        *,
        paced: bool = True,
        label: str = "",
        method: str = "POST",
        content_type: str = "application/json",
    ) -> Exchange:
        """Send a body to an operation's path and return the exchange, whatever came of it.

        Waits for the declared rate limit first, unless it is the limit that is tried.
        """
        if paced:
            self._pace.wait()
        else:
            self._pace.count()
        url = self._profile.connector.url + operation.path
        headers = self._headers(url, body, method, content_type)
        started_at, start = self._now(), time.perf_counter()
        answer, failure, detail = self._call(
            self._client.build_request(method, url, headers=headers, content=body), start
        )
        elapsed_s = time.perf_counter() - start
        return self._kept(
            Exchange(operation, method, url, headers, body, started_at, elapsed_s, answer, failure, detail, label)
        )

    def wire(self, operation: Operation, bodies: Sequence[bytes]) -> Wire:
        """Connect by hand, to send requests in ways in which no HTTP library would; the caller closes it."""
        for _ in bodies:
            self._pace.wait()
        url = self._profile.connector.url + operation.path
        requests = [(self._headers(url, body, "POST", "application/json"), body) for body in bodies]
        return Wire(operation, url, requests, self._now, self._kept)

    def _kept(self, exchange: Exchange) -> Exchange:
        self._keep(exchange)
        return exchange

    def _call(self, request: httpx.Request, start: float) -> tuple[Answer | None, NoAnswer | None, str]:
        try:
            response = self._client.send(request, stream=True)
            try:
                content = b"".join(_until(response.iter_raw(), start + READ_FOR_S))
            finally:
                response.close()
            return Answer(response.status_code, dict(response.headers), _decoded(response, content)), None, ""
        except httpx.TimeoutException:
            return None, NoAnswer.TIMED_OUT, f"nothing complete within {READ_FOR_S:g} s"
        except httpx.TransportError as error:
            return None, NoAnswer.NO_CONNECTION, f"the connection failed: {error or type(error).__name__}"
        except httpx.HTTPError as error:
            return None, NoAnswer.MALFORMED_ANSWER, f"the answer is not HTTP: {error}"

    def _headers(self, url: str, body: bytes, method: str, content_type: str) -> dict[str, str]:
        connector = self._profile.connector
        headers = {"Host": urlsplit(url).netloc, "Content-Type": content_type, "Accept": "application/json"}
        if connector.auth == "headers":
            return headers | connector.headers
        if connector.auth == "sigv4":
            return sign(method, url, headers, body, connector.key, region=connector.region, now=self._now())
        return headers


def _until(chunks: Iterator[bytes], deadline: float) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if time.perf_counter() > deadline or size > _LARGEST_ANSWER:
            raise httpx.ReadTimeout("the answer does not end")
        yield chunk


def _decoded(response: httpx.Response, content: bytes) -> bytes:
    """Undo a content encoding, which `iter_raw` leaves in place so that a decompression bomb stays small."""
    if "content-encoding" not in response.headers:
        return content
    return httpx.Response(
        200, headers={"content-encoding": response.headers["content-encoding"]}, content=content
    ).content
