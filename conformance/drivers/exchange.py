"""A request and its answer, as values, and their form for reports, with secrets and shopper data masked."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, zip_longest
from typing import Any

from conformance.drivers.masks import (
    MASK,
    NO_SOURCES,
    REDACTED,
    Blank,
    body_blanks,
    header_blank,
    masked_headers,
    masked_text,
    secrets_of,
)
from jwo_contract.errors import MalformedBody
from jwo_contract.gate import NoAnswer
from jwo_contract.messages import parse_object
from jwo_contract.operations import Operation
from jwo_contract.values import format_instant

_LONGEST_BODY = 4000
_CURL_SETS = {"host", "content-length", "connection", "accept-encoding", "user-agent", "accept"}


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


def as_report(
    exchange: Exchange,
    secret_headers: frozenset[str],
    *,
    is_masked: bool = True,
    sources: Mapping[str, str] = NO_SOURCES,
) -> dict[str, Any]:
    """Return the exchange as report.json holds it. `sources` says of a secret where the profile declares it.

    With `is_masked` False it holds the real values, for the terminal of the connector's owner.
    """
    secrets = secrets_of(exchange.body, exchange.secrets)
    answer = exchange.answer
    about = {"about": exchange.shown(exchange.label.encode())} if exchange.label else {}

    def headers(of: Mapping[str, str], known: Iterable[str] = ()) -> dict[str, str]:
        return masked_headers(of, secret_headers, known) if is_masked else dict(of)

    def text(body: bytes) -> str:
        return exchange.shown(body) if is_masked else body.decode("utf-8", "replace")

    return {
        "operation": exchange.operation.name,
        **about,
        "startedAt": format_instant(exchange.started_at),
        "elapsedMs": round(exchange.elapsed_s * 1000, 3),
        "request": {
            "method": exchange.method,
            "url": exchange.url,
            "headers": headers(exchange.headers),
            "body": _body(text(exchange.body)),
        },
        "response": answer
        and {
            "status": answer.status,
            "headers": headers(answer.headers, secrets),
            "body": _body(text(answer.body)),
        },
        "failure": exchange.failure and str(exchange.failure),
        "curl": _curl(exchange, headers(exchange.headers), text(exchange.body), sources),
    }


def _body(text: str) -> Any:  # noqa: ANN401 - any JSON, or text
    if len(text) > _LONGEST_BODY:
        return f"{text[:_LONGEST_BODY]}… ({len(text)} characters in all)"
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _curl(exchange: Exchange, headers: Mapping[str, str], body: str, sources: Mapping[str, str]) -> str:
    """Return a command for a shell, after one line for each value that the reader must fill in."""
    words = [shlex.quote(word) for word in ("curl", "-sS", "-i", "-X", exchange.method, exchange.url)]
    blanks: dict[str, Blank] = {}
    for name, value in headers.items():
        if name.lower() in _CURL_SETS:
            continue
        if value == REDACTED:
            blank = header_blank(name, exchange.headers[name], sources)
            blanks[blank.name] = blank
            words += ["-H", f'{shlex.quote(f"{name}: ")}"${blank.name}"']
        else:
            words += ["-H", shlex.quote(f"{name}: {value}")]
    if len(body) > _LONGEST_BODY or not _fits_a_shell(body):
        note = f"# write the request's body of {len(exchange.body)} bytes to the file request-body first"
        lines, data = [note], "@request-body"
    else:
        found = body_blanks(body, exchange.body, exchange.secrets, sources)
        blanks |= {blank.name: blank for blank in found.values()}
        lines, data = [], _quoted(body, found)
    exports = [f"export {blank.name}=...   # {blank.source}" for blank in blanks.values()]
    return "\n".join([*exports, *lines, " ".join([*words, "--data-binary", data])])


def _fits_a_shell(body: str) -> bool:
    """Say whether an argument can hold the body: bytes that are no text, and NUL, need a file."""
    return not body.startswith("@") and "\0" not in body and "\ufffd" not in body


def _quoted(text: str, blanks: Mapping[str, Blank]) -> str:
    """Quote a text for a shell, which then expands the placeholder of each mask."""
    parts = MASK.split(text)
    masks = [f'"${blanks[found].name}"' for found in MASK.findall(text)]
    quoted = [shlex.quote(part) if part else "" for part in parts]
    return "".join(chain.from_iterable(zip_longest(quoted, masks, fillvalue=""))) or "''"
