"""The connector's log: one JSON object a line.

It takes ids and outcomes only: identity keys, tokens, secrets and shoppers' data are never handed to it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

import orjson

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Tell the time, in UTC."""
    return datetime.now(UTC)


class EventLog:
    """Writes events to a stream, standard error unless told otherwise."""

    def __init__(self, clock: Clock, stream: TextIO | None = None) -> None:
        self._clock = clock
        self._stream = stream

    def event(self, name: str, **facts: object) -> None:
        """Write one event; facts that are None are left out."""
        known = {key: value for key, value in facts.items() if value is not None}
        line = orjson.dumps({"at": self._clock().isoformat(), "event": name, **known}, default=str).decode()
        (self._stream or sys.stderr).write(line + "\n")
