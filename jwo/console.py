"""The console that every command prints on."""

from __future__ import annotations

import sys

from rich.console import Console


def make_console() -> Console:
    """Return a console on the standard output of this moment, since the suite's engine redirects the stream."""
    return Console(file=sys.stdout, highlight=False)
