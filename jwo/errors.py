"""The errors that end a command, each with its exit code, and the last resort that turns an error into one.

JwoError
├── Usage    a usage error; exit 2, and the sentence says what to do
└── Broken   the kit itself failed; exit 3

Errors of the other packages keep their own classes: an error that the user can fix exits with 2, a bug in the kit
with 3. No error exits with 1, which means findings.
"""

from __future__ import annotations

import io
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

from jwo_toolkit.extras import MissingExtra, extra_of, how_to_install


class JwoError(Exception):
    """Base class; `exit_code` is the command's exit code."""

    exit_code = 3


class Usage(JwoError):
    """The user can fix this."""

    exit_code = 2


class Broken(JwoError):
    """A bug in the kit."""


def exit_code(error: Exception) -> int:
    """Return 2 for an error that the user can fix, and 3 for any other."""
    if isinstance(error, JwoError):
        return error.exit_code
    if isinstance(error, ModuleNotFoundError):
        return 2 if extra_of(error.name or "") else 3
    return 2 if isinstance(error, _users_errors()) else 3


def sentence(error: Exception) -> str:
    """Return a sentence about an error. For an unknown type it names the place in the code, for a bug report."""
    hint = getattr(error, "hint", "")
    if isinstance(error, ModuleNotFoundError) and (extra := extra_of(error.name or "")):
        return f"{error.name} is not installed; {how_to_install(extra)}"
    known = (JwoError,) if isinstance(error, JwoError) else (*_users_errors(), *_harness_errors())
    if isinstance(error, known):
        return f"{error}; {hint}" if hint and hint not in str(error) else str(error)
    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = f" at {where[0].filename}:{where[0].lineno}" if where else ""
    return f"a bug in the kit, please report it: {type(error).__name__}: {error}{place}"


def run(command: Callable[[], object]) -> None:
    """Run a command. Every error ends it with an exit code and a sentence, and SIGTERM ends its `with` blocks."""
    signal.signal(signal.SIGTERM, _stop)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        command()
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - last resort: no other error may end as a finding
        print(f"jwo: {sentence(error)}", file=sys.stderr)  # noqa: T201 - the command's error
        sys.exit(exit_code(error))


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Exit, so that the `with` blocks stop the processes that they started."""
    sys.exit(143)


def _users_errors() -> tuple[type[Exception], ...]:
    """Return the other packages' errors that a user can fix; imports those packages only after an error."""
    from conformance.errors import BadExpectations, BadKey, BadStory
    from conformance.report.errors import ReportFolderUnwritable
    from jwo_contract.errors import BadProfile, BadSettings, UnknownEdition

    errors = [MissingExtra, BadProfile, BadSettings, UnknownEdition, BadExpectations, BadKey, BadStory]
    errors.append(ReportFolderUnwritable)
    with suppress(MissingExtra):
        from reference_connector.errors import BadRetailerData, PlatformClientError, StoreUnavailable

        errors += [BadRetailerData, PlatformClientError, StoreUnavailable]
    with suppress(MissingExtra):
        from simulator.errors import AmazonHostRefused, AwsFailed, BrokenWorld, StorageFailed, StorageUnreadable

        errors += [StorageUnreadable, StorageFailed, AwsFailed, AmazonHostRefused, BrokenWorld]
    return tuple(errors)


def _harness_errors() -> tuple[type[Exception], ...]:
    """Return the other packages' errors that have a readable text."""
    from conformance.errors import HarnessBroke
    from conformance.report.errors import ReportError

    errors: list[type[Exception]] = [HarnessBroke, ReportError]
    with suppress(MissingExtra):
        from reference_connector.errors import ConnectorError

        errors.append(ConnectorError)
    with suppress(MissingExtra):
        from simulator.errors import SimulatorError

        errors.append(SimulatorError)
    return tuple(errors)
