"""Redaction for the journal: hides identity keys, addresses, scanned texts, and all headers except harmless ones."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

_HARMLESS = {"content-type", "content-length", "host", "date", "retry-after", "x-amz-date", "location", "server"}
HIDDEN = "***"
_TEXT_MAX = 2_000
_DEEPEST = 60
"""Levels. No message of the contract has a tenth of this depth, and JSON encoders have a limit."""
_LONG = 6
"""A secret of this many characters is hidden everywhere. A shorter one is hidden only as a whole word or number:
without the letter a, every body would be unreadable."""
_NOTHING = re.compile(r"(?!)")


_BEARER = re.compile(r"((?:\b|[?&])(?:Token|X-Amz-Signature|X-Amz-Security-Token)=)[^&\"\s\\]+", re.IGNORECASE)
_KEY = re.compile(r'("(?:identityKey|shopperEmail)"\s*:\s*")(?:[^"\\]|\\.)*')


def redacted_text(text: str) -> str:
    """Hide what opens a link, confirms a queue or identifies a shopper in a text, which may be incomplete JSON."""
    return _KEY.sub(rf"\1{HIDDEN}", _BEARER.sub(rf"\1{HIDDEN}", text))


def redacted_headers(headers: dict[str, str]) -> dict[str, str]:
    """Hide the value of every header that could carry a credential."""
    return {name: value if name.lower() in _HARMLESS else HIDDEN for name, value in headers.items()}


def redacted_body(body: bytes, secrets: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - any JSON, or text
    """Return a body without identity keys and secrets, as JSON, or as text of limited length if it is not JSON."""
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
        return f"(removed: deeper than {_DEEPEST} levels)"
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
    return name in {"identityKey", "shopperEmail"} or (inside == "scanEvent" and name in {"id", "value"})
