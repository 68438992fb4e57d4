"""Errors that keep a report from being written.

ReportError
├── ReportBreaksSchema      the report contradicts its schema or its own cases: a bug in the kit
└── ReportFolderUnwritable  the folder for the files is not writable: the user can fix this
"""

from __future__ import annotations

from pathlib import Path


class ReportError(Exception):
    """Root of this package's errors; `code` is stable, `hint` is a text for the user and may be empty."""

    code = "report"
    hint = ""


class ReportBreaksSchema(ReportError):
    """The report contradicts its schema or itself; `breaches` lists each place and the mistake there."""

    code = "report_breaks_schema"
    hint = "This is a fault of the suite and says nothing about the connector; please report it."

    def __init__(self, breaches: list[str]) -> None:
        super().__init__("the report breaks its own format: " + "; ".join(breaches[:5]))
        self.breaches = breaches


class ReportFolderUnwritable(ReportError):
    """The suite could not write a file of the report at `path`."""

    code = "report_folder_unwritable"
    hint = "Name a folder that you may write to: --out DIR."

    def __init__(self, path: Path, cause: OSError) -> None:
        super().__init__(f"cannot write {path}: {cause.strerror or cause}")
        self.path = path
