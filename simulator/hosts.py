"""Keeps real Amazon hosts out of reach: this program plays Amazon and must never be mistaken for a client of it."""

from __future__ import annotations

from urllib.parse import urlsplit

from simulator.errors import AmazonHostRefused, BadCall

_AMAZON = ("amazonphysicalstores.com", "amazonaws.com")


def checked_url(url: str, *, block_amazon: bool) -> str:
    """Return the address without its last slash; BadCall when it is none, AmazonHostRefused for Amazon's."""
    parts = _split(url)
    host = (parts[1] or "").rstrip(".").lower()
    if parts[0] not in {"http", "https"} or not host:
        raise BadCall(f"not an http or https address: {url[:80]!r}")
    if block_amazon and any(host == name or host.endswith(f".{name}") for name in _AMAZON):
        raise AmazonHostRefused(host)
    return url.rstrip("/")


def _split(url: str) -> tuple[str, str | None]:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "", None
    return parts.scheme, parts.hostname
