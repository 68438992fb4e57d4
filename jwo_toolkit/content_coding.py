"""Decodes the body of an HTTP answer by its Content-Encoding, for every client of this project.

A server may compress an answer although the request does not ask for it (RFC 9110, 12.5.3), in gzip or deflate.
"""

from __future__ import annotations

import zlib

_GZIP, _ZLIB, _RAW = 31, 15, -15
_AS_IT_IS = {"", "identity"}


class BadCoding(Exception):
    """The body does not have the coding that its header names, or the coding is unknown."""


def decoded(body: bytes, content_encoding: str, largest: int) -> bytes:
    """Return a body without its codings, at most `largest` bytes of it, so that a bomb stays small.

    An empty body has no coding, as in the answer to HEAD. Raises BadCoding if the body cannot be decoded.
    """
    for coding in reversed([each.strip().lower() for each in content_encoding.split(",")]):
        if coding in _AS_IT_IS or not body:
            continue
        try:
            body = _without(coding, body, largest)
        except zlib.error as error:
            raise BadCoding(f"the body is not {coding}: {error}") from error
    return body


def _without(coding: str, body: bytes, largest: int) -> bytes:
    if coding in {"gzip", "x-gzip"}:
        return _members(body, largest)
    if coding == "deflate":
        return _inflated(body, largest)
    raise BadCoding(f"the answer has the Content-Encoding {coding!r}, which the request does not accept")


def _members(body: bytes, largest: int) -> bytes:
    """Decompress every member of a gzip body, one after the other (RFC 1952, 2.2)."""
    parts, size = [], 0
    while body and size < largest:
        member = zlib.decompressobj(_GZIP)
        parts.append(member.decompress(body, largest - size))
        size += len(parts[-1])
        if not member.eof and size < largest:
            raise BadCoding("the gzip body ends early")
        body = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _inflated(body: bytes, largest: int) -> bytes:
    """Decompress deflate: in the zlib format, as RFC 9110 says, or raw, as some servers send it."""
    try:
        return _whole(zlib.decompressobj(_ZLIB), body, largest)
    except zlib.error:
        return _whole(zlib.decompressobj(_RAW), body, largest)


def _whole(inflater: zlib._Decompress, body: bytes, largest: int) -> bytes:
    content = inflater.decompress(body, largest)
    if not inflater.eof and len(content) < largest:
        raise BadCoding("the deflate body ends early")
    return content
