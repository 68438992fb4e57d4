"""Pictures of codes in every form of PNG, and in other formats, are read as a person sees them."""

from __future__ import annotations

import io
import random
import struct
import zlib
from contextlib import suppress
from typing import Any

import pytest
import qrcode
from PIL import Image

from simulator.entry.pictures import UnreadablePicture, qr_text

TEXT = "JWOIMAG18bc0554d045a48b29afa9e2aaac14ae"
CODE = qrcode.make(TEXT, box_size=4).get_image().convert("L")
DARK = [value == 0 for value in CODE.tobytes()]
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6


def png(kind: int, depth: int, ink: tuple[int, ...], paper: tuple[int, ...], **chunks: bytes) -> bytes:
    """Write the code as a PNG of a colour type and depth; `ink` and `paper` are the samples of a pixel."""

    def chunk(name: str, data: bytes) -> bytes:
        body = name.encode() + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    width, height = CODE.size
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    bits = {True: bits_of(ink, depth), False: bits_of(paper, depth)}
    rows = b"".join(
        b"\0" + packed("".join([bits[dark] for dark in DARK[start : start + width]]))
        for start in range(0, width * height, width)
    )
    others = b"".join(chunk(name, data) for name, data in chunks.items())
    return b"\x89PNG\r\n\x1a\n" + chunk("IHDR", head) + others + chunk("IDAT", zlib.compress(rows)) + chunk("IEND", b"")


def bits_of(samples: tuple[int, ...], depth: int) -> str:
    return "".join(f"{sample:0{depth}b}" for sample in samples)


def packed(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def saved(image: Image.Image, name: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()


UPSIDE_DOWN = Image.Exif()
UPSIDE_DOWN[0x0112] = 3  # the orientation
COLOURS = bytes([0, 0, 0, 255, 255, 255])
BLACKS = bytes(6)
PICTURES = {
    **{f"grey {depth}": png(GREY, depth, (0,), (2**depth - 1,)) for depth in (1, 2, 4, 8, 16)},
    "grey 16, dark grey on light grey": png(GREY, 16, (0x3000,), (0xE000,)),
    "grey 16, low byte differs": png(GREY, 16, (0x00FF,), (0xFF00,)),
    "rgb 8": png(RGB, 8, (0, 0, 90), (255, 240, 255)),
    "rgb 16": png(RGB, 16, (0x100, 0, 0), (0xFFFF,) * 3),
    **{f"palette {depth}": png(PALETTE, depth, (0,), (1,), PLTE=COLOURS) for depth in (1, 2, 4, 8)},
    "grey, paper transparent": png(GREY, 8, (0,), (1,), tRNS=struct.pack(">H", 1)),
    "grey 1, paper transparent": png(GREY, 1, (0,), (1,), tRNS=struct.pack(">H", 1)),
    "grey 4, paper transparent": png(GREY, 4, (0,), (3,), tRNS=struct.pack(">H", 3)),
    "grey 16, paper transparent": png(GREY, 16, (0,), (1,), tRNS=struct.pack(">H", 1)),
    "rgb, paper transparent": png(RGB, 8, (0, 0, 0), (0, 0, 1), tRNS=struct.pack(">HHH", 0, 0, 1)),
    "rgb 16, paper transparent": png(RGB, 16, (0,) * 3, (0x2000,) * 3, tRNS=struct.pack(">HHH", *[0x2000] * 3)),
    "palette, paper transparent": png(PALETTE, 8, (0,), (1,), PLTE=BLACKS, tRNS=b"\xff\x00"),
    "palette 1, paper transparent": png(PALETTE, 1, (0,), (1,), PLTE=BLACKS, tRNS=b"\xff\x00"),
    "palette, paper half transparent": png(PALETTE, 8, (0,), (1,), PLTE=BLACKS, tRNS=b"\xff\x40"),
    "grey and alpha": png(GREY_ALPHA, 8, (0, 255), (0, 0)),
    "grey and alpha 16": png(GREY_ALPHA, 16, (0, 0xFFFF), (0, 0)),
    "rgba": png(RGBA, 8, (0, 0, 0, 255), (0, 0, 0, 0)),
    "rgba 16": png(RGBA, 16, (0, 0, 0, 0xFFFF), (0, 0, 0, 0)),
    "rgba, opaque": png(RGBA, 8, (0, 0, 0, 255), (255, 255, 255, 255)),
    "rgba, white ink on transparent": png(RGBA, 8, (255, 255, 255, 255), (255, 255, 255, 0)),
    "rgba, transparent ink on white": png(RGBA, 8, (0, 0, 0, 0), (255, 255, 255, 255)),
    "inverted": png(GREY, 8, (255,), (0,)),
    "turned": saved(CODE.rotate(90), "PNG"),
    "mirrored": saved(CODE.transpose(Image.Transpose.FLIP_LEFT_RIGHT), "PNG"),
    "animated, first frame": saved(CODE, "PNG", save_all=True, append_images=[Image.new("L", CODE.size, 255)]),
    "jpeg": saved(CODE, "JPEG"),
    "jpeg cmyk": saved(CODE.convert("RGB").convert("CMYK"), "JPEG"),
    "jpeg with an orientation": saved(CODE.rotate(180), "JPEG", exif=UPSIDE_DOWN),
    "gif": saved(CODE, "GIF"),
    "gif, paper transparent": saved(CODE.convert("P"), "GIF", transparency=255),
    "gif, animated": saved(CODE, "GIF", save_all=True, append_images=[Image.new("L", CODE.size, 255)]),
}  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_code_is_read_from_its_pixels(name: str) -> None:
    assert qr_text(PICTURES[name]) == TEXT


def huge(side: int) -> bytes:
    """Write the head of a PNG that claims to have many pixels."""
    whole = png(GREY, 8, (0,), (255,))
    head = b"IHDR" + struct.pack(">II", side, side) + whole[24:29]
    return whole[:12] + head + struct.pack(">I", zlib.crc32(head)) + whole[33:]


@pytest.mark.parametrize(
    ("picture", "why"),
    [
        (b"", "not a picture; send PNG, JPEG, GIF"),
        (b"not a picture", "not a picture"),
        (saved(CODE, "BMP"), "not a picture"),
        (PICTURES["grey 8"][:300], "damaged or incomplete"),
        (PICTURES["jpeg"][:600], "damaged or incomplete"),
        (PICTURES["gif"][:600], "damaged or incomplete"),
        (png(PALETTE, 8, (0,), (1,)), "it has no palette"),
        (huge(5_001), "25,010,001 pixels; send at most 25,000,000"),
        (huge(60_000), "too large; send at most 25,000,000"),
        (saved(Image.new("L", (200, 200), 255), "PNG"), "no readable QR code"),
        (saved(Image.new("RGBA", (200, 200)), "PNG"), "no readable QR code"),
        (saved(Image.new("L", (1, 1)), "PNG"), "no readable QR code"),
    ],
)
def test_unreadable_picture_says_why(picture: bytes, why: str) -> None:
    with pytest.raises(UnreadablePicture, match=why):
        qr_text(picture)


@pytest.mark.parametrize("name", ["grey 16", "rgba", "palette, paper transparent", "jpeg", "gif"])
def test_damaged_picture_is_read_or_unreadable(name: str) -> None:
    chance, whole, read = random.Random(name), PICTURES[name], []  # noqa: S311 - repeatable damage
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.randrange(1, 4)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with suppress(UnreadablePicture):
            read.append(qr_text(bytes(damaged)))
    assert set(read) <= {TEXT}
