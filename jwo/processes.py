"""Starts servers of this kit as processes, each with the command `jwo`, and ends them together."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from jwo.errors import Broken
from jwo_toolkit.launcher import JWO, DidNotStart, environment_without, launched

_START_WITHIN_S = 30.0
_UNWANTED = ("AWS_", "JWO_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
"""Prefixes of the caller's AWS and proxy settings, which processes that call only this machine do not inherit."""


class Child(NamedTuple):
    """A running process and its address."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path


class _Command(NamedTuple):
    """What `Processes.start` got, for another start."""

    arguments: Sequence[str]
    environment: Mapping[str, str] | None


class Processes:
    """A group of processes that live as long as the `with` block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._commands: dict[str, _Command] = {}
        self._running: dict[str, Child] = {}
        self._restarts = 0
        self._all: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for process in self._all:  # they end side by side, and `launched` waits for each
            process.terminate()
        self._stack.close()

    def start(self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> Child:
        """Run `jwo ARGUMENTS` and wait for its address. Raises Broken, with the end of the log, if none arrives."""
        self._commands[name] = _Command(arguments, environment)
        self._running[name] = self._launch(name, arguments, environment)
        return self._running[name]

    def restart(self, name: str) -> Child:
        """Kill a process that takes `--port`, as a power cut would, and start it again at its address.

        Raises Broken if it does not start.
        """
        old, (arguments, environment) = self._running[name], self._commands[name]
        old.process.kill()
        old.process.wait()
        self._restarts += 1
        port = str(urlsplit(old.url).port)
        again = self._launch(f"{name}-{self._restarts}", [*arguments, "--port", port], environment)
        self._running[name] = again
        return again

    def _launch(self, name: str, arguments: Sequence[str], environment: Mapping[str, str] | None) -> Child:
        variables = {**environment_without(*_UNWANTED), **(environment or {})}
        started = self._stack.enter_context(launched(name, (*JWO, *arguments), self._folder, variables))
        self._all.append(started.process)
        try:
            url = started.url(_START_WITHIN_S)
        except DidNotStart as error:
            raise Broken(str(error)) from error
        return Child(name, url, started.process, started.announcement.log)
