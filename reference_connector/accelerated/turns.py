"""A log and metrics that do the work of one turn of the event loop at its end, in one go."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from collections.abc import Callable
from typing import Any, TextIO

from reference_connector.telemetry import CallWatch, Clock, EventLog


def at_the_end_of_the_turn(flush: Callable[[], None]) -> None:
    """Call it once the event loop has done its current turn; at once where there is no loop."""
    try:
        asyncio.get_running_loop().call_soon(flush)
    except RuntimeError:
        flush()


class TurnLog(EventLog):
    """Writes the lines of one turn together, as a write costs more than a line."""

    def __init__(self, clock: Clock, stream: TextIO | None = None) -> None:
        super().__init__(clock, stream)
        self._entries: list[dict[str, object]] = []

    def event(self, name: str, **facts: object) -> None:
        """Write one event; facts that are None are left out."""
        self._entries.append({"at": self._clock(), "event": name, **facts})
        if len(self._entries) == 1:
            at_the_end_of_the_turn(self.flush)

    def flush(self) -> None:
        """Write what waits to be written."""
        entries, self._entries = self._entries, []
        if entries:
            self._write(entries)


class TurnWatch(CallWatch):
    """Counts the answers of one turn together."""

    def __init__(self, *given: Any) -> None:  # noqa: ANN401 - as CallWatch takes them
        super().__init__(*given)
        self._noted: list[tuple[float, int, str]] = []

    def _note(self, seconds: float, status: int, code: str) -> None:
        self._noted.append((seconds, status, code))
        if len(self._noted) == 1:
            at_the_end_of_the_turn(self._flush)

    def _flush(self) -> None:
        noted, self._noted = self._noted, []
        for seconds, _, _ in noted:
            self._seconds.observe(seconds)
        for (status, code), count in Tally((status, code) for _, status, code in noted).items():
            self._counter(status, code).inc(count)
