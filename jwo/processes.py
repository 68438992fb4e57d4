"""Starts the rooms as processes of their own and stops them by their id; each says its address on its first line.

A process's log goes to a file, whose end is shown when the process fails.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, NamedTuple, Self

from jwo.errors import Broken
from jwo.serving import READY

_START_WITHIN_S = 30
_STOP_WITHIN_S = 8


class Child(NamedTuple):
    """A running process and the address that it serves."""

    name: str
    url: str
    process: subprocess.Popen[str]
    log: Path


class Processes:
    """A group of processes that live as long as the `with` block."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def start(self, name: str, arguments: list[str], environment: Mapping[str, str] | None = None) -> Child:
        """Run `python -P -m jwo ARGUMENTS` and wait until it says where it listens; -P hides the caller's folder."""
        return self._stack.enter_context(_running(name, arguments, environment or {}, self._folder))


@contextmanager
def _running(name: str, arguments: list[str], environment: Mapping[str, str], folder: Path) -> Iterator[Child]:
    log = folder / f"{name}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-P", "-m", "jwo", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**_clean_environment(), **environment},
        )
    try:
        yield Child(name, _address(name, process, log), process, log)
    finally:
        _stop(process)


def _clean_environment() -> dict[str, str]:
    """Keep the caller's AWS and proxy settings away from processes that only ever talk to this machine."""
    unwanted = ("AWS_", "JWO_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(unwanted)}


def _address(name: str, process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_drain, args=(process.stdout, lines), daemon=True).start()
    try:
        line = lines.get(timeout=_START_WITHIN_S)
    except queue.Empty:
        line = ""
    if not line.startswith(READY):
        raise Broken(f"{name} did not start: {line.strip() or 'no address'}\n{_end_of(log)}")
    return line.removeprefix(READY).strip()


def _drain(stream: IO[str], lines: queue.Queue[str]) -> None:
    """Read to the end, so that the process never blocks on a full pipe."""
    for line in stream:
        lines.put(line)
    lines.put("")


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()


def _end_of(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])
