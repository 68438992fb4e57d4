"""The HTTP driver: sends a message as the platform would and times the whole call.

Each call has a connection of its own, since the 2 seconds of the gate include connecting. Redirects are not followed.
The driver reads a late answer for some time, so that a report can show it.
"""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from conformance.credentials import Credentials
from conformance.drivers.deadline import Deadline
from conformance.drivers.exchange import Answer, Exchange
from conformance.drivers.own_lag import own_lag
from conformance.drivers.raw_connection import RawConnection, Wire
from conformance.drivers.spacing import Spacing
from conformance.errors import HarnessBroke, NotDeclared, OutOfTime
from jwo_contract.gate import NoAnswer
from jwo_contract.operations import Operation
from jwo_contract.profile import Profile
from jwo_contract.sigv4 import sign
from jwo_toolkit.content_coding import BadCoding, decoded
from jwo_toolkit.pacing import Pace
from jwo_toolkit.tls import client_context

READ_FOR_S = 10.0
"""How long the driver reads an answer before the call counts as timed out, or longer after a longer budget."""
_USUAL_BUDGET_S, _AFTER_BUDGET_S = 5.0, 2.0
"""After a longer budget than the usual one, the driver still reads for these seconds, to show a late answer."""
_LARGEST_ANSWER = 4_000_000
_MOST_TIMED_OUT = 3
_READ_BRIEFLY_FOR_S = 3.0
"""The shorter time after three time-outs in a row; long enough to see a late answer."""
_NO_HEADERS: Mapping[str, str] = {}
_SECOND_S = 1.25
"""The second of a declared rate limit, and a margin for calls that arrive closer together than they were sent."""
_EVENLY_S = 1.1
"""The margin for calls that are spaced evenly, of which each counts from its arrival."""
_LIMITED, _LIMITED_TRIES = 429, 4
_SETTLED_S = 0.6
"""A call arrives within this time after it was sent, however late its answer is."""


class ConnectorClient:
    """Calls one connector, and passes every finished exchange to `keep`. Safe to use from several threads."""

    def __init__(self, profile: Profile, now: Callable[[], datetime], keep: Callable[[Exchange], None]) -> None:
        self._profile = profile
        self._now = now
        self._keep = keep
        self._timed_out_in_a_row = 0
        self._secrets = frozenset(declared_secrets(profile))
        self._rate, self._burst = profile.limits.rate_limit_per_second, profile.limits.burst
        self._pace = _pace(self._rate, self._burst)
        self._spacing = Spacing(self._rate, self._burst)
        self._tls = client_context(profile.connector.ca_file)
        self.until = math.inf
        """The time of the monotonic clock after which no call is sent."""
        own_lag()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Do nothing: no connection stays open between calls."""

    def at_once(self, count: int) -> int:
        """Wait until the declared rate allows a call, and return how many of `count` calls may start at that moment.

        Raises NotDeclared if the connector allows no two calls at the same moment.
        """
        self._needs_time()
        self._needs_burst(min(count, 2))
        return self._pace.at_once(count)

    def book(self, count: int) -> int:
        """Do the same as `at_once`, for calls that another client, such as the platform, sends at this moment."""
        self._needs_time()
        allowed = self._pace.book(count)
        self._spacing.note(allowed, _SETTLED_S)
        return allowed

    def pause(self) -> None:
        """Send nothing until the whole declared rate is free again, after calls that did not wait for it."""
        self._pace.pause(_SECOND_S)

    def read_for_s(self, operation: Operation) -> float:
        """Return how long an answer is read, which is longer than its declared budget."""
        budget_s = operation.answer_budget_s(self._profile.house)
        has_usual_budget = budget_s <= _USUAL_BUDGET_S or math.isinf(budget_s)
        return READ_FOR_S if has_usual_budget else max(READ_FOR_S, budget_s + _AFTER_BUDGET_S)

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

        Raises HarnessBroke if the HTTP library refuses to send the request, and OutOfTime after the time of the run.
        """
        url = self._profile.connector.url + operation.path
        headers = {**self._headers(url, body, method, content_type), **more_headers}
        return self.send_as(operation, body, headers, paced=paced, label=label, method=method)

    def send_as(
        self,
        operation: Operation,
        body: bytes,
        headers: dict[str, str],
        *,
        paced: bool = True,
        label: str = "",
        method: str = "POST",
    ) -> Exchange:
        """Do the same as `send`, with these headers instead of the declared ones.

        Sends the call again after a 429, if the suite itself may have sent calls closer together than declared.
        """
        for _ in range(_LIMITED_TRIES):
            exchange, was_kept = self._send_once(operation, body, headers, label, method, paced=paced)
            if was_kept or exchange.answer is None or exchange.answer.status != _LIMITED:
                break
            self.pause()
        return exchange

    def _send_once(
        self, operation: Operation, body: bytes, headers: dict[str, str], label: str, method: str, *, paced: bool
    ) -> tuple[Exchange, bool]:
        """Send a call; return it, and whether the declared rate was certainly kept or the call does not keep it."""
        self._needs_time()
        if paced:
            self._pace.wait()
        url = self._profile.connector.url + operation.path
        request = httpx.Request(method, url, headers=headers, content=body)
        started_at, start = self._now(), time.perf_counter()
        with self._spacing.call() as call:
            answer, failure, detail = self._call(request, start, self.read_for_s(operation))
        elapsed_s = time.perf_counter() - start
        if paced:
            self._pace.arrived(max(0.0, elapsed_s - _SETTLED_S))
        else:
            self.pause()
        exchange = self._record(
            Exchange(operation, method, url, headers, body, started_at, elapsed_s, answer, failure, detail, label)
        )
        return exchange, not paced or self._spacing.was_kept(call)

    def send_with(self, operation: Operation, body: bytes, credentials: Credentials) -> Exchange:
        """Send a body with other credentials than the declared ones."""
        url = self._profile.connector.url + operation.path
        signed = body if credentials.signed_body is None else credentials.signed_body
        headers = _authenticated(url, signed, credentials, self._now())
        return self.send_as(operation, body, headers, label=credentials.label)

    def show(self, exchanges: Iterable[Exchange]) -> None:
        """Add earlier exchanges to those of the running scenario."""
        for exchange in exchanges:
            self._keep(exchange)

    def prepare_raw(self, operation: Operation, bodies: Sequence[bytes]) -> RawConnection:
        """Return a raw connection for these requests, which sends them in ways that no HTTP library supports."""
        self._needs_time()
        self._needs_burst(len(bodies))
        self.book(len(bodies))
        url = self._profile.connector.url + operation.path
        requests = [(self._headers(url, body, "POST", "application/json"), body) for body in bodies]
        wire = Wire(self.read_for_s(operation), self._tls)
        return RawConnection(operation, url, requests, self._now, self._record_raw, wire)

    def _needs_time(self) -> None:
        if time.monotonic() > self.until:
            raise OutOfTime("the time of the run was over")

    def _needs_burst(self, count: int) -> None:
        if self._rate and count > self._burst:
            raise NotDeclared(
                f"[limits] burst = {self._burst} allows no {count} calls at the same moment; declare a burst "
                "if the connector allows one"
            )

    def _connection(self, read_for_s: float) -> httpx.Client:
        """Return a client for one call: in a shared pool, one thread can close a connection that another has taken."""
        transport = httpx.HTTPTransport(verify=self._tls, trust_env=False)
        return httpx.Client(transport=transport, timeout=read_for_s, follow_redirects=False, trust_env=False)

    def _record(self, exchange: Exchange) -> Exchange:
        own_lag_s = own_lag().since(time.perf_counter() - exchange.elapsed_s)
        exchange = replace(exchange, secrets=self._secrets, own_lag_s=own_lag_s)
        timed_out = exchange.failure is NoAnswer.TIMED_OUT
        self._timed_out_in_a_row = self._timed_out_in_a_row + 1 if timed_out else 0
        self._keep(exchange)
        return exchange

    def _record_raw(self, exchange: Exchange) -> Exchange:
        """Record a call that may have arrived as late as its last byte, long after its start."""
        self._pace.arrived(0.0)
        self._spacing.note(1, 0.0)
        return self._record(exchange)

    def _call(
        self, request: httpx.Request, start: float, read_for_s: float
    ) -> tuple[Answer | None, NoAnswer | None, str]:
        if self._timed_out_in_a_row >= _MOST_TIMED_OUT:
            read_for_s -= READ_FOR_S - _READ_BRIEFLY_FOR_S
        with Deadline(read_for_s) as deadline:
            request.extensions = {**request.extensions, "trace": deadline.trace}
            try:
                connection = self._connection(read_for_s)
                with connection as client, contextlib.closing(client.send(request, stream=True)) as response:
                    content = b"".join(_until(response.iter_raw(), start + read_for_s))
                body = decoded(content, response.headers.get("content-encoding", ""), _LARGEST_ANSWER)
                return Answer(response.status_code, dict(response.headers), body), None, ""
            except httpx.LocalProtocolError as error:
                raise HarnessBroke(f"the HTTP library refuses to send the request: {error}") from error
            except BadCoding as error:
                return None, NoAnswer.MALFORMED_ANSWER, str(error)
            except httpx.HTTPError as error:
                if deadline.passed or isinstance(error, httpx.TimeoutException):
                    return None, NoAnswer.TIMED_OUT, f"no complete answer within {read_for_s:g} s"
                if isinstance(error, httpx.TransportError):
                    return None, NoAnswer.NO_CONNECTION, f"the connection failed: {error or type(error).__name__}"
                return None, NoAnswer.MALFORMED_ANSWER, f"the answer is not HTTP: {error}"

    def _headers(self, url: str, body: bytes, method: str, content_type: str) -> dict[str, str]:
        declared = Credentials("", self._profile.connector)
        return _authenticated(url, body, declared, self._now(), method, content_type)


def _authenticated(
    url: str,
    body: bytes,
    credentials: Credentials,
    now: datetime,
    method: str = "POST",
    content_type: str = "application/json",
) -> dict[str, str]:
    """Return the headers of a call with these credentials."""
    connector = credentials.connector
    headers = {
        "Host": urlsplit(url).netloc,
        "Content-Type": content_type,
        "Accept": "application/json",
        "Accept-Encoding": "identity",
    }
    if connector.auth == "headers":
        return headers | connector.headers
    if connector.auth != "sigv4":
        return headers
    at = now - credentials.signed_ago
    signed = sign(method, url, headers, body, connector.key, region=connector.region, now=at)
    return signed | {"Authorization": credentials.tamper(signed["Authorization"])}


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


def _pace(rate: int, burst: int) -> Pace:
    """Return the pace of a rate limit: at most `burst` calls together, and never more than `rate` in a second."""
    if not rate:
        return Pace(0, 0.0)
    if burst == 1:
        return Pace(1, _EVENLY_S / rate)
    bursts_per_second = rate // burst if burst <= rate else rate / burst
    return Pace(burst, _SECOND_S / bursts_per_second)
