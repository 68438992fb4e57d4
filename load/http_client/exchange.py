"""One request and its answer: the intended start, the actual start, and the result.

All times are integer nanoseconds of one monotonic clock, so that exactly 2,000 ms are within a budget of 2 seconds.
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
    NO_FILE = "this machine has no free file descriptor; raise the limit of open files (ulimit -n), or add --workers"
    NO_PORT = "this machine has no free local port; widen net.ipv4.ip_local_port_range, or add another machine"
    NO_BUFFER = "this machine has no memory for another connection; add another machine"


NEVER_LEFT = frozenset({NoAnswer.NO_FILE, NoAnswer.NO_PORT, NoAnswer.NO_BUFFER})
"""Failures of this machine: the request was never sent, and the connector is not the cause."""


@dataclass(slots=True)
class Exchange:
    """A request and its result. The sender stores its own data in `context`; this package does not read it."""

    intended_ns: int
    request: bytes
    context: Any
    serial: int = 0
    started_ns: int = 0
    answered_ns: int = 0
    read_delay_ns: int = 0
    """The longest time that the answer may have waited until this generator read it."""
    cold: bool = False
    """Whether it used a new connection; its time includes the connecting."""
    resent: bool = False
    """Whether it was sent again on a new connection, because the peer had closed the kept one."""
    status: int = 0
    body: bytes = b""
    failure: NoAnswer | None = None

    @property
    def latency_ns(self) -> int:
        """The time from the intended start to the last byte."""
        return self.answered_ns - self.intended_ns

    @property
    def lag_ns(self) -> int:
        """The delay of the generator itself."""
        return self.started_ns - self.intended_ns
