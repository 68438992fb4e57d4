"""The console of every command. Output that goes to a pipe or a file is wide, so no line is cut or folded."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TextIO

from rich.console import Console

_PIPED_COLUMNS = 100_000
_ROWS = 25
"""Rich takes the width above only together with a height."""
_PIPE_CLOSED = 141
"""The exit code if the reader of the output has ended, as shells report it: 128 + SIGPIPE."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """End this process without a message. Rich would exit with 1, which means findings."""
        with suppress(SystemExit):
            super().on_broken_pipe()
        raise SystemExit(_PIPE_CLOSED)


def make_console(stream: TextIO | None = None) -> Console:
    """Return a console on a stream, by default the current standard output, which the suite's engine redirects.

    It is as wide as the terminal. In a pipe or a file it is wider than any row, so that grep finds whole rows.
    """
    file = stream or sys.stdout
    if file.isatty():
        return _Console(file=file, highlight=False)
    return _Console(file=file, highlight=False, width=_PIPED_COLUMNS, height=_ROWS)
