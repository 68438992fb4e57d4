"""Makes a report safe to write and to share: it redacts credentials, and replaces values that a file cannot hold.

The suite redacts the secrets that only it knows, such as a header from the profile, when it fills the report. This
module is a second protection: it finds credentials by the name of their header, and identity keys by their member.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

_SECRET_HEADER = re.compile(
    r"authorization|cookie|token|secret|signature|password|credential|api-?key|^x-.*key$", re.IGNORECASE
)
_KEY_MEMBERS = frozenset({"identityKey"})
_USABLE_KEY = re.compile(r"[A-Za-z0-9+/]{12,1000}={0,2}")
_REDACTED = re.compile(r"\s*[<\[(*]|\*+|redacted", re.IGNORECASE)
_MAX_DEPTH = 64
_SHORT = 8


def clean(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy without secrets, with lone surrogates escaped, non-finite numbers as text, and limited depth."""
    copy: dict[str, Any] = _plain(report, 0)
    for case in copy.get("cases") or ():
        secrets = sorted(set(_secrets(case)), key=len, reverse=True)
        case.update(_without(case, secrets))
        for headers in _headers(case):
            headers.update({name: _placeholder(value) for name, value in headers.items() if _is_secret(name, value)})
    return copy


def cut(text: str, limit: int) -> str:
    """Return the text, or its first `limit` characters and the number of characters left out."""
    if len(text) <= limit:
        return text
    return f"{text[:limit]} … ({len(text) - limit:,} more characters; all of them are in report.json)"


def _plain(value: Any, depth: int) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping | list | tuple) and depth >= _MAX_DEPTH:
        return f"(deeper than {_MAX_DEPTH} levels: left out)"
    if isinstance(value, Mapping):
        return {_plain(str(name), 0): _plain(member, depth + 1) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, depth + 1) for item in value]
    return value


def _headers(case: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for message in _messages(case):
        if isinstance(headers := message.get("headers"), dict):
            yield headers


def _messages(case: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for exchange in case.get("exchanges") or ():
        for message in (exchange.get("request"), exchange.get("response")):
            if isinstance(message, Mapping):
                yield message


def _secrets(case: Mapping[str, Any]) -> Iterator[str]:
    for headers in _headers(case):
        for name, value in headers.items():
            if _is_secret(name, value):
                yield value if len(value) >= _SHORT else f"{name}: {value}"  # a short value also occurs in other text
    for message in _messages(case):
        yield from _keys(message.get("body"))


def _is_secret(name: str, value: object) -> bool:
    return bool(_SECRET_HEADER.search(name) and isinstance(value, str) and value and not _REDACTED.match(value))


def _placeholder(secret: str) -> str:
    return f"<redacted, {len(secret)} characters>"


def _keys(body: Any) -> Iterator[str]:  # noqa: ANN401 - any JSON
    """Yield the keys that could open a gate; a key that is malformed on purpose is evidence and stays."""
    if isinstance(body, Mapping):
        for name, member in body.items():
            if name in _KEY_MEMBERS and isinstance(member, str) and _USABLE_KEY.fullmatch(member):
                yield member
            else:
                yield from _keys(member)
    elif isinstance(body, list):
        for item in body:
            yield from _keys(item)


def _without(value: Any, secrets: list[str]) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, _placeholder(secret))
        return value
    if isinstance(value, dict):
        return {name: _without(member, secrets) for name, member in value.items()}
    if isinstance(value, list):
        return [_without(item, secrets) for item in value]
    return value
