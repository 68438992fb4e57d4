"""A Scan Key Code as a QR symbol."""

from __future__ import annotations

import io

import qrcode
from qrcode.image.pil import PilImage
from qrcode.image.svg import SvgPathImage


def png(text: str) -> bytes:
    """Draw the text as a QR symbol in a PNG image."""
    buffer = io.BytesIO()
    qrcode.make(text, image_factory=PilImage).save(buffer, "PNG")
    return buffer.getvalue()


def svg(text: str) -> bytes:
    """Draw the text as a QR symbol in an SVG image, black on a transparent background: show it on white."""
    buffer = io.BytesIO()
    qrcode.make(text, image_factory=SvgPathImage).save(buffer)
    return buffer.getvalue()
