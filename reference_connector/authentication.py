"""Authenticates the platform's calls: by SigV4, by agreed headers, or not at all. A refusal is 403 with `message`."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import timedelta

from pydantic import SecretStr

from jwo_contract import sigv4
from jwo_contract.errors import SignatureRejected
from jwo_contract.house import Auth
from reference_connector.errors import NotAuthenticated
from reference_connector.settings import Caller
from reference_connector.store import RememberAnswer, Store
from reference_connector.telemetry import Clock


class Authenticator:
    """Checks the raw request."""

    def __init__(self, caller: Caller, rules: Auth, store: Store, clock: Clock) -> None:
        self._caller = caller
        self._rules = rules
        self._clock = clock
        self._used = _UsedSignatures(store, clock, rules.max_skew_s)
        token = caller.session_token.get_secret_value() if caller.session_token else None
        self._key = sigv4.Key(caller.access_key_id, caller.secret_access_key.get_secret_value(), token or None)

    @property
    def is_needed(self) -> bool:
        """Whether callers must authenticate."""
        return self._caller.mode != "none"

    async def check(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Check a request, with its address as sent. Raises NotAuthenticated, with a code, for any other caller."""
        if self._caller.mode == "sigv4":
            self._check_signature(method, url, headers, body)
            if self._caller.refuse_replays:
                await self._used.refuse_again(headers["authorization"])
        elif self._caller.mode == "headers":
            _check_headers(self._caller.headers, headers)

    def _check_signature(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> None:
        try:
            sigv4.verify(
                method,
                url,
                headers,
                body,
                find_key=self._find_key,
                region=self._rules.region,
                now=self._clock(),
                max_skew_s=self._rules.max_skew_s,
                form=sigv4.Form(self._rules.normalize_path, self._rules.require_signed_token),
            )
        except SignatureRejected as rejection:
            raise NotAuthenticated(str(rejection), code=rejection.code) from rejection

    def _find_key(self, key_id: str) -> sigv4.Key | None:
        """Return the key with this id; None too if its secret is empty, as any caller could sign with it."""
        return self._key if key_id == self._key.access_key_id and self._key.secret_access_key else None


class _UsedSignatures:
    """The signatures that were used, over all workers on the database. A second use of one is a replay.

    Each is kept as long as it would be accepted: for the allowed clock skew before and after its time.
    """

    def __init__(self, store: Store, clock: Clock, skew_s: float) -> None:
        self._store = store
        self._clock = clock
        self._window = timedelta(seconds=2 * skew_s)

    async def refuse_again(self, authorization: str) -> None:
        signature = authorization.rpartition("Signature=")[2].strip()  # the text around it may differ in a valid header
        now = self._clock()
        used = RememberAnswer("signature", signature, b"", now, now + self._window, 200, b"")
        if await self._store.insert_answer_if_absent(used) is not None:
            raise NotAuthenticated("this signature was used before", code="replayed")


def _check_headers(wanted: Mapping[str, SecretStr], headers: Mapping[str, str]) -> None:
    """Raise NotAuthenticated unless all agreed headers are right. It compares all, and does not say which is wrong.

    Without agreed headers, or with an empty one, no caller is authenticated.
    """
    given = [(headers.get(name.lower(), ""), value.get_secret_value()) for name, value in wanted.items()]
    right = [hmac.compare_digest(one.encode(), other.encode()) and bool(other) for one, other in given]
    if not right or not all(right):
        raise NotAuthenticated("the agreed headers are missing or wrong", code="wrong_header")
