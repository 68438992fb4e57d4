"""Makes texts that come from elsewhere safe to show: without control and direction characters, or on one short line."""

from __future__ import annotations

import re

_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(text: str) -> str:
    r"""Return a text with control and direction characters as escapes, such as `\x1b`; line ends and tabs stay."""
    return _UNPRINTABLE.sub(_escape, text)


def brief(text: object, limit: int = 160) -> str:
    """Return a printable text on one line of at most `limit` characters, for a summary that must stay on its page."""
    words = " ".join(printable(str(text)).split())
    return words if len(words) <= limit else f"{words[: limit - 1]}…"


def no_approval(silent_about: str) -> str:
    """Return the sentence on what no result of the kit means; `silent_about` names what it says nothing about."""
    return f"It does not mean that Amazon approves the connector, and it says nothing about {silent_about}."


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - the last code of two hex digits
