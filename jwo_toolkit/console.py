"""The console on which every command prints."""

from __future__ import annotations

import sys

from rich.console import Console

_PIPED_COLUMNS = 10_000
"""Wider than any row: a table in a pipe or a file is neither cut nor folded, so that grep finds whole rows."""


def make_console() -> Console:
    """Return a console on the current standard output, which the suite's engine may have redirected.

    It is as wide as the terminal, and as wide as any row when the output is piped.
    """
    if sys.stdout.isatty():
        return Console(file=sys.stdout, highlight=False)
    return Console(file=sys.stdout, highlight=False, width=_PIPED_COLUMNS, height=25)
