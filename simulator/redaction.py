"""What the journal hides: identity keys, scanned texts, and every header that is not known to be harmless."""

from __future__ import annotations

from typing import Any

import orjson

_HARMLESS = {"content-type", "content-length", "host", "date", "retry-after", "x-amz-date", "location", "server"}
HIDDEN = "***"
_TEXT_MAX = 2_000
_SECRET_MIN = 6
"""Shorter texts are no keys, and hiding them everywhere would make a body unreadable."""


def redacted_headers(headers: dict[str, str]) -> dict[str, str]:
    """Hide the value of every header that could carry a credential."""
    return {name: value if name.lower() in _HARMLESS else HIDDEN for name, value in headers.items()}


def redacted_body(body: bytes, secrets: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - any JSON, or the text that it is
    """Return a body as JSON, or as cut text when it is none, without identity keys and the given secrets."""
    text = body.decode(errors="replace")
    for secret in secrets:
        if len(secret) >= _SECRET_MIN:
            text = text.replace(secret, HIDDEN)
    try:
        return _without_keys(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text[:_TEXT_MAX]


def _without_keys(value: Any, inside: str = "") -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {
            name: HIDDEN if _is_secret(name, inside) else _without_keys(member, name) for name, member in value.items()
        }
    if isinstance(value, list):
        return [_without_keys(item, inside) for item in value]
    return value


def _is_secret(name: str, inside: str) -> bool:
    return name == "identityKey" or (inside == "scanEvent" and name in {"id", "value"})
