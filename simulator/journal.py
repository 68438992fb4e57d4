"""The journal: every exchange with a connector and every gate decision, redacted before it is kept.

Identity keys, scanned texts, and every header that is not known to be harmless become `***`.
"""

from __future__ import annotations

import logging
from collections import deque
from typing import Any

import orjson

from contract.values import format_instant
from simulator.clock import Clock

_HARMLESS = {"content-type", "content-length", "host", "date", "retry-after", "x-amz-date", "location", "server"}
_HIDDEN = "***"
_TEXT_MAX = 2_000
_SECRET_MIN = 6
"""Shorter texts are no keys, and hiding them everywhere would make a body unreadable."""
_log = logging.getLogger("simulator.journal")


class Journal:
    """Keeps the newest `size` entries; an entry is a JSON object with `seq`, `at` and `kind`."""

    def __init__(self, clock: Clock, size: int) -> None:
        self._clock = clock
        self._entries: deque[dict[str, Any]] = deque(maxlen=size)
        self._seq = 0

    def add(self, kind: str, entry: dict[str, Any]) -> None:
        """Keep an entry and log its skeleton: names, status and cause, no bodies."""
        self._seq += 1
        self._entries.append({"seq": self._seq, "at": format_instant(self._clock.now()), "kind": kind, **entry})
        shown = {name: value for name, value in entry.items() if name not in {"request", "response", "visitor"}}
        _log.info("%s", orjson.dumps({"kind": kind, **shown}).decode())

    def entries(self, *, trip: str = "", gate: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """Return the newest entries that match, oldest first."""
        found = [
            entry
            for entry in self._entries
            if (not trip or entry.get("tripId") == trip) and (not gate or entry.get("gate") == gate)
        ]
        return found[-limit:]


def redacted_headers(headers: dict[str, str]) -> dict[str, str]:
    """Hide the value of every header that could carry a credential."""
    return {name: value if name.lower() in _HARMLESS else _HIDDEN for name, value in headers.items()}


def redacted_body(body: bytes, secrets: tuple[str, ...] = ()) -> Any:  # noqa: ANN401 - any JSON, or the text that it is
    """Return a body as JSON, or as cut text when it is none, without identity keys and the given secrets."""
    text = body.decode(errors="replace")
    for secret in secrets:
        if len(secret) >= _SECRET_MIN:
            text = text.replace(secret, _HIDDEN)
    try:
        return _without_keys(orjson.loads(text))
    except orjson.JSONDecodeError:
        return text[:_TEXT_MAX]


def _without_keys(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, dict):
        return {name: _HIDDEN if name == "identityKey" else _without_keys(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_without_keys(item) for item in value]
    return value
