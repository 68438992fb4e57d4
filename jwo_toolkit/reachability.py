"""Tries whether the server of a URL accepts TCP connections, before a whole run depends on it."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

_CONNECT_WITHIN_S = 5.0


class NotReachable(Exception):
    """No server accepts connections at a URL; the text gives the URL and the reason."""


def check_reachable(url: str) -> None:
    """Open a TCP connection to the server of an http or https URL, and close it. Raises NotReachable if that fails."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), _CONNECT_WITHIN_S).close()
    except OSError as error:
        raise NotReachable(f"cannot connect to {url} ({error.strerror or error})") from error
