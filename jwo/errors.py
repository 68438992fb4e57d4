"""What ends a command, by exit code.

JwoError
├── Usage    the command was used wrongly; exit 2, and the sentence says what to do
└── Broken   the harness itself broke; exit 3

The other rooms' errors keep their families: what a user can mend is 2, what is ours is 3. Nothing here is ever 1, which
is kept for findings.
"""

from __future__ import annotations

import traceback

from conformance.errors import BadExpectations, BadKey, BadStory, HarnessBroke
from conformance.report import ReportError
from conformance.report.errors import ReportFolderUnwritable
from contract.errors import BadProfile, BadSettings
from reference_connector.errors import BadRetailerData, CatalogClientError, ConnectorError, StoreUnavailable
from simulator.errors import BrokenMemory, BrokenWorld, SimulatorError


class JwoError(Exception):
    """Root: `exit_code` is what the command ends with."""

    exit_code = 3


class Usage(JwoError):
    """The user can mend it."""

    exit_code = 2


class Broken(JwoError):
    """We must mend it."""


_MENDABLE = (
    BadProfile,
    BadSettings,
    BadExpectations,
    BadKey,
    BadStory,
    ReportFolderUnwritable,
    BadRetailerData,
    CatalogClientError,
    StoreUnavailable,
    BrokenMemory,
    BrokenWorld,
)
_SPOKEN = (JwoError, *_MENDABLE, HarnessBroke, ReportError, ConnectorError, SimulatorError)


def exit_code(error: Exception) -> int:
    """Return 2 for what the user can mend and 3 for all else."""
    return 2 if isinstance(error, (Usage, *_MENDABLE)) else 3


def sentence(error: Exception) -> str:
    """Say what happened; of an error that nobody foresaw also where, so that it can be reported."""
    hint = getattr(error, "hint", "")
    if isinstance(error, _SPOKEN):
        return f"{error}; {hint}" if hint and hint not in str(error) else str(error)
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" at {where[0].filename}:{where[0].lineno}" if where else ""
    return f"this is our mistake: {type(error).__name__}: {error}{place}"
