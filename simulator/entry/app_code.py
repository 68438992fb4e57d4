"""Reads a code of the retailer's app: from pixels to text, then the store's QR pattern, then from text to Base64."""

from __future__ import annotations

import logging
from typing import NamedTuple

from jwo_contract.errors import BadValue
from jwo_contract.scan_key import from_identity_key, to_identity_key
from jwo_toolkit.patterns import BadPattern, matches
from simulator.entry.pictures import qr_text

_log = logging.getLogger("simulator.gates")


class Scan(NamedTuple):
    """A scanned code: its text, if known, and the Base64 that goes to the connector."""

    text: str | None
    identity_key: str

    @classmethod
    def of_text(cls, text: str) -> Scan:
        """Make the scan of a text."""
        return cls(text, to_identity_key(text))


def scan_of_identity_key(identity_key: str) -> Scan:
    """Make the scan of a Base64 key, which stays unchanged; without a text if the key does not decode."""
    try:
        return Scan(from_identity_key(identity_key), identity_key)
    except BadValue:
        return Scan(None, identity_key)


def scan_of_picture(picture: bytes) -> Scan:
    """Read the first QR symbol in a picture. Raises UnreadablePicture if the picture or its symbol is not readable."""
    return Scan.of_text(qr_text(picture))


def passes_pattern(scan: Scan, pattern: str) -> bool:
    """Return whether the whole text matches the store's pattern; every text matches an empty pattern."""
    if not pattern:
        return True
    try:
        return scan.text is not None and matches(pattern, scan.text, whole=True)
    except BadPattern as error:  # an earlier version accepted it
        _log.error("the QR pattern %.200r %s; no code matches it until the store gets another one", pattern, error)
        return False
