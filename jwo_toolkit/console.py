"""The console of every command. Output that goes to a pipe or a file has no width, so no line is cut or folded."""

from __future__ import annotations

import sys

from rich.console import Console

_UNLIMITED_COLUMNS = 100_000


def make_console() -> Console:
    """Return a console on the current standard output, which the suite's engine redirects at times."""
    width = None if sys.stdout.isatty() else _UNLIMITED_COLUMNS
    return Console(file=sys.stdout, highlight=False, width=width)
