"""Keeps Amazon out of reach: its JWO hosts for calls to connectors, and all of AWS for the platform's own clients.

A retailer's connector may well live on amazonaws.com, behind API Gateway; the platform's SNS, SQS and S3 never do.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from contract.hosts import is_amazons
from simulator.errors import AmazonHostRefused, BadCall

_AWS = "amazonaws.com"


def connector_url(url: str, *, block_amazon: bool) -> str:
    """Return a connector's address without its last slash; BadCall when it is none, AmazonHostRefused for JWO's own."""
    host = _host(url)
    if block_amazon and is_amazons(url):
        raise AmazonHostRefused(host)
    return url.rstrip("/")


def aws_url(url: str, *, block_amazon: bool) -> str:
    """Return the address of what plays AWS; AmazonHostRefused for AWS itself."""
    host = _host(url)
    if block_amazon and (is_amazons(url) or host == _AWS or host.endswith(f".{_AWS}")):
        raise AmazonHostRefused(host)
    return url.rstrip("/")


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
    except ValueError:
        host = ""
    if not host or parts.scheme not in {"http", "https"}:
        raise BadCall(f"not an http or https address: {url[:80]!r}")
    return host
