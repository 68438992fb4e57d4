"""The HTTP driver: sends a message as the platform would and times the whole call.

Each call has a connection of its own, since the 2 seconds of the gate include connecting. Redirects are not followed.
The driver reads a late answer for some time, so that a report can show it.
"""

from __future__ import annotations

import contextlib
import functools
import ssl
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from conformance.drivers.deadline import Deadline
from conformance.drivers.exchange import Answer, Exchange
from conformance.drivers.own_lag import own_lag
from conformance.drivers.raw_connection import RawConnection
from conformance.errors import HarnessBroke
from contract.gate import NoAnswer
from contract.operations import Operation
from contract.profile import Profile
from contract.sigv4 import sign
from jwo_toolkit.pacing import Pace

READ_FOR_S = 10.0
"""How long the driver reads an answer before the call counts as timed out."""
_LARGEST_ANSWER = 4_000_000
_MOST_TIMED_OUT = 3
_READ_BRIEFLY_FOR_S = 3.0
"""The shorter time after three time-outs in a row; long enough to see a late answer."""
_GZIP_OR_ZLIB = 47
_NO_HEADERS: Mapping[str, str] = {}
_PACE_WINDOW_S = 1.25
"""The second of a declared rate limit, and a margin for calls that arrive closer together than they were sent."""


_tls = functools.cache(ssl.create_default_context)
"""The context that all clients of a process share: to read the system's certificates takes 40 ms."""


class ConnectorClient:
    """Calls one connector, and passes every finished exchange to `keep`. Safe to use from several threads."""

    def __init__(self, profile: Profile, now: Callable[[], datetime], keep: Callable[[Exchange], None]) -> None:
        self._profile = profile
        self._now = now
        self._keep = keep
        self._timed_out_in_a_row = 0
        self._secrets = frozenset(declared_secrets(profile))
        self._pace = Pace(profile.limits.rate_limit_per_second, _PACE_WINDOW_S)
        self._tls = _tls()
        own_lag()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: no connection stays open between calls."""

    def at_once(self, count: int) -> int:
        """Wait until the declared rate allows a call, and return how many of `count` calls may start at that moment."""
        return self._pace.at_once(count)

    def book(self, count: int) -> int:
        """Do the same as `at_once`, for calls that another client, such as the platform, sends at this moment."""
        return self._pace.book(count)

    def send(
        self,
        operation: Operation,
        body: bytes,
        *,
        paced: bool = True,
        label: str = "",
        method: str = "POST",
        content_type: str = "application/json",
        more_headers: Mapping[str, str] = _NO_HEADERS,
    ) -> Exchange:
        """Send a body to an operation's path and return the exchange, with its answer or its failure.

        Waits for the declared rate limit first, unless `paced` is False, for a test of the limit itself.

        Raises HarnessBroke if the HTTP library refuses to send the request.
        """
        if paced:
            self._pace.wait()
        else:
            self._pace.count()
        url = self._profile.connector.url + operation.path
        headers = {**self._headers(url, body, method, content_type), **more_headers}
        started_at, start = self._now(), time.perf_counter()
        answer, failure, detail = self._call(httpx.Request(method, url, headers=headers, content=body), start)
        elapsed_s = time.perf_counter() - start
        return self._record(
            Exchange(operation, method, url, headers, body, started_at, elapsed_s, answer, failure, detail, label)
        )

    def show(self, exchanges: Iterable[Exchange]) -> None:
        """Add earlier exchanges to those of the running scenario."""
        for exchange in exchanges:
            self._keep(exchange)

    def prepare_raw(self, operation: Operation, bodies: Sequence[bytes]) -> RawConnection:
        """Return a raw connection for these requests, which sends them in ways that no HTTP library supports."""
        for _ in bodies:
            self._pace.wait()
        url = self._profile.connector.url + operation.path
        requests = [(self._headers(url, body, "POST", "application/json"), body) for body in bodies]
        return RawConnection(operation, url, requests, self._now, self._record)

    def _connection(self) -> httpx.Client:
        """Return a client for one call: in a shared pool, one thread can close a connection that another has taken."""
        transport = httpx.HTTPTransport(verify=self._tls, trust_env=False)
        return httpx.Client(transport=transport, timeout=READ_FOR_S, follow_redirects=False, trust_env=False)

    def _record(self, exchange: Exchange) -> Exchange:
        own_lag_s = own_lag().since(time.perf_counter() - exchange.elapsed_s)
        exchange = replace(exchange, secrets=self._secrets, own_lag_s=own_lag_s)
        timed_out = exchange.failure is NoAnswer.TIMED_OUT
        self._timed_out_in_a_row = self._timed_out_in_a_row + 1 if timed_out else 0
        self._keep(exchange)
        return exchange

    def _call(self, request: httpx.Request, start: float) -> tuple[Answer | None, NoAnswer | None, str]:
        read_for_s = READ_FOR_S if self._timed_out_in_a_row < _MOST_TIMED_OUT else _READ_BRIEFLY_FOR_S
        with Deadline(read_for_s) as deadline:
            request.extensions = {**request.extensions, "trace": deadline.trace}
            try:
                with self._connection() as client, contextlib.closing(client.send(request, stream=True)) as response:
                    content = b"".join(_until(response.iter_raw(), start + read_for_s))
                return Answer(response.status_code, dict(response.headers), _decoded(response, content)), None, ""
            except httpx.LocalProtocolError as error:
                raise HarnessBroke(f"the HTTP library refuses to send the request: {error}") from error
            except (httpx.HTTPError, zlib.error) as error:
                if deadline.passed or isinstance(error, httpx.TimeoutException):
                    return None, NoAnswer.TIMED_OUT, f"no complete answer within {read_for_s:g} s"
                if isinstance(error, httpx.TransportError):
                    return None, NoAnswer.NO_CONNECTION, f"the connection failed: {error or type(error).__name__}"
                return None, NoAnswer.MALFORMED_ANSWER, f"the answer is not HTTP: {error}"

    def _headers(self, url: str, body: bytes, method: str, content_type: str) -> dict[str, str]:
        connector = self._profile.connector
        headers = {
            "Host": urlsplit(url).netloc,
            "Content-Type": content_type,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
        }
        if connector.auth == "headers":
            return headers | connector.headers
        if connector.auth == "sigv4":
            return sign(method, url, headers, body, connector.key, region=connector.region, now=self._now())
        return headers


def declared_secrets(profile: Profile) -> Iterator[str]:
    """Yield the values of a profile that no report may show."""
    connector, keys = profile.connector, profile.keys
    yield from connector.headers.values()
    yield from (connector.secret_access_key, connector.session_token)
    yield from (getattr(keys, kind) for kind in profile.declared_keys())


def _until(chunks: Iterator[bytes], deadline: float) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if time.perf_counter() > deadline or size > _LARGEST_ANSWER:
            raise httpx.ReadTimeout("the answer does not end")
        yield chunk


def _decoded(response: httpx.Response, content: bytes) -> bytes:
    """Decompress gzip or deflate, which the request did not accept, up to the largest answer: a bomb stays small."""
    if response.headers.get("content-encoding", "").strip().lower() not in {"gzip", "x-gzip", "deflate"}:
        return content
    return zlib.decompressobj(_GZIP_OR_ZLIB).decompress(content, _LARGEST_ANSWER)
