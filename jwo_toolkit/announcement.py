"""The line on which a server announces its address, as its first output: `listening on http://127.0.0.1:8080`.

A server with an admin listener announces that on the next line: `admin on http://127.0.0.1:9090`.
"""

from __future__ import annotations

import re

READY = "listening on "
ADMIN = "admin on "
_LINE = re.compile(rf"(?:{READY})?(https?://\S+)\s*")
"""Servers that are not part of this kit may print the bare address."""


def announce(url: str, admin_url: str = "") -> None:
    """Print the line, and the line of the admin listener. Call this as soon as the server can answer."""
    admin = f"\n{ADMIN}{admin_url}" if admin_url else ""
    print(f"{READY}{url}{admin}", flush=True)  # noqa: T201 - the address is the server's output


def announced_url(line: str) -> str:
    """Return the address in a server's first line; an empty text if the line announces no address."""
    found = _LINE.fullmatch(line)
    return found[1] if found else ""
