"""What the journal hides: identity keys, scanned texts, and every header that is not known to be harmless."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_HARMLESS = {"content-type", "content-length", "host", "date", "retry-after", "x-amz-date", "location", "server"}
HIDDEN = "***"
_TEXT_MAX = 2_000
_DEEPEST = 60
"""No message of the contract is a tenth as deep, and writers of JSON stop at some depth."""
_LONG = 6
"""A secret with this number of characters is hidden everywhere, a shorter one only as a whole word or number.

Otherwise the secret "a" would make every body unreadable.
"""
_NOTHING = re.compile(r"(?!)")


_BEARER = re.compile(r"((?:\b|[?&])(?:Token|X-Amz-Signature|X-Amz-Security-Token)=)[^&\"\s\\]+", re.IGNORECASE)
_KEY = re.compile(r'("identityKey"\s*:\s*")(?:[^"\\]|\\.)*')


def redacted_text(text: str) -> str:
    """Return text without what opens a link, confirms a queue or identifies a shopper, be it JSON or cut off."""
    return _KEY.sub(rf"\1{HIDDEN}", _BEARER.sub(rf"\1{HIDDEN}", text))


def redacted_headers(headers: dict[str, str]) -> dict[str, str]:
    """Hide the value of every header that could carry a credential."""
    return {name: value if name.lower() in _HARMLESS else HIDDEN for name, value in headers.items()}


def redacted_body(body: bytes, secrets: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - any JSON, or the text that it is
    """Return a body as JSON, or as cut text if it is not JSON, without identity keys and the given secrets."""
    text, short = body.decode(errors="replace"), [re.escape(secret) for secret in secrets if 0 < len(secret) < _LONG]
    for secret in secrets:
        if len(secret) >= _LONG:
            text = text.replace(secret, HIDDEN).replace(json.dumps(secret)[1:-1], HIDDEN)
    alone = re.compile(rf"(?<!\w)(?:{'|'.join(short)})(?!\w)") if short else _NOTHING
    try:
        return _without_keys(orjson.loads(text), alone)
    except orjson.JSONDecodeError:
        return alone.sub(HIDDEN, text)[:_TEXT_MAX]


def _without_keys(value: Any, alone: re.Pattern[str], inside: str = "", depth: int = 0) -> Any:  # noqa: ANN401 - any JSON
    if depth >= _DEEPEST and isinstance(value, dict | list):
        return f"(deeper than {_DEEPEST} levels: left out)"
    if isinstance(value, dict):
        return {
            name: HIDDEN if _is_secret(name, inside) else _without_keys(member, alone, name, depth + 1)
            for name, member in value.items()
        }
    if isinstance(value, list):
        return [_without_keys(item, alone, inside, depth + 1) for item in value]
    if alone is not _NOTHING and isinstance(value, str | int | float):
        return alone.sub(HIDDEN, value) if isinstance(value, str) else HIDDEN if alone.fullmatch(str(value)) else value
    return value


def _is_secret(name: str, inside: str) -> bool:
    return name == "identityKey" or (inside == "scanEvent" and name in {"id", "value"})
