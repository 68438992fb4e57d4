"""Keeps Amazon out of reach: its JWO hosts for calls to connectors, and all of AWS for the platform's own clients.

A retailer's connector may well live on amazonaws.com, behind API Gateway; the platform's SNS, SQS and S3 never do.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from contract.hosts import is_amazons
from simulator.errors import AmazonHostRefused, BadCall

_AWS = "amazonaws.com"


def connector_url(url: str, *, block_amazon: bool) -> str:
    """Return a connector's address without its last slash.

    Raises BadCall if the text is not an address, and AmazonHostRefused if it is JWO's own.
    """
    host = _host(url)
    if block_amazon and is_amazons(url):
        raise AmazonHostRefused(host)
    return url.rstrip("/")


def aws_url(url: str, *, block_amazon: bool) -> str:
    """Return the address of the AWS emulator. Raises AmazonHostRefused for AWS itself."""
    host = _host(url)
    if block_amazon and (is_amazons(url) or host == _AWS or host.endswith(f".{_AWS}")):
        raise AmazonHostRefused(host)
    return url.rstrip("/")


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".").lower()
        host.encode("idna")
        usable = bool(host) and parts.scheme in {"http", "https"} and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise BadCall("not an http or https address with a port from 1 to 65535")
    if parts.username is not None or parts.query or parts.fragment:
        raise BadCall("an address ends with its path; credentials belong into the connector's headers")
    return host
