"""Starts commands as processes, reads the address on the first line of each, and ends the processes by their ids.

The output and the log of a process are files. So it never blocks on a full pipe, and any process can read its address.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from jwo_toolkit.announcement import announced_url
from jwo_toolkit.lifeline import tied

JWO = (sys.executable, "-P", "-m", "jwo")
"""The command `jwo`; -P keeps the current folder off the import path."""
_START_WITHIN_S, _STOP_WITHIN_S, _LOOK_EVERY_S = 60.0, 8.0, 0.01
_LOG_LINES = 15
_ENDED = "the process ended"
_WATCHER = "import os, sys; sys.stdin.read(); os.killpg(int(sys.argv[1]), 9)"
"""Its input ends with the process that started it."""


class DidNotStart(Exception):
    """A process ended, or printed nothing for too long, instead of announcing its address."""


class Announcement(NamedTuple):
    """The files in which a process announces its address. They are paths, so other processes can wait for it too."""

    name: str
    output: Path
    log: Path

    def url(self, within_s: float = _START_WITHIN_S) -> str:
        """Wait for the address and return it. Raises DidNotStart, with the end of the log, if no address arrives."""
        deadline = time.monotonic() + within_s
        line, end = "", ""
        while not end and time.monotonic() < deadline:
            line, end, _ = self.output.read_text("utf-8", "replace").partition("\n")
            if not end:
                time.sleep(_LOOK_EVERY_S)
        url = announced_url(line) if end else ""
        if not url:
            raise DidNotStart(
                f"{self.name} did not start: {line.strip() or 'no address'}\n{self._end_of_log()}".strip()
            )
        return url

    def _end_of_log(self) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-_LOG_LINES:])


class Launched(NamedTuple):
    """A process that is starting or running."""

    announcement: Announcement
    process: subprocess.Popen[bytes]

    def url(self, within_s: float = _START_WITHIN_S) -> str:
        """Wait for the address and return it. Raises DidNotStart if no address arrives."""
        return self.announcement.url(within_s)


@contextmanager
def launched(
    name: str,
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    *,
    cwd: Path | None = None,
) -> Iterator[Launched]:
    """Start a command without waiting for its address, and end its process when the block ends.

    Its output and its log go to `folder`. With `environment` None it inherits this process's variables. A command of
    this kit also ends if this process is killed.
    """
    announcement = Announcement(name, folder / f"{name}.out", folder / f"{name}.log")
    with announcement.output.open("wb") as output, announcement.log.open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the caller's own command
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=log, cwd=cwd, **tied(environment)
        )
    threading.Thread(target=_note_end, args=(process, announcement.output), daemon=True).start()
    try:
        yield Launched(announcement, process)
    finally:
        _end(process)


@contextmanager
def ends_with_us(process_group: int) -> Iterator[None]:
    """Kill a group of processes if this process is killed during the block; for commands that are not of this kit.

    A small process of its own waits for that.
    """
    if not hasattr(os, "killpg"):
        yield
        return
    watcher = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-I", "-S", "-c", _WATCHER, str(process_group)], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        yield
    finally:
        watcher.kill()
        watcher.wait()
        assert watcher.stdin is not None
        watcher.stdin.close()


def environment_without(*prefixes: str) -> dict[str, str]:
    """Return this process's environment variables without those that start with a prefix, in upper or lower case."""
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(prefixes)}


def _note_end(process: subprocess.Popen[bytes], output: Path) -> None:
    """Append a line when the process ends, so that every process that waits for the address stops waiting.

    If the last line is partial, the text completes it: a partial address must not pass for an address.
    """
    process.wait()
    with suppress(OSError), output.open("r+b") as file:  # the folder may be deleted by now; do not create it again
        content = file.read()
        separator = "" if not content or content.endswith(b"\n") else " … "
        file.write(f"{separator}{_ENDED}\n".encode())


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
