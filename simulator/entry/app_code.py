"""A code of the retailer's app at the reader: pixels to text, text through the store's QR pattern, text to Base64."""

from __future__ import annotations

import io
import re
from typing import NamedTuple

import zxingcpp
from PIL import Image, UnidentifiedImageError

from contract.errors import BadValue
from contract.scan_key import from_identity_key, to_identity_key

_MOST_PIXELS = 25_000_000


class Scan(NamedTuple):
    """What the reader took: the text, where it is known, and the Base64 that a connector is given."""

    text: str | None
    identity_key: str

    @classmethod
    def of_text(cls, text: str) -> Scan:
        """Take a code by its text."""
        return cls(text, to_identity_key(text))


def scan_of_identity_key(identity_key: str) -> Scan:
    """Take a code by its Base64, which is passed on as it is; the text stays unknown when it does not decode."""
    try:
        return Scan(from_identity_key(identity_key), identity_key)
    except BadValue:
        return Scan(None, identity_key)


def scan_of_image(png: bytes) -> Scan | None:
    """Read the first QR symbol in an image; None when there is no image or no readable symbol in it."""
    try:
        with Image.open(io.BytesIO(png), formats=["PNG"]) as image:
            if image.width * image.height > _MOST_PIXELS:
                return None
            pixels = image.convert("L")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError, SyntaxError):
        return None
    found = zxingcpp.read_barcodes(
        pixels, formats=zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode]), text_mode=zxingcpp.TextMode.Plain
    )
    return Scan.of_text(found[0].text) if found else None


def passes_pattern(scan: Scan, pattern: str) -> bool:
    """Say whether the whole text matches the store's pattern; an empty pattern lets everything through."""
    if not pattern:
        return True
    return scan.text is not None and re.fullmatch(pattern, scan.text) is not None
