"""Signed calls to the platform's catalog API: paced, and repeated if the platform advises it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import orjson

from contract import sigv4
from contract.errors import MalformedBody
from contract.messages import message, parse_object
from contract.operations import Operation
from jwo_toolkit.pacing import Pace
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import MalformedAnswer, PlatformRefused, PlatformUnreachable
from reference_connector.telemetry import Clock, EventLog

_TOO_MANY = 429
_SERVER_ERROR = 500
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


class PlatformCalls:
    """Calls operations. It signs each attempt again, since a signature has a time."""

    def __init__(
        self,
        settings: CatalogClientSettings,
        *,
        http: httpx.Client,
        pace: Pace,
        clock: Clock,
        sleep: Callable[[float], None],
        log: EventLog,
    ) -> None:
        self._settings = settings
        self._http = http
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._log = log
        token = settings.session_token.get_secret_value() if settings.session_token else None
        self._key = sigv4.Key(settings.access_key_id, settings.secret_access_key.get_secret_value(), token or None)

    def call(self, operation: Operation, body: dict[str, Any]) -> dict[str, Any]:
        """Return the answer's body.

        Raises PlatformRefused for a final error. Raises PlatformUnreachable if there is no answer, and MalformedAnswer
        if the answer breaks the contract.
        """
        content = orjson.dumps(body)
        for attempt in range(1, self._settings.max_attempts + 1):
            answer = self._attempt(operation, content)
            if answer.status_code == operation.success:
                return _checked(answer, operation)
            wait_s = self._wait_s(answer, attempt)
            self._log.event("catalog_call_failed", call=operation.name, status=answer.status_code, retryInS=wait_s)
            if wait_s is None or attempt == self._settings.max_attempts:
                break
            self._sleep(wait_s)
        raise PlatformRefused(answer.status_code, _error_text(answer))

    def _attempt(self, operation: Operation, content: bytes) -> httpx.Response:
        url = self._settings.endpoint.rstrip("/") + operation.path
        self._pace.wait()
        headers = sigv4.sign("POST", url, _HEADERS, content, self._key, region=self._settings.region, now=self._clock())
        try:
            return self._http.post(url, content=content, headers=headers)
        except httpx.HTTPError as error:
            raise PlatformUnreachable(
                f"no answer from {url}: {type(error).__name__}: {error}",
                hint="check that the platform runs, and the variable JWO_CATALOG_ENDPOINT",
            ) from error

    def _wait_s(self, answer: httpx.Response, attempt: int) -> float | None:
        """Return the seconds to wait before another attempt, or None if another attempt is of no use."""
        asked_s = _retry_after_s(answer)
        backoff_s = self._settings.backoff_first_s * 2 ** (attempt - 1)
        if answer.status_code == _TOO_MANY:
            return asked_s if asked_s is not None else max(backoff_s, self._settings.catalog.retry_after_s)
        if answer.status_code != _SERVER_ERROR:
            return None
        advised = "retry-after" in answer.headers or _error_text(answer) == self._settings.catalog.error500_retry_text
        return max(backoff_s, asked_s or 0.0) if advised else None


def _checked(answer: httpx.Response, operation: Operation) -> dict[str, Any]:
    try:
        body = parse_object(answer.content)
    except MalformedBody as error:
        raise MalformedAnswer(f"{operation.name}: {error}") from error
    if not message(operation.response).is_valid(body):
        wrong = message(operation.response).violations(body)[0].message
        raise MalformedAnswer(f"{operation.name}: {wrong}")
    return body


def _retry_after_s(answer: httpx.Response) -> float | None:
    text = answer.headers.get("retry-after", "").strip()
    return float(text) if text.isascii() and text.isdigit() else None


def _error_text(answer: httpx.Response) -> str:
    try:
        body = parse_object(answer.content)
    except MalformedBody:
        return answer.text[:200]
    return str(body.get("errorMsg") or body.get("message") or "")
