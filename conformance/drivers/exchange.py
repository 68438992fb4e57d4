"""One request and what came back, as values; and the same with secrets and shopper data masked, for reports."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conformance.drivers.masks import masked_headers, masked_text, secrets_of
from contract.errors import MalformedBody
from contract.gate import NoAnswer
from contract.messages import parse_object
from contract.operations import Operation
from contract.values import format_instant

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
    secrets: frozenset[str] = frozenset()
    """Values of the profile that no report may show."""
    measured: bool = True
    """Whether its time counts among the latencies; one that a fault held up does not."""

    def sent(self) -> dict[str, Any]:
        """Return the request's body as an object; MalformedBody when it is none."""
        return parse_object(self.body)

    def shown(self, body: bytes) -> str:
        """Return a body as a report may show it."""
        return masked_text(body, secrets_of(self.body, self.secrets))

    def in_short(self) -> str:
        """Say in one line what came back."""
        about = f"{self.label}: " if self.label else ""
        if self.answer is None:
            return f"{about}no answer: {self.detail or self.failure}"
        body = self.shown(self.answer.body)
        return f"{about}{self.answer.status} {body[:160]}{'…' if len(body) > 160 else ''}".strip()  # noqa: PLR2004 - one line


def as_report(exchange: Exchange, secret_headers: frozenset[str]) -> dict[str, Any]:
    """Return the exchange in the form that report.json carries."""
    secrets = secrets_of(exchange.body, exchange.secrets)
    headers = masked_headers(exchange.headers, secret_headers)
    answer = exchange.answer
    about = {"about": exchange.shown(exchange.label.encode())} if exchange.label else {}
    return {
        "operation": exchange.operation.name,
        **about,
        "startedAt": format_instant(exchange.started_at),
        "elapsedMs": round(exchange.elapsed_s * 1000, 3),
        "request": {
            "method": exchange.method,
            "url": exchange.url,
            "headers": headers,
            "body": _body(exchange.shown(exchange.body)),
        },
        "response": answer
        and {
            "status": answer.status,
            "headers": masked_headers(answer.headers, secret_headers, secrets),
            "body": _body(exchange.shown(answer.body)),
        },
        "failure": exchange.failure and str(exchange.failure),
        "curl": _curl(exchange, headers),
    }


def _body(text: str) -> Any:  # noqa: ANN401 - any JSON, or text
    if len(text) > _LONGEST_BODY:
        return f"{text[:_LONGEST_BODY]}… ({len(text)} characters in all)"
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _curl(exchange: Exchange, headers: Mapping[str, str]) -> str:
    words = ["curl", "-sS", "-i", "-X", exchange.method, exchange.url]
    for name, value in headers.items():
        if name.lower() not in {"host", "content-length", "connection", "accept-encoding", "user-agent", "accept"}:
            words += ["-H", f"{name}: {value}"]
    body = exchange.shown(exchange.body)
    words += ["--data-binary", body if len(body) <= _LONGEST_BODY else f"{body[:200]}…"]
    return shlex.join(words)
