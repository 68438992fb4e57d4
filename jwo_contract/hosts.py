"""Hosts: those of Amazon's JWO platform, which the kit does not call, and those that a server of the kit listens on.

The kit never calls Amazon's hosts unless `auth.block_amazon_hosts` is off. The domain amazonaws.com is not included: a
retailer's connector behind API Gateway has a host there, and the kit must call it.
"""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

from jwo_contract.errors import BadSettings

_JWO = "amazonphysicalstores.com"


def is_amazons(url: str) -> bool:
    """Return whether an address belongs to Amazon's JWO platform."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    return host == _JWO or host.endswith(f".{_JWO}")


def address_to_bind(host: str, unauthenticated: Sequence[str], *, allowed: bool, how_to_allow: str) -> str:
    """Return the numeric address to listen on for a host; an empty host means all addresses of this machine.

    `unauthenticated` names what the server answers without authentication, each with a remedy. Raises BadSettings if
    there is something, the address is not a loopback address, and `allowed` is False, or if the host has no address.
    A name has the address that it resolves to here. The caller must bind that address, and not resolve the name again.
    """
    address = _resolved(host)
    if not address.is_loopback:
        where = str(address) if host in {"", str(address)} else f"{host} ({address})"
        require_authentication(
            f"{where} is not a loopback address",
            unauthenticated,
            allowed=allowed,
            otherwise=f"Or serve on 127.0.0.1, or allow it with {how_to_allow}",
        )
    return str(address)


def require_authentication(why: str, unauthenticated: Sequence[str], *, allowed: bool, otherwise: str) -> None:
    """Raise BadSettings if something is not authenticated and this is not allowed.

    `why` begins the message. `otherwise` ends it: what to do instead of the remedies in `unauthenticated`.
    """
    if unauthenticated and not allowed:
        raise BadSettings(
            f"{why}, so every caller could use this without authentication: {'; '.join(unauthenticated)}. {otherwise}"
        )


def _resolved(host: str) -> IPv4Address | IPv6Address:
    """Return the address of a host, IPv4 before IPv6. An IPv4 address in IPv6 notation is returned as IPv4."""
    name = host.removeprefix("[").removesuffix("]")
    try:
        found = socket.getaddrinfo(name or None, 0, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        addresses = sorted((ip_address(entry[4][0]) for entry in found), key=lambda address: address.version)
    except (OSError, ValueError) as error:  # UnicodeError, for a name that is not valid, is a ValueError
        raise BadSettings(
            f"the host {host[:80]!r} has no address; name one of this machine, such as 127.0.0.1"
        ) from error
    first = addresses[0]
    return (first.ipv4_mapped or first) if isinstance(first, IPv6Address) else first
