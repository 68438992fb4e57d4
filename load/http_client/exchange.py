"""One request on its way: when it was meant to start, when it did, and what came back.

All instants are integer nanoseconds of one monotonic clock, so that exactly 2,000 ms is within a budget of 2 seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class NoAnswer(StrEnum):
    """Why an exchange ended without an answer."""

    TIMED_OUT = "timed out"
    REFUSED = "connection refused"
    BROKEN = "connection broken"
    NOT_HTTP = "answer is not HTTP"
    NO_FILE = "no open file is left here; raise the limit of open files (ulimit -n), or add --workers"
    NO_PORT = "no local port is left here; widen net.ipv4.ip_local_port_range, or send from another machine as well"
    NO_BUFFER = "the system here has no memory for another connection; send from another machine as well"


NEVER_LEFT = frozenset({NoAnswer.NO_FILE, NoAnswer.NO_PORT, NoAnswer.NO_BUFFER})
"""Failures of this machine: the request never left, and the connector has no part in it."""


@dataclass(slots=True)
class Exchange:
    """`subject` is what the sender needs to judge the answer; this package never looks into it."""

    intended_ns: int
    request: bytes
    subject: Any
    serial: int = 0
    started_ns: int = 0
    answered_ns: int = 0
    read_delay_ns: int = 0
    """How long the answer may have waited for this generator to read it, at most."""
    cold: bool = False
    """A new connection was made for it; connecting is inside its time."""
    resent: bool = False
    """A kept connection turned out to be closed, so it went out again on a new one."""
    status: int = 0
    body: bytes = b""
    failure: NoAnswer | None = None

    @property
    def latency_ns(self) -> int:
        """From the intended start to the last byte."""
        return self.answered_ns - self.intended_ns

    @property
    def lag_ns(self) -> int:
        """How late the generator itself was."""
        return self.started_ns - self.intended_ns
