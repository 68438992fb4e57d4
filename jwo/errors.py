"""What ends a command, by exit code.

JwoError
├── Usage    the command was used wrongly; exit 2, and the sentence says what to do
└── Broken   the harness itself broke; exit 3
"""

from __future__ import annotations


class JwoError(Exception):
    """Root: `exit_code` is what the command ends with."""

    exit_code = 3


class Usage(JwoError):
    """The user can mend it."""

    exit_code = 2


class Broken(JwoError):
    """We must mend it."""
