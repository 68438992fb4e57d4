"""Signed calls to the platform's catalog API: paced, and repeated after failures that may pass."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

import orjson

from jwo_contract import sigv4
from jwo_contract.errors import MalformedBody
from jwo_contract.messages import message, parse_object
from jwo_contract.operations import Operation
from jwo_toolkit.pacing import Pace
from reference_connector.catalog_client.attempts import Attempts
from reference_connector.catalog_client.sending import Answer, Sender, bare
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import BadRows, CatalogClientError, MalformedAnswer, PlatformRefused
from reference_connector.telemetry import Clock

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_KEYS_HINT = (
    "check JWO_CATALOG_ACCESS_KEY_ID, JWO_CATALOG_SECRET_ACCESS_KEY, JWO_CATALOG_SESSION_TOKEN (it expires), "
    "JWO_CATALOG_REGION and the clock of this machine"
)
_HINTS = {
    401: _KEYS_HINT,
    403: _KEYS_HINT,
    404: "check JWO_CATALOG_ENDPOINT, which is an address without a path",
    413: "set JWO_CATALOG_CHUNK_ROWS to fewer rows",
}
_CONNECTIVITY_HINTS = {
    201: "check JWO_CATALOG_CONNECTIVITY_PATH",
    403: "check that the account is allow-listed, and that the policy of its role allows the connectivity test",
    404: "check JWO_CATALOG_CONNECTIVITY_PATH",
}
_SHOWN_CHARACTERS = 200


class PlatformCalls:
    """Calls operations. It signs each attempt again, since a signature has a time."""

    def __init__(
        self, settings: CatalogClientSettings, *, sender: Sender, attempts: Attempts, pace: Pace, clock: Clock
    ) -> None:
        self._settings = settings
        self._sender = sender
        self._attempts = attempts
        self._pace = pace
        self._clock = clock
        token = settings.session_token.get_secret_value() if settings.session_token else None
        self._key = sigv4.Key(settings.access_key_id, settings.secret_access_key.get_secret_value(), token or None)

    def call(self, operation: Operation, body: dict[str, Any], end: float = math.inf) -> dict[str, Any]:
        """Return the answer's body. `end` is a time of the monotonic clock, after which no attempt begins.

        Raises PlatformRefused for an error status. Raises PlatformUnreachable if there is no answer, and
        MalformedAnswer if the answer breaks the contract.
        """
        try:
            content = orjson.dumps(body)
        except TypeError as error:
            raise BadRows("a text is not valid Unicode", hint="write the file or the option in UTF-8") from error
        return self._attempts.run(operation.name, lambda: self._attempt(operation, content), end)

    def test_connectivity(self) -> dict[str, Any]:
        """Make the signed call of the connectivity test, and return the answer's body, which may be empty.

        Raises PlatformRefused for an error status, and PlatformUnreachable if there is no answer.
        """
        return self._attempts.run("the connectivity test", self._connectivity_attempt)

    def _connectivity_attempt(self) -> dict[str, Any]:
        answer = self._send(self._settings.connectivity_path, b"{}")
        if answer.status != HTTPStatus.OK:
            refusal = self._refusal(answer, HTTPStatus.OK)
            refusal.hint = "; ".join(filter(None, (refusal.hint, _CONNECTIVITY_HINTS.get(answer.status, ""))))
            raise refusal
        try:
            return parse_object(answer.content) if answer.content else {}
        except MalformedBody as error:
            raise MalformedAnswer(f"the connectivity test: {error}") from error

    def _attempt(self, operation: Operation, content: bytes) -> dict[str, Any]:
        answer = self._send(operation.path, content)
        if answer.status == operation.success:
            return _checked(answer, operation)
        raise self._refusal(answer, operation.success)

    def _send(self, path: str, content: bytes) -> Answer:
        url = self._settings.endpoint.rstrip("/") + path
        try:
            self._pace.wait()
        except OSError as error:
            raise CatalogClientError(
                f"the file {error.filename} of the pace is not usable ({error.strerror})",
                hint="name another file in JWO_CATALOG_PACE_FILE",
            ) from error
        headers = sigv4.sign("POST", url, _HEADERS, content, self._key, region=self._settings.region, now=self._clock())
        return self._sender.send("POST", url, content, headers)

    def _refusal(self, answer: Answer, success: int) -> PlatformRefused:
        text, asked_s = _error_text(answer), answer.retry_after_s()
        is_final_500 = text == self._settings.catalog.error500_final_text and asked_s is None
        hint = _HINTS.get(answer.status, "")
        if 300 <= answer.status < 400:  # noqa: PLR2004 - the redirects
            target = bare(answer.headers.get("location", ""))
            text, hint = f"a redirect to {target}", "set JWO_CATALOG_ENDPOINT to the final address"
        elif answer.status < 300:  # noqa: PLR2004 - the statuses of success
            text, hint = f"not {success:d}, with the text {text!r}", _HINTS[404]
        return PlatformRefused(
            answer.status,
            text or _phrase(answer.status),
            may_pass=answer.status in self._settings.retried_statuses and not is_final_500,
            retry_after_s=asked_s,
            hint=hint,
        )


def _checked(answer: Answer, operation: Operation) -> dict[str, Any]:
    try:
        body = parse_object(answer.content)
    except MalformedBody as error:
        is_damaged = isinstance(error.__cause__, orjson.JSONDecodeError)
        raise MalformedAnswer(f"{operation.name}: {error}", may_pass=is_damaged) from error
    if not message(operation.response).is_valid(body):
        wrong = message(operation.response).violations(body)[0].message
        raise MalformedAnswer(f"{operation.name}: {wrong}")
    return body


def _error_text(answer: Answer) -> str:
    try:
        body = parse_object(answer.content)
    except MalformedBody:
        return " ".join(answer.content.decode(errors="replace").split())[:_SHOWN_CHARACTERS]
    return str(body.get("errorMsg") or body.get("message") or "")[:_SHOWN_CHARACTERS]


def _phrase(status: int) -> str:
    """Return the standard phrase of a status, for an answer without a text."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "without a text"
