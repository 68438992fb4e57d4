"""Restarts the connector with the command from its profile, and waits until the connector answers again."""

from __future__ import annotations

import shlex
import subprocess
import time
from collections.abc import Callable

from conformance.drivers.exchange import Exchange
from conformance.errors import HarnessBroke, NotDeclared
from contract.profile import Profile

_WITHIN_S = 60
_LOOK_EACH_S = 0.1
_NOT_YET = {502, 503, 504}
"""Statuses that a proxy, or a connector that is starting, answers during the restart."""


def needs_command(profile: Profile) -> None:
    """Check that the profile declares a restart command. Raises NotDeclared if it does not."""
    if not profile.connector.restart_command:
        raise NotDeclared("[connector] restart_command is not declared in the profile")


def restart(profile: Profile) -> None:
    """Run the declared command. Raises HarnessBroke if it fails."""
    needs_command(profile)
    command = shlex.split(profile.connector.restart_command)
    try:
        subprocess.run(command, capture_output=True, timeout=_WITHIN_S, check=True)  # noqa: S603 - the user's own command
    except (OSError, subprocess.SubprocessError) as error:
        raise HarnessBroke(f"[connector] restart_command failed: {error}") from error


def answered(send: Callable[[], Exchange]) -> Exchange:
    """Send until the restarted connector answers, and return the exchange.

    Raises HarnessBroke if there is no answer within 60 seconds.
    """
    deadline = time.monotonic() + _WITHIN_S
    exchange = send()
    while exchange.answer is None or exchange.answer.status in _NOT_YET:
        if time.monotonic() > deadline:
            raise HarnessBroke(f"nothing answered within {_WITHIN_S} s after [connector] restart_command")
        time.sleep(_LOOK_EACH_S)
        exchange = send()
    return exchange
