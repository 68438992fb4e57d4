"""Makes single attempts of signed calls to the platform, with amounts as exact decimals."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import httpx

from jwo_contract.exact_json import dump_exact, parse_exact
from jwo_contract.operations import Operation
from jwo_toolkit.content_coding import BadCoding, decoded
from jwo_toolkit.json_types import JsonObject
from jwo_toolkit.keep_alive import KEEP_IDLE_S
from jwo_toolkit.tls import client_context
from reference_connector.errors import MalformedAnswer, PlatformRefused, PlatformUnreachable
from reference_connector.platform_calls.answers import Answer, bare, checked_body, error_text, may_pass, phrase
from reference_connector.platform_calls.hosts import Hosts
from reference_connector.platform_calls.settings import PlatformAccess
from reference_connector.platform_calls.signing import Signer
from reference_connector.telemetry import Clock

_HINTS = {
    401: "check the keys JWO_CONNECTOR_PLATFORM__*, the region, and the clock of this machine",
    403: "check that the account is allow-listed, the keys JWO_CONNECTOR_PLATFORM__*, and the clock of this machine",
    404: "check JWO_CONNECTOR_PLATFORM__ENDPOINT, which is an address without a path",
}


class PlatformCaller:
    """Calls operations of the platform. Each call is one attempt: the caller keeps it on disk, and repeats it.

    An error has `may_pass`, which says whether a repetition may succeed, and `retry_after_s`, the pause that the
    platform asks for.
    """

    def __init__(
        self,
        access: PlatformAccess,
        *,
        block_amazon: bool,
        clock: Clock,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._access = access
        self._hosts = Hosts(access.endpoint, block_amazon=block_amazon) if access.endpoint else None
        self._signer = Signer(
            access.access_key_id, access.secret_access_key, access.session_token, access.region, clock
        )
        self._pace = _Pace(access.rate_per_s)
        self._transport = transport
        self._http: httpx.AsyncClient | None = None

    async def call(self, operation: Operation, body: Mapping[str, Any]) -> JsonObject:
        """Return the answer's body, with a Decimal for each number; an empty answer is `{}`.

        Raises PlatformRefused for an error status. Raises PlatformUnreachable if there is no whole answer, and
        MalformedAnswer if the answer breaks the contract. Raises ForbiddenHost if the settings forbid the address.
        """
        url, content = self._access.url_of(operation), dump_exact(body)
        if self._hosts is None:
            raise PlatformUnreachable(
                "the connector has no platform to call", may_pass=False, hint=f"set {self._access.missing}"
            )
        self._hosts.allowed(url)
        await self._pace.wait(operation.name)
        answer = await self._sent(url, content)
        if answer.status == operation.success:
            whole = answer._replace(content=answer.content or b"{}")
            checked_body(whole, operation)
            return parse_exact(whole.content)
        raise PlatformRefused(
            answer.status,
            error_text(answer) or phrase(answer.status),
            may_pass=may_pass(answer, self._access.retried_statuses, self._access.final_500_text),
            retry_after_s=self._pause_s(answer),
            hint=_HINTS.get(answer.status, ""),
        )

    def _pause_s(self, answer: Answer) -> float | None:
        asked_s = answer.retry_after_s()
        return None if asked_s is None else min(asked_s, self._access.retry_after_max_s)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.aclose()
        self._http = None

    async def _sent(self, url: str, content: bytes) -> Answer:
        try:
            async with asyncio.timeout(self._access.timeout_s):
                return await self._exchanged(url, content)
        except TimeoutError as error:
            seconds = self._access.timeout_s
            raise PlatformUnreachable(f"no whole answer from {bare(url)} within {seconds:g} s") from error
        except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError) as error:
            # the text of such an error may repeat a header, and with it a secret
            what = f"the request to {bare(url)} is not valid ({type(error).__name__})"
            raise PlatformUnreachable(what, may_pass=False) from error
        except httpx.HTTPError as error:
            raise PlatformUnreachable(f"no answer from {bare(url)}: {error or type(error).__name__}") from error
        except BadCoding as error:
            raise MalformedAnswer(f"the answer of {bare(url)} is damaged: {error}", may_pass=True) from error

    async def _exchanged(self, url: str, content: bytes) -> Answer:
        most, body = self._access.answer_limit_bytes, b""
        async with self._client().stream(
            "POST", url, content=content, headers=self._signer.headers(url, content)
        ) as response:
            async for part in response.aiter_raw():
                body += part
                if len(body) > most:
                    raise MalformedAnswer(f"the answer of {bare(url)} has more than {most} bytes")
        whole = decoded(body, response.headers.get("content-encoding", ""), most + 1)
        if len(whole) > most:
            raise MalformedAnswer(f"the answer of {bare(url)} has more than {most} bytes")
        return Answer(response.status_code, response.headers, whole)

    def _client(self) -> httpx.AsyncClient:
        """Return the HTTP client; the first call makes it, as it belongs to the running event loop."""
        if self._http is None:
            self._http = httpx.AsyncClient(
                timeout=self._access.timeout_s,
                follow_redirects=False,
                trust_env=False,
                verify=client_context(self._access.ca_file),
                limits=httpx.Limits(keepalive_expiry=KEEP_IDLE_S),
                transport=self._transport,
            )
        return self._http


class _Pace:
    """Spreads the calls of each API evenly. A call that is given up while it waits uses no part of the rate."""

    def __init__(self, rate_per_s: float) -> None:
        self._every_s = 1 / rate_per_s if rate_per_s else 0.0
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._next: dict[str, float] = {}

    async def wait(self, api: str) -> None:
        """Wait until one more call of an API is allowed."""
        if not self._every_s:
            return
        clock = asyncio.get_running_loop().time
        async with self._turns[api]:
            await asyncio.sleep(self._next.get(api, 0.0) - clock())
            self._next[api] = clock() + self._every_s
