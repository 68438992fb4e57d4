"""One request and what came back, as values; and the same with secrets and shopper data masked, for reports.

A mask shows a digest of what it hides, so that a reader still sees whether two values are equal.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from contract.errors import MalformedBody
from contract.gate import NoAnswer
from contract.messages import parse_object
from contract.operations import Operation
from contract.values import format_instant

_SECRET_HEADERS = {"authorization", "x-amz-security-token", "cookie", "set-cookie"}
_SECRET_MEMBERS = re.compile(
    r'("(?:identityKey|shopperDeviceId)"\s*:\s*")((?:[^"\\]|\\.)*)(")'
    r'|("(?:visitorDetails|scanResult|shopperIdentity|paymentSource)"\s*:\s*\{[^{}]*?"id"\s*:\s*")((?:[^"\\]|\\.)*)(")'
)
_LONGEST_BODY = 4000


@dataclass(frozen=True)
class Answer:
    """What the connector sent back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any] | None:
        """Return the body as an object without its nulls; None when it is not one."""
        try:
            return parse_object(self.body)
        except MalformedBody:
            return None


@dataclass(frozen=True)
class Exchange:
    """A call from its first connect to its last byte; exactly one of `answer` and `failure` is there."""

    operation: Operation
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes
    started_at: datetime
    elapsed_s: float
    answer: Answer | None
    failure: NoAnswer | None = None
    detail: str = ""
    label: str = ""
    """What was special about the request, where a case sends many."""

    def in_short(self) -> str:
        """Say in one line what came back."""
        about = f"{self.label}: " if self.label else ""
        if self.answer is None:
            return f"{about}no answer: {self.detail or self.failure}"
        body = masked_text(self.answer.body)
        return f"{about}{self.answer.status} {body[:160]}{'…' if len(body) > 160 else ''}".strip()  # noqa: PLR2004 - one line


def mask(value: str) -> str:
    """Hide a value behind its length and the first digits of its digest; an empty one hides nothing."""
    if not value:
        return value
    return f"<{len(value)} characters, #{hashlib.sha256(value.encode()).hexdigest()[:8]}>"


def masked_text(body: bytes) -> str:
    """Return a body as text with identity keys and shopper ids masked."""
    text = body.decode("utf-8", "replace")
    return _SECRET_MEMBERS.sub(_masked_member, text)


def _masked_member(found: re.Match[str]) -> str:
    before, value, after = found.groups()[:3] if found.group(1) else found.groups()[3:]
    return f"{before}{mask(value)}{after}"


def masked_headers(headers: Mapping[str, str], secret: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return headers with credentials masked; `secret` names the profile's own."""
    hidden = _SECRET_HEADERS | {name.lower() for name in secret}
    return {name: "<redacted>" if name.lower() in hidden else value for name, value in headers.items()}


def as_report(exchange: Exchange, secret_headers: frozenset[str]) -> dict[str, Any]:
    """Return the exchange in the form that report.json carries."""
    headers = masked_headers(exchange.headers, secret_headers)
    answer = exchange.answer
    return {
        "operation": exchange.operation.name,
        "startedAt": format_instant(exchange.started_at),
        "elapsedMs": round(exchange.elapsed_s * 1000, 3),
        "request": {
            "method": exchange.method,
            "url": exchange.url,
            "headers": headers,
            "body": _body(exchange.body),
        },
        "response": answer
        and {"status": answer.status, "headers": masked_headers(answer.headers), "body": _body(answer.body)},
        "failure": exchange.failure and str(exchange.failure),
        "curl": _curl(exchange, headers),
    }


def _body(body: bytes) -> Any:  # noqa: ANN401 - any JSON, or text
    text = masked_text(body)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if len(text) <= _LONGEST_BODY:
        return value
    return f"{text[:_LONGEST_BODY]}… ({len(text)} characters in all)"


def _curl(exchange: Exchange, headers: Mapping[str, str]) -> str:
    words = ["curl", "-sS", "-i", "-X", exchange.method, exchange.url]
    for name, value in headers.items():
        if name.lower() not in {"host", "content-length", "connection", "accept-encoding", "user-agent", "accept"}:
            words += ["-H", f"{name}: {value}"]
    body = masked_text(exchange.body)
    words += ["--data-binary", body if len(body) <= _LONGEST_BODY else f"{body[:200]}…"]
    return shlex.join(words)
