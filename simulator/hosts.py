"""Checks addresses, so that the platform never calls Amazon: neither JWO hosts as connectors, nor AWS for its own use.

A retailer's connector may be on amazonaws.com, behind API Gateway. The platform's SNS, SQS and S3 never are.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from jwo_contract.hosts import is_amazons
from simulator.errors import AmazonHostRefused, BadCall

_AWS = "amazonaws.com"
_NAME = re.compile("[a-z0-9_-]+(?:[.][a-z0-9_-]+)*[.]?|[0-9a-f:.]+(?:%[a-z0-9]+)?")
"""A host in small letters: a name, or an IPv6 address."""


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


def origin(url: str) -> str:
    """Return the address of the platform itself without its last slash. Raises ValueError if it has more than a host.

    A path is an error, since callers sign the whole path and a proxy would have to change it.
    """
    fix = "write it like https://platform.example:8443"
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"has a space or a character that an address cannot have; {fix}")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise ValueError(f"is not an address ({error}); {fix}") from error
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"has no http:// or https:// at its beginning; {fix}")
    if "@" in parts.netloc:
        raise ValueError(f"has a user name or a password, which links must not have; {fix}")
    if not parts.hostname or port == 0 or parts.netloc.endswith(":"):
        raise ValueError(f"has no host, or no port from 1 to 65535 after its colon; {fix}")
    if not _NAME.fullmatch(parts.hostname):
        raise ValueError(f"has a character that the name of a host cannot have; {fix}")
    if "?" in url or "#" in url:
        raise ValueError(f"has a query or a fragment; {fix}")
    if parts.path.strip("/"):
        raise ValueError(f"has a path, and the platform is served at the root of its host; {fix}")
    return f"{parts.scheme}://{parts.netloc}"


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
