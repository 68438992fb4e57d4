"""Amazon's own JWO hosts, which nothing here ever calls unless `auth.block_amazon_hosts` is switched off.

A retailer's connector behind API Gateway is a host of amazonaws.com and must stay callable, so that domain is not here.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_JWO = "amazonphysicalstores.com"


def is_amazons(url: str) -> bool:
    """Say whether an address leads to Amazon's JWO platform."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    return host == _JWO or host.endswith(f".{_JWO}")
