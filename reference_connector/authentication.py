"""Who may call the two calls of the platform: SigV4, agreed headers, or anybody. A refusal is 403 with `message`."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic import SecretStr

from contract import sigv4
from contract.errors import SignatureRejected
from contract.house import Auth
from reference_connector.errors import NotAuthenticated
from reference_connector.settings import Caller
from reference_connector.telemetry import Clock


class Gatekeeper:
    """Checks a request as it arrived; NotAuthenticated carries the code of what is wrong."""

    def __init__(self, caller: Caller, rules: Auth, clock: Clock) -> None:
        self._caller = caller
        self._rules = rules
        self._clock = clock
        self._seen = _SeenSignatures(rules.max_skew_s)
        token = caller.session_token.get_secret_value() if caller.session_token else None
        self._key = sigv4.Key(caller.access_key_id, caller.secret_access_key.get_secret_value(), token or None)

    @property
    def asks(self) -> bool:
        """Whether there is anything to check."""
        return self._caller.mode != "none"

    def check(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Let the request through, or raise NotAuthenticated."""
        if self._caller.mode == "sigv4":
            self._check_signature(method, url, headers, body)
        elif self._caller.mode == "headers":
            _check_headers(self._caller.headers, headers)

    def _check_signature(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        try:
            sigv4.verify(
                method,
                url,
                headers,
                body,
                find_key=lambda key_id: self._key if key_id and key_id == self._key.access_key_id else None,
                region=self._rules.region,
                now=self._clock(),
                max_skew_s=self._rules.max_skew_s,
            )
        except SignatureRejected as rejection:
            raise NotAuthenticated(str(rejection), code=rejection.code) from rejection
        if self._caller.refuse_replays:
            self._seen.refuse_again(headers["authorization"], self._clock())


class _SeenSignatures:
    """The signatures that were good, for as long as they are: within the clock skew, to either side of now."""

    def __init__(self, window_s: float) -> None:
        self._window = timedelta(seconds=2 * window_s)
        self._seen: OrderedDict[str, datetime] = OrderedDict()

    def refuse_again(self, authorization: str, now: datetime) -> None:
        while self._seen and next(iter(self._seen.values())) <= now:
            self._seen.popitem(last=False)
        if authorization in self._seen:
            raise NotAuthenticated("this signature was used before", code="replayed")
        self._seen[authorization] = now + self._window


def _check_headers(wanted: Mapping[str, SecretStr], headers: Mapping[str, str]) -> None:
    for name, value in wanted.items():
        given = headers.get(name.lower(), "")
        if not hmac.compare_digest(given.encode(), value.get_secret_value().encode()):
            raise NotAuthenticated(f"the header {name} is missing or wrong", code="wrong_header")
