"""Sends one HTTP request. It limits the time and the size of the whole answer, and explains each failure."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping

import httpx

from jwo_toolkit.content_coding import BadCoding, decoded
from reference_connector.catalog_client.deadlines import Deadline
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import MalformedAnswer, PlatformUnreachable
from reference_connector.platform_calls.answers import Answer, bare

_ADDRESS_HINT = "check that the platform runs, and the variable JWO_CATALOG_ENDPOINT"
_REQUEST_HINT = "check the variables JWO_CATALOG_ENDPOINT and JWO_CATALOG_SESSION_TOKEN"
_LINK_HINT = "the platform named this address; check that it is right, and that this machine can reach it"
_ACCEPTED_CODINGS = {"Accept-Encoding": "gzip, deflate"}


class Sender:
    """Sends requests with a shared HTTP client, which ends each exchange at the deadline."""

    def __init__(
        self,
        http: httpx.Client,
        settings: CatalogClientSettings,
        monotonic: Callable[[], float],
        deadline: Deadline,
    ) -> None:
        self._http = http
        self._settings = settings
        self._monotonic = monotonic
        self._deadline = deadline

    def send(self, method: str, url: str, content: bytes = b"", headers: Mapping[str, str] | None = None) -> Answer:
        """Send a request and return the answer, of any status.

        Raises PlatformUnreachable if there is no complete answer. Raises MalformedAnswer if its coding is damaged, or
        if it is too large.
        """
        self._deadline.at = self._monotonic() + self._settings.answer_limit_s
        try:
            with self._http.stream(
                method, url, content=content, headers={**(headers or {}), **_ACCEPTED_CODINGS}
            ) as response:
                body = self._body(response)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._unreachable(url, error) from error
        coding = response.headers.get("content-encoding", "")
        return Answer(response.status_code, response.headers, self.decode(body, coding))

    def decode(self, body: bytes, coding: str) -> bytes:
        """Return a body without a coding. Raises MalformedAnswer if the body is damaged or too large."""
        most = self._settings.answer_limit_bytes
        try:
            content = decoded(body, coding, most + 1)
        except BadCoding as error:
            raise MalformedAnswer(f"the answer is damaged: {error}", may_pass=True) from error
        if len(content) > most:
            raise MalformedAnswer(
                f"the answer has more than {most} bytes", hint="set JWO_CATALOG_ANSWER_LIMIT_BYTES if it is right"
            )
        return content

    def _body(self, response: httpx.Response) -> bytes:
        parts, size = [], 0
        for part in response.iter_raw():
            parts.append(part)
            size += len(part)
            if size > self._settings.answer_limit_bytes:
                break  # `decode` reports it
        return b"".join(parts)

    def _unreachable(self, url: str, error: Exception) -> PlatformUnreachable:
        where, is_ours = bare(url), url.startswith(self._settings.endpoint.rstrip("/"))
        if isinstance(error, httpx.TimeoutException) and self._deadline.is_over:
            return PlatformUnreachable(
                f"the answer of {where} was not complete after {self._settings.answer_limit_s:g} s",
                hint="set JWO_CATALOG_ANSWER_LIMIT_S if such a time is right",
            )
        if isinstance(error, httpx.TimeoutException):
            return PlatformUnreachable(
                f"no answer from {where} within {self._settings.timeout_s:g} s (JWO_CATALOG_TIMEOUT_S)",
                hint=_ADDRESS_HINT if is_ours else _LINK_HINT,
            )
        if isinstance(error, (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL, UnicodeError)):
            # the text of such an error may repeat a header, and with it a secret
            return PlatformUnreachable(
                f"the request to {where} is not valid ({type(error).__name__})",
                may_pass=False,
                hint="check the variables JWO_CATALOG_ENDPOINT and JWO_CATALOG_SESSION_TOKEN"
                if is_ours
                else _LINK_HINT,
            )
        reason = str(error) or type(error).__name__
        fault = _tls_fault(error)
        if isinstance(fault, ssl.SSLCertVerificationError):
            return PlatformUnreachable(
                f"the certificate of {where} is not trusted ({fault.verify_message.rstrip('.')})",
                may_pass=False,
                hint="name the certificate of the CA that signed it in JWO_CATALOG_CA_FILE",
            )
        if fault is not None:
            return PlatformUnreachable(
                f"the TLS handshake with {where} fails: {fault.reason or reason}",
                may_pass=fault.reason != "WRONG_VERSION_NUMBER",  # the server speaks plain HTTP there
                hint="check the scheme and the port of JWO_CATALOG_ENDPOINT" if is_ours else _LINK_HINT,
            )
        hint = _ADDRESS_HINT if is_ours else _LINK_HINT
        return PlatformUnreachable(f"no answer from {where}: {reason}", hint=hint)


def _tls_fault(error: BaseException) -> ssl.SSLError | None:
    """Return the error of TLS that caused an error of the HTTP client."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return cause
        cause = cause.__cause__ or cause.__context__
    return None
