"""What ends a load test without a verdict on the connector.

LoadError
├── BadOptions        the command was used wrongly: exit 2, and the hint says what to do
└── GeneratorBroke    the generator itself could not do its work: exit 3, never a finding against the connector
"""

from __future__ import annotations

WRONG = "used wrongly: "
"""How Locust's log says it, for the process that reads there."""


class LoadError(Exception):
    """Root: `exit_code` is what the command ends with, `code` is stable, `hint` says what a person can do."""

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
