"""The line on which a server announces its address, as its first output: `listening on http://127.0.0.1:8080`."""

from __future__ import annotations

import re

READY = "listening on "
_LINE = re.compile(rf"(?:{READY})?(https?://\S+)\s*")
"""Servers that are not part of this kit may print the bare address."""


def announce(url: str) -> None:
    """Print the line. Call this as soon as the server can answer."""
    print(f"{READY}{url}", flush=True)  # noqa: T201 - the address is the server's output


def announced_url(line: str) -> str:
    """Return the address in a server's first line; an empty text if the line announces no address."""
    found = _LINE.fullmatch(line)
    return found[1] if found else ""
