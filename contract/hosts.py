"""Amazon's own JWO hosts. The kit never calls them unless `auth.block_amazon_hosts` is off.

The domain amazonaws.com is not included: a retailer's connector behind API Gateway has a host there, and the kit must
call it.
"""

from __future__ import annotations

from urllib.parse import urlsplit

_JWO = "amazonphysicalstores.com"


def is_amazons(url: str) -> bool:
    """Return whether an address belongs to Amazon's JWO platform."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").lower()
    except ValueError:
        return False
    return host == _JWO or host.endswith(f".{_JWO}")
