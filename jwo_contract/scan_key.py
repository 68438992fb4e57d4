"""The Scan Key Code that a retailer's app shows: prefix, time, recognition token, optional custom information.

The parts are published (mobile_app_entry). Their order and lengths are a house rule that fits the one published sample.
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from jwo_contract.errors import BadValue
from jwo_contract.house import ScanKeyRules

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HEX = frozenset("0123456789abcdef")


class ScanKey(NamedTuple):
    """A code's parts; `token` is lower-case hex."""

    prefix: str
    issued_at: datetime
    token: str
    custom_info: str = ""


def encode(key: ScanKey, rules: ScanKeyRules) -> str:
    """Return the code as the text of the QR code. Raises BadValue if `decode` could not read it back."""
    milliseconds = (key.issued_at - _EPOCH) // timedelta(milliseconds=1)
    stamp, token = f"{milliseconds:0{rules.timestamp_digits}x}", key.token.lower()
    text = f"{key.prefix}{stamp}{token}{key.custom_info}"
    if not (text.isascii() and text.isalnum()):
        raise BadValue("the Scan Key Code has characters other than letters and digits")
    if (len(stamp), len(token)) != (rules.timestamp_digits, rules.token_digits) or not _HEX.issuperset(token):
        raise BadValue("the time or the token of a Scan Key Code does not have the set number of hex digits")
    return text


def decode(text: str, rules: ScanKeyRules) -> ScanKey:
    """Parse a code's text. Raises BadValue if the text is not a code or has another retailer's prefix."""
    if not text.startswith(rules.prefix):
        raise BadValue("the code does not start with the Customer Prefix")
    if not (text.isascii() and text.isalnum()):
        raise BadValue("the Scan Key Code has characters other than letters and digits")
    rest = text[len(rules.prefix) :]
    time_end, token_end = rules.timestamp_digits, rules.timestamp_digits + rules.token_digits
    stamp, token, custom = rest[:time_end].lower(), rest[time_end:token_end].lower(), rest[token_end:]
    if len(rest) < token_end or not _HEX.issuperset(stamp + token):
        raise BadValue("the code's time and token are not hex digits of the set length")
    try:
        issued_at = _EPOCH + timedelta(milliseconds=int(stamp, 16))
    except OverflowError as error:
        raise BadValue("the code's time is out of range") from error
    return ScanKey(rules.prefix, issued_at, token, custom)


def to_identity_key(text: str) -> str:
    """Encode a scanned text in Base64, the form of `identityKey`."""
    return base64.b64encode(text.encode()).decode()


def from_identity_key(identity_key: str) -> str:
    """Decode `identityKey`. Raises BadValue if it is not standard padded Base64 of UTF-8 text."""
    try:
        return binascii.a2b_base64(identity_key, strict_mode=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise BadValue("identityKey does not decode to text") from error
