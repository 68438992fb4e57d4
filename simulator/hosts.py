"""Checks addresses, so that the platform never calls Amazon: neither JWO hosts as connectors, nor AWS for its own use.

A retailer's connector may be on amazonaws.com, behind API Gateway. The platform's SNS, SQS and S3 never are.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from contract.hosts import is_amazons
from simulator.errors import AmazonHostRefused, BadCall

_AWS = "amazonaws.com"


def connector_url(url: str, *, block_amazon: bool) -> str:
    """Return a connector's address without trailing slashes.

    Raises BadCall if the address is not valid, and AmazonHostRefused if it is a host of JWO.
    """
    host = _host(url)
    if block_amazon and is_amazons(url):
        raise AmazonHostRefused(host)
    return url.rstrip("/")


def aws_url(url: str, *, block_amazon: bool) -> str:
    """Return the address of the AWS emulator. Raises AmazonHostRefused if it is AWS itself."""
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
        raise BadCall("the address is not an http or https address with a port from 1 to 65535")
    if parts.username is not None or parts.query or parts.fragment:
        hint = "put credentials into the connector's headers"
        raise BadCall("the address has a user name, a query or a fragment; it must end with its path", hint=hint)
    return host
