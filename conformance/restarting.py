"""Restarts the connector with the command from its profile, and waits until the connector answers again.

The command may return before the outage begins, as `systemctl --no-block` does, and may leave a server running that
holds its output. So its output goes to a file, and the outage is waited for as well as its end.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from conformance.drivers.exchange import Exchange
from conformance.errors import Finding, NotDeclared, ProfileBroke
from jwo_contract.profile import Profile
from jwo_contract.profile_connector import ConnectorTable
from jwo_toolkit.reachability import NotReachable, check_reachable

_WITHIN_S = 60
_LOOK_EACH_S = 0.1
_OUTAGE_WITHIN_S = 2.0
"""A command that returns early has begun the outage by then."""
_LOOK_FOR_OUTAGE_EACH_S = 0.02
_WITHOUT_OUTAGE: list[ConnectorTable] = []
"""The connectors of this process that no restart took down, as far as a caller can see."""
_LOG_BYTES = 300
_NOT_YET = {502, 503, 504}
"""Statuses that a proxy, or a connector that is starting, answers during the restart."""


def needs_command(profile: Profile) -> None:
    """Check that the profile declares a restart command. Raises NotDeclared if it does not."""
    if not profile.connector.restart_command:
        raise NotDeclared("[connector] restart_command is not declared in the profile")


def restart(profile: Profile) -> None:
    """Run the declared command. If no outage was seen until it ends, wait until one begins, for a grace time.

    Where the first restart had no outage at all, later ones do not wait. Raises ProfileBroke if the command fails.
    """
    needs_command(profile)
    with _Watch(profile.connector) as watch:
        _run(shlex.split(profile.connector.restart_command))
        if profile.connector not in _WITHOUT_OUTAGE and not watch.saw_outage.wait(_OUTAGE_WITHIN_S):
            _WITHOUT_OUTAGE.append(profile.connector)


def answered(send: Callable[[], Exchange]) -> Exchange:
    """Send until the restarted connector answers, and return the exchange.

    Raises Finding if there is no answer within 60 seconds.
    """
    deadline = time.monotonic() + _WITHIN_S
    exchange = send()
    while exchange.answer is None or exchange.answer.status in _NOT_YET:
        if time.monotonic() > deadline:
            raise Finding(
                f"the connector answers within {_WITHIN_S} s after [connector] restart_command", exchange.in_short()
            )
        time.sleep(_LOOK_EACH_S)
        exchange = send()
    return exchange


def _run(command: list[str]) -> None:
    """Run a command and wait for its own end, not for that of processes that it leaves behind."""
    with tempfile.TemporaryFile() as log:
        try:
            ended = subprocess.run(  # noqa: S603 - the user's own command
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=_WITHIN_S, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise ProfileBroke(f"[connector] restart_command failed: {error}") from error
        if ended.returncode:
            log.seek(0)
            text = log.read()[-_LOG_BYTES:].decode("utf-8", "replace").strip()
            raise ProfileBroke(f"[connector] restart_command failed: {_exit(ended.returncode)}{text and f': {text}'}")


def _exit(code: int) -> str:
    return f"exit code {code}" if code > 0 else f"ended by {signal.Signals(-code).name}"


class _Watch:
    """Tries in a thread whether the connector accepts connections, and sets `saw_outage` if it does not."""

    def __init__(self, connector: ConnectorTable) -> None:
        self.saw_outage = threading.Event()
        self._connector = connector
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        while not (self._is_over.is_set() or self.saw_outage.is_set()):
            try:
                check_reachable(self._connector.url, self._connector.ca_file)
            except NotReachable:
                self.saw_outage.set()
            self._is_over.wait(_LOOK_FOR_OUTAGE_EACH_S)
