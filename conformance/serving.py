"""Servers of this project as processes of their own: the suite starts a command and meets it over HTTP only.

A server starts while other things go on. Where it listens stands in a file, so that lanes in other processes find it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from conformance.errors import HarnessBroke

JWO = (sys.executable, "-P", "-m", "jwo")
"""The front door's command; -P hides the caller's folder."""
_SAYS = "listening on "
_START_WITHIN_S, _STOP_WITHIN_S, _LOOK_EVERY_S = 60.0, 5.0, 0.02
_LAST_WORDS = 1000


class Server(NamedTuple):
    """A server that is starting or running; `said` holds its first line, `log` what went wrong."""

    name: str
    said: Path
    log: Path

    def url(self) -> str:
        """Wait until it listens and return its address; HarnessBroke with the end of its log when it does not."""
        deadline = time.monotonic() + _START_WITHIN_S
        while time.monotonic() < deadline:
            line, end, _ = self.said.read_text("utf-8").partition("\n")
            if end and line.startswith(_SAYS):
                return line.removeprefix(_SAYS).strip()
            if end:
                break
            time.sleep(_LOOK_EVERY_S)
        raise HarnessBroke(f"{self.name} did not start: {self.log.read_text('utf-8', 'replace')[-_LAST_WORDS:]}")


@contextlib.contextmanager
def served(name: str, command: tuple[str, ...], settings: Mapping[str, str], folder: Path) -> Iterator[Server]:
    """Start a server with these variables, without waiting for it, and end it with the block; its files are there."""
    server = Server(name, folder / f"{name}.said", folder / f"{name}.log")
    with server.said.open("wb") as said, server.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.DEVNULL, stdout=said, stderr=log, env={**_surroundings(), **settings}
        )
    threading.Thread(target=_tell_the_end, args=(process, server.said), daemon=True).start()
    try:
        yield server
    finally:
        _end(process)


def _surroundings() -> dict[str, str]:
    """Keep the caller's own settings and AWS credentials away from it."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "JWO_"))}


def _tell_the_end(process: subprocess.Popen[bytes], said: Path) -> None:
    """Note that it ended, for whoever still waits for its address."""
    process.wait()
    with contextlib.suppress(OSError), said.open("r+b") as file:  # the folder may be gone, and must not come back
        file.seek(0, os.SEEK_END)
        file.write(b"ended\n")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
