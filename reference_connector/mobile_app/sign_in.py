"""Sign-in to the app: a shopper signs in with a PIN, and a signed cookie carries the session from then on.

The cookie holds the account, an end and a signature, and nothing is stored here: every worker with the same key takes
it. The PIN goes into the signature, so that a changed one ends its sessions. A retailer who has a sign-in already puts
it in this class's place.

Several wrong PINs lock an account's sign-in for a while, whoever sent them: who knows an id can keep its owner from
signing in, though not end a session. What is in front of the connector limits callers. Ids that nobody has are locked
alike, so that the answer does not tell which accounts exist.
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
_STRANGERS_KEPT = 10_000


class SignIn:
    """Opens sessions and reads them."""

    def __init__(self, retailer: CurrentRetailer, rules: SignInRules, key: bytes, clock: Clock) -> None:
        self._retailer = retailer
        self._lasts = timedelta(hours=rules.session_h)
        self._key = key
        self._clock = clock
        pause = timedelta(seconds=rules.pause_s)
        self._tries = _Tries(rules.wrong_pins, pause)
        self._strangers = _Tries(rules.wrong_pins, pause, _STRANGERS_KEPT)  # apart, so that they push no account out

    @property
    def lasts_s(self) -> int:
        """How long a session is good."""
        return int(self._lasts.total_seconds())

    def open(self, shopper_id: str, pin: str) -> str:
        """Return the cookie of a new session; NotSignedIn, or TooManyTries after several wrong PINs."""
        now, right = self._clock(), self._pin(shopper_id)
        tries = self._tries if right else self._strangers
        tries.check(shopper_id, now)
        if not hmac.compare_digest(pin.encode(), right.encode()) or not right:
            tries.count(shopper_id, now)
            raise NotSignedIn("the account or its PIN is wrong")
        tries.forget(shopper_id)
        ends = int((now + self._lasts).timestamp())
        return str(self._serializer(right).dumps([ends, shopper_id]))

    def who(self, cookie: str) -> str:
        """Return whose session a cookie is; NotSignedIn when it is none, was changed, or is over."""
        _, unproven = self._serializer("").loads_unsafe(cookie)
        match unproven:
            case [int(), str(shopper_id)] if pin := self._pin(shopper_id):
                return self._proven(cookie, pin)
            case _:
                raise NotSignedIn("nobody is signed in")

    def _proven(self, cookie: str, pin: str) -> str:
        """Return whose session a cookie is, once its signature was checked with the PIN of the account it names."""
        try:
            ends, shopper_id = self._serializer(pin).loads(cookie)
        except BadData as error:
            raise NotSignedIn("nobody is signed in") from error
        if self._clock().timestamp() >= ends:
            raise NotSignedIn("nobody is signed in")
        return str(shopper_id)

    def _pin(self, shopper_id: str) -> str:
        """Return an account's PIN; empty for one that cannot sign in, or does not exist."""
        account = self._retailer.current.accounts.get(shopper_id)
        return account.pin.get_secret_value() if account else ""

    def _serializer(self, pin: str) -> URLSafeSerializer:
        return URLSafeSerializer(self._key, salt=f"{COOKIE}\0{pin}", signer_kwargs=_SIGNER)


class _Tries:
    """Wrong PINs in this worker: after `most` in a row an id pauses. The `kept` ids that tried last are remembered."""

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
        self._wrong[shopper_id] = (wrong + 1, now)  # the last in the order of insertion
        if self._kept is not None and len(self._wrong) > self._kept:
            del self._wrong[next(iter(self._wrong))]

    def forget(self, shopper_id: str) -> None:
        self._wrong.pop(shopper_id, None)
