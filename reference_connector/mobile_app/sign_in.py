"""Sign-in to the app: a shopper signs in with a PIN, and then a signed cookie is the session.

The cookie has the account, an end and a signature. The connector stores no sessions: every worker with the same key
accepts the cookie. The PIN is part of the signature, so a new PIN ends the sessions of the old one. A retailer that has
a sign-in already replaces this class.

Several wrong PINs lock an account's sign-in for a while, from any caller. So a caller that knows an id can keep its
owner from signing in, but cannot end a session. A proxy in front of the connector must limit callers.

Neither an answer nor its time shows which accounts exist: unknown ids are counted and locked in the same way, and each
sign-in and each cookie costs the same hashes, whether there is an account or not.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from reference_connector.errors import NotSignedIn, TooManyTries
from reference_connector.retailer import CurrentRetailer
from reference_connector.settings import SignInRules
from reference_connector.telemetry import Clock

COOKIE = "jwo_session"
_SIGNER = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
_SLOTS = 1 << 18


class SignIn:
    """Opens sessions and reads them."""

    def __init__(self, retailer: CurrentRetailer, rules: SignInRules, key: bytes, clock: Clock) -> None:
        self._retailer = retailer
        self._lifetime = timedelta(hours=rules.session_h)
        self._key = key
        self._clock = clock
        self._tries = _Tries(rules)

    @property
    def lifetime_s(self) -> int:
        """How long a session lasts, in seconds."""
        return int(self._lifetime.total_seconds())

    def open(self, shopper_id: str, pin: str) -> str:
        """Return the cookie of a new session.

        Raises NotSignedIn if the account or the PIN is wrong, and TooManyTries after several wrong PINs.
        """
        now, right = self._clock(), self._pin(shopper_id)
        self._tries.check(shopper_id, now)
        is_right = hmac.compare_digest(self._digest(pin), self._digest(right))
        if not (is_right and right):
            self._tries.count(shopper_id, now)
            raise NotSignedIn("the account or its PIN is wrong")
        self._tries.forget(shopper_id)
        ends = int((now + self._lifetime).timestamp())
        return str(self._serializer(right).dumps([ends, shopper_id]))

    def shopper_of(self, cookie: str) -> str:
        """Return the shopper of a session cookie. Raises NotSignedIn if it is invalid, was changed, or has expired."""
        _, unchecked = self._serializer("").loads_unsafe(cookie)
        match unchecked:
            case [int(), str(shopper_id)]:
                return self._checked(cookie, self._pin(shopper_id))
            case _:
                raise NotSignedIn("no shopper is signed in")

    def _checked(self, cookie: str, pin: str) -> str:
        """Check the cookie's signature, which includes the account's PIN, and return its shopper."""
        try:
            ends, shopper_id = self._serializer(pin).loads(cookie)
        except BadData as error:
            raise NotSignedIn("no shopper is signed in") from error
        if not pin or self._clock().timestamp() >= ends:
            raise NotSignedIn("no shopper is signed in")
        return str(shopper_id)

    def _digest(self, pin: str) -> bytes:
        return hmac.digest(self._key, pin.encode(), "sha256")

    def _pin(self, shopper_id: str) -> str:
        """Return an account's PIN; empty if the account has none, or does not exist."""
        account = self._retailer.current.accounts.get(shopper_id)
        return account.pin.get_secret_value() if account else ""

    def _serializer(self, pin: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._key, salt=f"{COOKIE}\0{pin}", signer_kwargs=_SIGNER)


class _Tries:
    """Counts wrong PINs in this worker: after several of them an id must pause.

    The ids share a fixed number of counters, and a hash with a secret key assigns them. So memory does not grow, no id
    displaces another, and the counter of an account behaves as that of an id without an account.
    """

    def __init__(self, rules: SignInRules) -> None:
        self._most = rules.wrong_pins
        self._pause = timedelta(seconds=rules.pause_s)
        self._forget_after = timedelta(hours=rules.forget_h)
        self._key = os.urandom(32)
        self._wrong: dict[int, tuple[int, datetime]] = {}

    def check(self, shopper_id: str, now: datetime) -> None:
        wrong, last = self._wrong.get(self._slot(shopper_id), (0, now))
        if wrong >= self._most and now < last + self._pause:
            raise TooManyTries("too many wrong PINs; wait a minute")

    def count(self, shopper_id: str, now: datetime) -> None:
        slot = self._slot(shopper_id)
        wrong, last = self._wrong.get(slot, (0, now))
        self._wrong[slot] = (wrong + 1 if now < last + self._forget_after else 1, now)

    def forget(self, shopper_id: str) -> None:
        self._wrong.pop(self._slot(shopper_id), None)

    def _slot(self, shopper_id: str) -> int:
        digest = hashlib.blake2b(shopper_id.encode(), key=self._key, digest_size=8).digest()
        return int.from_bytes(digest) % _SLOTS
