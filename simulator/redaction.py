"""What the journal hides: identity keys, scanned texts, and every header that is not known to be harmless."""

from __future__ import annotations

import json
from typing import Any

import orjson

_HARMLESS = {"content-type", "content-length", "host", "date", "retry-after", "x-amz-date", "location", "server"}
HIDDEN = "***"
_TEXT_MAX = 2_000
_DEEPEST = 60
"""No message of the contract is a tenth as deep, and writers of JSON stop at some depth."""
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
            text = text.replace(secret, HIDDEN).replace(json.dumps(secret)[1:-1], HIDDEN)
    try:
        return _without_keys(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text[:_TEXT_MAX]


def _without_keys(value: Any, inside: str = "", depth: int = 0) -> Any:  # noqa: ANN401 - any JSON
    if depth >= _DEEPEST and isinstance(value, dict | list):
        return f"(deeper than {_DEEPEST} levels: left out)"
    if isinstance(value, dict):
        return {
            name: HIDDEN if _is_secret(name, inside) else _without_keys(member, name, depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_without_keys(item, inside, depth + 1) for item in value]
    return value


def _is_secret(name: str, inside: str) -> bool:
    return name == "identityKey" or (inside == "scanEvent" and name in {"id", "value"})
