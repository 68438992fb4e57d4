"""What ends a command, by exit code.

JwoError
├── Usage    the command was used wrongly; exit 2, and the sentence says what to do
└── Broken   the harness itself broke; exit 3

The other rooms' errors keep their families: what a user can fix is 2, a bug in the kit is 3. Nothing here is ever 1,
which is kept for findings.
"""

from __future__ import annotations

import traceback


class JwoError(Exception):
    """Root: `exit_code` is what the command ends with."""

    exit_code = 3


class Usage(JwoError):
    """The user can fix this."""

    exit_code = 2


class Broken(JwoError):
    """A bug in the kit."""


def exit_code(error: Exception) -> int:
    """Return 2 for what the user can fix and 3 for all else."""
    if isinstance(error, JwoError):
        return error.exit_code
    return 2 if isinstance(error, _users_errors()) else 3


def sentence(error: Exception) -> str:
    """Say what happened; for an error of an unknown type also where, so that it can be reported."""
    hint = getattr(error, "hint", "")
    known = (JwoError,) if isinstance(error, JwoError) else (*_users_errors(), *_harness_errors())
    if isinstance(error, known):
        return f"{error}; {hint}" if hint and hint not in str(error) else str(error)
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" at {where[0].filename}:{where[0].lineno}" if where else ""
    return f"this is our mistake: {type(error).__name__}: {error}{place}"


def _users_errors() -> tuple[type[Exception], ...]:
    """Return the rooms' errors that a user can fix; the rooms are imported only when one of them failed."""
    from conformance.errors import BadExpectations, BadKey, BadStory
    from conformance.report.errors import ReportFolderUnwritable
    from contract.errors import BadProfile, BadSettings
    from reference_connector.errors import BadRetailerData, CatalogClientError, StoreUnavailable
    from simulator.errors import BrokenWorld, StorageUnreadable

    return (
        BadProfile,
        BadSettings,
        BadExpectations,
        BadKey,
        BadStory,
        ReportFolderUnwritable,
        BadRetailerData,
        CatalogClientError,
        StoreUnavailable,
        StorageUnreadable,
        BrokenWorld,
    )


def _harness_errors() -> tuple[type[Exception], ...]:
    """Return the rooms' other errors that have a sentence of their own."""
    from conformance.errors import HarnessBroke
    from conformance.report.errors import ReportError
    from reference_connector.errors import ConnectorError
    from simulator.errors import SimulatorError

    return HarnessBroke, ReportError, ConnectorError, SimulatorError
