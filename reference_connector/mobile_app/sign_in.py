"""Who holds the phone: a shopper signs in with a PIN, and a signed cookie says from then on who it is.

The cookie carries the account, an end and a signature, and nothing is kept here: every worker with the same key takes
it. The PIN goes into the signature, so that a changed one ends its sessions. A retailer who has a sign-in already puts
it in this class's place.

Several wrong PINs lock an account's sign-in for a while, whoever sent them: who knows an id can keep its owner from
signing in, though not end a session. What is in front of the connector limits callers. Ids that nobody has are locked
alike, so that the answer does not tell which accounts exist.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime, timedelta

from reference_connector.errors import NotSignedIn, TooManyTries
from reference_connector.retailer import CurrentRetailer
from reference_connector.settings import SignInRules
from reference_connector.telemetry import Clock

COOKIE = "jwo_session"
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
        said = f"{int((now + self._lasts).timestamp())}:{shopper_id}"
        return f"{_text(said.encode())}.{_text(self._signature(said, right))}"

    def who(self, cookie: str) -> str:
        """Return whose session a cookie is; NotSignedIn when it is none, was changed, or is over."""
        try:
            said, signature = (urlsafe_b64decode(part) for part in cookie.split("."))
            ends, _, shopper_id = said.decode().partition(":")
            over = self._clock().timestamp() >= int(ends)
        except ValueError as error:
            raise NotSignedIn("nobody is signed in") from error
        pin = self._pin(shopper_id)
        genuine = hmac.compare_digest(signature, self._signature(said.decode(), pin))
        if over or not pin or not genuine:
            raise NotSignedIn("nobody is signed in")
        return shopper_id

    def _pin(self, shopper_id: str) -> str:
        """Return an account's PIN; empty for one that cannot sign in, or does not exist."""
        account = self._retailer.now.accounts.get(shopper_id)
        return account.pin.get_secret_value() if account else ""

    def _signature(self, said: str, pin: str) -> bytes:
        return hmac.digest(self._key, f"{pin}\0{said}".encode(), "sha256")


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


def _text(content: bytes) -> str:
    return urlsafe_b64encode(content).decode()
