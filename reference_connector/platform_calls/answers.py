"""The answers of the platform: their bodies, the reasons of refusals, and which calls may succeed later."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import orjson

from jwo_contract.errors import MalformedBody
from jwo_contract.messages import message, parse_object
from jwo_contract.operations import Operation
from reference_connector.errors import MalformedAnswer

RETRIED_STATUSES = (408, 425, 429, 500, 502, 503, 504)
"""The statuses after which the same call may succeed later."""
_SHOWN_CHARACTERS = 200


class Answer(NamedTuple):
    """The answer to a request; `content` is the body without its codings."""

    status: int
    headers: httpx.Headers
    content: bytes

    def retry_after_s(self) -> float | None:
        """Return the pause that Retry-After asks for, as seconds or as a date; None if it is missing or not readable.

        A date counts from the Date of the answer, since the clocks of the two sides may differ.
        """
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text)
        until = _instant(text)
        if until is None:
            return None
        now = _instant(self.headers.get("date", "")) or datetime.now(UTC)
        return max(0.0, (until - now).total_seconds())


def checked_body(answer: Answer, operation: Operation) -> dict[str, Any]:
    """Return the body of a successful answer. Raises MalformedAnswer if it breaks the contract."""
    try:
        body = parse_object(answer.content)
    except MalformedBody as error:
        is_damaged = isinstance(error.__cause__, orjson.JSONDecodeError)
        raise MalformedAnswer(f"{operation.name}: {error}", may_pass=is_damaged) from error
    if not message(operation.response).is_valid(body):
        wrong = message(operation.response).violations(body)[0].message
        raise MalformedAnswer(f"{operation.name}: {wrong}")
    return body


def error_text(answer: Answer) -> str:
    """Return the platform's reason, on one line; empty if it gives none."""
    try:
        body = parse_object(answer.content)
    except MalformedBody:
        return one_line(answer.content.decode(errors="replace"))
    return one_line(str(body.get("errorMsg") or body.get("message") or ""))


def one_line(text: str) -> str:
    """Return the beginning of a text of the platform on one line, with `?` for each character that is not printable.

    PostgreSQL stores no NUL, so a row with one would never be saved.
    """
    line = " ".join(text.split())[:_SHOWN_CHARACTERS]
    return "".join(each if each.isprintable() else "?" for each in line)


def phrase(status: int) -> str:
    """Return the standard phrase of a status, for an answer without a text."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "without a text"


def may_pass(answer: Answer, retried_statuses: Collection[int], final_500_text: str) -> bool:
    """Return whether the same call may succeed later. A 500 with the final text and without Retry-After is final."""
    is_final_500 = error_text(answer) == final_500_text and answer.retry_after_s() is None
    return answer.status in retried_statuses and not is_final_500


def bare(url: str) -> str:
    """Return a URL without its query and user, which may have secrets."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address that is not valid"
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _instant(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
