"""What can keep a report from being written.

ReportError
├── ReportBreaksSchema      the report dict is not what its own schema or its own cases say: the harness is wrong
└── ReportFolderUnwritable  the folder for the files cannot be written: the user's to mend
"""

from __future__ import annotations

from pathlib import Path


class ReportError(Exception):
    """Root of this package's errors; `code` is stable, `hint` is for people and may be empty."""

    code = "report"
    hint = ""


class ReportBreaksSchema(ReportError):
    """The report contradicts its schema or itself; `breaches` lists each place and what is wrong there."""

    code = "report_breaks_schema"
    hint = "This is a fault of the suite and says nothing about the connector; please report it."

    def __init__(self, breaches: list[str]) -> None:
        super().__init__("the report breaks its own format: " + "; ".join(breaches[:5]))
        self.breaches = breaches


class ReportFolderUnwritable(ReportError):
    """A file of the report could not be put at `path`."""

    code = "report_folder_unwritable"
    hint = "Name a folder that you may write to: --out DIR."

    def __init__(self, path: Path, cause: OSError) -> None:
        super().__init__(f"cannot write {path}: {cause.strerror or cause}")
        self.path = path
