"""A day's clock: it stands where the day has got to, and every activity has its own instant, which is planned.

So nothing that is kept depends on how fast a connector answered. A wait costs an activity platform time only.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta

AT: ContextVar[datetime | None] = ContextVar("at", default=None)
"""The instant of the activity that is running; None: where the day has got to."""


class DayClock:
    """Moved by whoever drives the day."""

    def __init__(self, start: datetime) -> None:
        self.at = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the activity's instant."""
        return AT.get() or self.at

    def wall(self) -> datetime:
        """Return real time, which connectors live in."""
        return datetime.now(UTC)

    def wall_s(self, platform_s: float) -> float:
        """Return the same number: nobody waits on this clock."""
        return platform_s

    def monotonic(self) -> float:
        """Return real seconds, for measuring."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Let the activity's own time pass."""
        if seconds > 0:
            AT.set(self.now() + timedelta(seconds=seconds))
