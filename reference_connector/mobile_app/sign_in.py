"""Sign-in to the app: a shopper signs in with a PIN, and then a signed cookie is the session.

The cookie has the account, an end and a signature. The connector stores no sessions: every worker with the same key
accepts the cookie. The PIN is part of the signature, so a new PIN ends the sessions of the old one. A retailer that has
a sign-in already replaces this class.

Several wrong PINs lock an account's sign-in for a while, from any caller. So a caller that knows an id can keep its
owner from signing in, but cannot end a session. A proxy in front of the connector must limit callers. Unknown ids are
locked in the same way, so that the answer does not show which accounts exist.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from reference_connector.errors import NotSignedIn, TooManyTries
from reference_connector.retailer import CurrentRetailer
from reference_connector.settings import SignInRules
from reference_connector.telemetry import Clock

COOKIE = "jwo_session"
_SIGNER = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
_UNKNOWN_IDS_KEPT = 10_000


class SignIn:
    """Opens sessions and reads them."""

    def __init__(self, retailer: CurrentRetailer, rules: SignInRules, key: bytes, clock: Clock) -> None:
        self._retailer = retailer
        self._lifetime = timedelta(hours=rules.session_h)
        self._key = key
        self._clock = clock
        pause = timedelta(seconds=rules.pause_s)
        self._tries = _Tries(rules.wrong_pins, pause)
        self._unknown_ids = _Tries(
            rules.wrong_pins, pause, _UNKNOWN_IDS_KEPT
        )  # separate, so that unknown ids displace no account

    @property
    def lifetime_s(self) -> int:
        """How long a session lasts, in seconds."""
        return int(self._lifetime.total_seconds())

    def open(self, shopper_id: str, pin: str) -> str:
        """Return the cookie of a new session.

        Raises NotSignedIn if the account or the PIN is wrong, and TooManyTries after several wrong PINs.
        """
        now, right = self._clock(), self._pin(shopper_id)
        tries = self._tries if right else self._unknown_ids
        tries.check(shopper_id, now)
        if not hmac.compare_digest(pin.encode(), right.encode()) or not right:
            tries.count(shopper_id, now)
            raise NotSignedIn("the account or its PIN is wrong")
        tries.forget(shopper_id)
        ends = int((now + self._lifetime).timestamp())
        return str(self._serializer(right).dumps([ends, shopper_id]))

    def shopper_of(self, cookie: str) -> str:
        """Return the shopper of a session cookie. Raises NotSignedIn if it is invalid, was changed, or has expired."""
        _, unchecked = self._serializer("").loads_unsafe(cookie)
        match unchecked:
            case [int(), str(shopper_id)] if pin := self._pin(shopper_id):
                return self._checked(cookie, pin)
            case _:
                raise NotSignedIn("no shopper is signed in")

    def _checked(self, cookie: str, pin: str) -> str:
        """Check the cookie's signature, which includes the account's PIN, and return its shopper."""
        try:
            ends, shopper_id = self._serializer(pin).loads(cookie)
        except BadData as error:
            raise NotSignedIn("no shopper is signed in") from error
        if self._clock().timestamp() >= ends:
            raise NotSignedIn("no shopper is signed in")
        return str(shopper_id)

    def _pin(self, shopper_id: str) -> str:
        """Return an account's PIN; empty if the account has none, or does not exist."""
        account = self._retailer.current.accounts.get(shopper_id)
        return account.pin.get_secret_value() if account else ""

    def _serializer(self, pin: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._key, salt=f"{COOKIE}\0{pin}", signer_kwargs=_SIGNER)


class _Tries:
    """Counts wrong PINs in this worker: after `most` of them an id must pause. It keeps the `kept` latest ids."""

    def __init__(self, most: int, pause: timedelta, kept: int | None = None) -> None:
        self._most = most
        self._pause = pause
        self._kept = kept
        self._wrong: dict[str, tuple[int, datetime]] = {}

    def check(self, shopper_id: str, now: datetime) -> None:
        wrong, last = self._wrong.get(shopper_id, (0, now))
        if wrong >= self._most and now < last + self._pause:
            raise TooManyTries("too many wrong PINs; wait a minute")

    def count(self, shopper_id: str, now: datetime) -> None:
        wrong, _ = self._wrong.pop(shopper_id, (0, now))
        self._wrong[shopper_id] = (wrong + 1, now)  # moved to the end of the order of insertion
        if self._kept is not None and len(self._wrong) > self._kept:
            del self._wrong[next(iter(self._wrong))]

    def forget(self, shopper_id: str) -> None:
        self._wrong.pop(shopper_id, None)
