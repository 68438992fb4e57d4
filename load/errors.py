"""The errors that end a load test without a verdict on the connector.

LoadError
├── BadOptions        a usage error: exit 2, and the hint says what to do
└── GeneratorBroke    the generator itself failed: exit 3, never a finding against the connector
"""

from __future__ import annotations

USAGE_PREFIX = "usage error: "
"""Marks a usage error in Locust's log, for the process that reads the log."""


class LoadError(Exception):
    """Base class: `exit_code` is the command's exit code, `code` is a stable name, `hint` says what to do."""

    exit_code = 3
    code = "load"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.hint = hint


class BadOptions(LoadError):
    """The user can fix this."""

    exit_code = 2
    code = "usage"


class GeneratorBroke(LoadError):
    """The run is invalid."""

    code = "generator"
