"""Writes the progress of a run as lines of JSON, one object a line, to a file or to standard output.

Each object has a member `event`. The stream is a copy of the descriptor, so no redirection in this process changes it.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, Self, TextIO

STANDARD_OUTPUT = "-"


class ProgressLines:
    """Writes events to a stream, and closes it after the `with` block; without a stream it writes nothing."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._stream:
            self._stream.close()

    def write(self, event: str, members: Mapping[str, Any]) -> None:
        """Write one event at once, so that a reader sees it while the run goes on. The members are JSON values."""
        if self._stream:
            self._stream.write(json.dumps({"event": event, **members}) + "\n")
            self._stream.flush()


def open_progress(target: str | None) -> ProgressLines:
    """Open the lines of a run: a path, `-` for standard output, or None for none. Raises OSError for a bad path."""
    if not target:
        return ProgressLines()
    file = os.dup(sys.stdout.fileno()) if target == STANDARD_OUTPUT else target
    return ProgressLines(open(file, "w", encoding="utf-8"))  # noqa: PTH123 - a descriptor has no path


def text_stream(target: str | None) -> TextIO:
    """Return the stream for the text of a command: standard error if the lines have standard output."""
    return sys.stderr if target == STANDARD_OUTPUT else sys.stdout
