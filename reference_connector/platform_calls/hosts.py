"""Checks addresses: no real Amazon host if the settings block those, and confirmations only at the platform."""

from __future__ import annotations

from urllib.parse import urlsplit

from reference_connector.errors import ForbiddenHost

_AMAZON = ("amazonphysicalstores.com", "amazonaws.com", "amazonaws.com.cn")


class Hosts:
    """Checks addresses before they are called."""

    def __init__(self, endpoint: str, *, block_amazon: bool) -> None:
        self._block_amazon = block_amazon
        self._home = _origin(self.allowed(endpoint))

    def allowed(self, url: str) -> str:
        """Return the address if the client may call it. Raises ForbiddenHost if not."""
        try:
            parts = urlsplit(url)
            is_address = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:  # such as a port that is not a number
            is_address = False
        if not is_address:
            raise ForbiddenHost(f"{url[:80]!r} is not an http address", hint="write it with http:// or https://")
        host = (parts.hostname or "").rstrip(".").lower()
        if self._block_amazon and any(host == domain or host.endswith(f".{domain}") for domain in _AMAZON):
            raise ForbiddenHost(
                f"{host} is a real Amazon host",
                hint="set the simulated platform, or switch auth.block_amazon_hosts off",
            )
        return url

    def at_home(self, url: str) -> str:
        """Return the address if it is on the platform's own endpoint. Raises ForbiddenHost if not."""
        if _origin(self.allowed(url)) != self._home:
            raise ForbiddenHost(
                f"the message asks for a confirmation at {urlsplit(url).netloc}, which is not the platform",
                hint="only the set endpoint may confirm; find out who sent the message",
            )
        return url


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or default
