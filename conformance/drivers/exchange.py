"""A request and its answer, as values, and their form for reports, with secrets and shopper data masked."""

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
    """The answer of the connector."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any] | None:
        """Return the body as an object without its nulls, or None if the body is not a JSON object."""
        try:
            return parse_object(self.body)
        except MalformedBody:
            return None


@dataclass(frozen=True)
class Exchange:
    """A call from its first connect to its last byte; exactly one of `answer` and `failure` is set."""

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
    """How the request differs from the others, in a case that sends many."""
    secrets: frozenset[str] = frozenset()
    """Values of the profile that no report may show."""
    measured: bool = True
    """Whether the latencies include its time; False for an exchange that a fault or a slow line delayed."""
    own_lag_s: float = 0.0
    """The part of the time, at most, that the suite itself ran late."""

    def sent(self) -> dict[str, Any]:
        """Return the request's body as an object. Raises MalformedBody if it is not a JSON object."""
        return parse_object(self.body)

    def shown(self, body: bytes) -> str:
        """Return a body with its secrets masked, for a report."""
        return masked_text(body, secrets_of(self.body, self.secrets))

    def is_late(self, budget_s: float) -> bool:
        """Say whether the answer is missing, or came after the budget even without the suite's own lag."""
        return self.answer is None or self.elapsed_s - self.own_lag_s > budget_s

    def is_late_by_suite(self, budget_s: float) -> bool:
        """Say whether only the suite's own lag makes the answer late, so that its time proves nothing."""
        return self.elapsed_s > budget_s and not self.is_late(budget_s)

    def in_short(self) -> str:
        """Return the answer, or the failure, in one line."""
        label = f"{self.label}: " if self.label else ""
        if self.answer is None:
            return f"{label}no answer: {self.detail or self.failure}"
        body = self.shown(self.answer.body)
        return f"{label}{self.answer.status} {body[:160]}{'…' if len(body) > 160 else ''}".strip()  # noqa: PLR2004 - one line


def as_report(exchange: Exchange, secret_headers: frozenset[str]) -> dict[str, Any]:
    """Return the exchange as report.json holds it."""
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
    arguments = ["curl", "-sS", "-i", "-X", exchange.method, exchange.url]
    for name, value in headers.items():
        if name.lower() not in {"host", "content-length", "connection", "accept-encoding", "user-agent", "accept"}:
            arguments += ["-H", f"{name}: {value}"]
    body = exchange.shown(exchange.body)
    arguments += ["--data-binary", body if len(body) <= _LONGEST_BODY else f"{body[:200]}…"]
    return shlex.join(arguments)
