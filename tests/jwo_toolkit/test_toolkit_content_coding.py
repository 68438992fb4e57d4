"""Bodies are decoded by their Content-Encoding, and a wrong one is an error."""

from __future__ import annotations

import gzip
import zlib

import pytest

from jwo_toolkit.content_coding import BadCoding, decoded

TEXT = b'{"purchaseId": "a"}'
RAW = zlib.compressobj(wbits=-15)
RAW_DEFLATE = RAW.compress(TEXT) + RAW.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT, mtime=0)),
        ("X-GZIP", gzip.compress(TEXT, mtime=0)),
        ("gzip", gzip.compress(TEXT[:5], mtime=0) + gzip.compress(TEXT[5:], mtime=0)),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"\0" * 20),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", RAW_DEFLATE),
        ("deflate, gzip", gzip.compress(zlib.compress(TEXT), mtime=0)),
    ],
)
def test_body_is_decoded(coding: str, body: bytes) -> None:
    assert decoded(body, coding, 1000) == TEXT


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("br", TEXT),
        ("gzip", TEXT),
        ("gzip", gzip.compress(TEXT, mtime=0)[:-4]),
        ("gzip", gzip.compress(TEXT, mtime=0) + b"more"),
        ("deflate", TEXT),
        ("deflate", zlib.compress(TEXT)[:-6]),
    ],
)
def test_body_in_another_coding_is_an_error(coding: str, body: bytes) -> None:
    with pytest.raises(BadCoding):
        decoded(body, coding, 1000)


def test_empty_body_has_no_coding_and_a_bomb_stays_small() -> None:
    assert decoded(b"", "gzip", 1000) == b""
    assert len(decoded(gzip.compress(b"0" * 5_000_000, mtime=0), "gzip", 1000)) == 1000
    assert len(decoded(gzip.compress(b"0" * 700, mtime=0) * 9, "gzip", 1000)) == 1000
