"""Reads the target of an ASGI request, its path and query, in the form that the caller sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def request_target(scope: Mapping[str, Any]) -> str:
    """Return the path and query as they were sent, not decoded. Bytes that are not UTF-8 become surrogates."""
    query: bytes = scope.get("query_string", b"")
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    return (path + b"?" + query if query else path).decode("utf-8", "surrogateescape")
