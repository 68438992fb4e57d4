"""Reads a QR code from the pixels of a picture."""

from __future__ import annotations

import io
from collections.abc import Iterator

import zxingcpp
from PIL import Image, UnidentifiedImageError

FORMATS = {"image/png": "PNG", "image/jpeg": "JPEG", "image/gif": "GIF"}
"""The formats by their media types. Of an animation, only the first frame counts."""
_MOST_PIXELS = 25_000_000
_WHITE, _BLACK = 255, 0
_HIGH_BYTES = [value >> 8 for value in range(1 << 16)]


class UnreadablePicture(Exception):
    """A picture in which the reader finds no code; the text says why."""


def qr_text(picture: bytes) -> str:
    """Return the text of the first QR symbol. Raises UnreadablePicture if the picture or its symbol is not readable."""
    try:
        with Image.open(io.BytesIO(picture), formats=[*FORMATS.values()]) as image:
            pixels = image.width * image.height
            if pixels > _MOST_PIXELS:
                raise UnreadablePicture(f"the picture has {pixels:,} pixels; send at most {_MOST_PIXELS:,}")
            for view in _views(image):
                found = _read(view)
                if found:
                    return found
    except UnidentifiedImageError as error:
        raise UnreadablePicture(f"the body is not a picture; send {', '.join(FORMATS.values())}") from error
    except Image.DecompressionBombError as error:
        raise UnreadablePicture(f"the picture is too large; send at most {_MOST_PIXELS:,} pixels") from error
    except (OSError, ValueError, SyntaxError, EOFError, AssertionError) as error:
        # Pillow asserts, without a text, that the picture has its palette.
        reason = str(error) or "it has no palette"
        raise UnreadablePicture(f"the picture is damaged or incomplete: {reason}") from error
    raise UnreadablePicture("there is no readable QR code in the picture; leave a white margin of 4 modules around it")


def _read(view: Image.Image) -> str:
    only_qr = zxingcpp.BarcodeFormats([zxingcpp.BarcodeFormat.QRCode])
    found = zxingcpp.read_barcodes(view, formats=only_qr, text_mode=zxingcpp.TextMode.Plain)
    return found[0].text if found else ""


def _views(image: Image.Image) -> Iterator[Image.Image]:
    """Yield a picture in 8 bits of grey, on white; if it has transparency, then on black, then opaque."""
    if image.mode.startswith("I"):
        yield from _views_of_16_bits(image)
    elif image.has_transparency_data:
        transparent = image.info.get("transparency")
        if isinstance(transparent, tuple) and max(transparent) > 0xFF:  # noqa: PLR2004 - of 16 bits, Pillow keeps 8
            image.info["transparency"] = tuple(value >> 8 for value in transparent)
        drawn = image.convert("RGBA")
        grey, alpha = drawn.convert("L"), drawn.getchannel("A")
        for background in (_WHITE, _BLACK):
            view = Image.new("L", image.size, background)
            view.paste(grey, mask=alpha)
            yield view
        yield grey
    else:
        yield image.convert("L")


def _views_of_16_bits(image: Image.Image) -> Iterator[Image.Image]:
    wide, transparent = image.convert("I"), image.info.get("transparency")
    if isinstance(transparent, int):
        for background in (_WHITE, _BLACK):
            yield wide.point([*_HIGH_BYTES[:transparent], background, *_HIGH_BYTES[transparent + 1 :]], "L")
    yield wide.point(_HIGH_BYTES, "L")
