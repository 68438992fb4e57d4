"""Counts the answers of one turn of the event loop together, at its end."""

from __future__ import annotations

from collections import Counter as Tally
from typing import Any

from reference_connector.telemetry import CallWatch, at_the_end_of_the_turn


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
            self._time(seconds)
        for (status, code), count in Tally((status, code) for _, status, code in noted).items():
            self._counter(status, code).inc(count)
