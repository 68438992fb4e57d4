"""A Scan Key Code as a QR symbol: black on white, with the margin that readers need."""

from __future__ import annotations

import io

import qrcode
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathFillImage

_QUIET_ZONE = 4
"""The margin around the symbol in modules, as ISO/IEC 18004 demands."""


def png(text: str) -> bytes:
    """Draw the text as a QR symbol in a PNG image."""
    buffer = io.BytesIO()
    qrcode.make(text, image_factory=PilImage, border=_QUIET_ZONE).save(buffer, "PNG")
    return buffer.getvalue()


def svg(text: str) -> bytes:
    """Draw the text as a QR symbol in an SVG image, which has a white background of its own."""
    buffer = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathFillImage, border=_QUIET_ZONE).save(buffer)
    return buffer.getvalue()
