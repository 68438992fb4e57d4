"""Signed calls to the platform's catalog API: paced, and repeated after failures that may pass."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

import orjson

from jwo_contract.errors import MalformedBody
from jwo_contract.messages import parse_object
from jwo_contract.operations import Operation
from jwo_toolkit.pacing import Pace
from reference_connector.catalog_client.attempts import Attempts
from reference_connector.catalog_client.sending import Sender
from reference_connector.catalog_client.settings import CatalogClientSettings
from reference_connector.errors import BadRows, MalformedAnswer, PlatformClientError, PlatformRefused
from reference_connector.platform_calls.answers import Answer, bare, checked_body, error_text, may_pass, phrase
from reference_connector.platform_calls.signing import Signer
from reference_connector.telemetry import Clock

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


class PlatformCalls:
    """Calls operations. It signs each attempt again, since a signature has a time."""

    def __init__(
        self, settings: CatalogClientSettings, *, sender: Sender, attempts: Attempts, pace: Pace, clock: Clock
    ) -> None:
        self._settings = settings
        self._sender = sender
        self._attempts = attempts
        self._pace = pace
        self._signer = Signer(
            settings.access_key_id, settings.secret_access_key, settings.session_token, settings.region, clock
        )

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
            return checked_body(answer, operation)
        raise self._refusal(answer, operation.success)

    def _send(self, path: str, content: bytes) -> Answer:
        url = self._settings.endpoint.rstrip("/") + path
        try:
            self._pace.wait()
        except OSError as error:
            raise PlatformClientError(
                f"the file {error.filename} of the pace is not usable ({error.strerror})",
                hint="name another file in JWO_CATALOG_PACE_FILE",
            ) from error
        return self._sender.send("POST", url, content, self._signer.headers(url, content))

    def _refusal(self, answer: Answer, success: int) -> PlatformRefused:
        text, asked_s = error_text(answer), answer.retry_after_s()
        hint = _HINTS.get(answer.status, "")
        if 300 <= answer.status < 400:  # noqa: PLR2004 - the redirects
            target = bare(answer.headers.get("location", ""))
            text, hint = f"a redirect to {target}", "set JWO_CATALOG_ENDPOINT to the final address"
        elif answer.status < 300:  # noqa: PLR2004 - the statuses of success
            text, hint = f"not {success:d}, with the text {text!r}", _HINTS[404]
        return PlatformRefused(
            answer.status,
            text or phrase(answer.status),
            may_pass=may_pass(answer, self._settings.retried_statuses, self._settings.catalog.error500_final_text),
            retry_after_s=asked_s,
            hint=hint,
        )
