"""Runs the command line as users do: in a separate process, against servers on real sockets."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from conformance.mutants.gallery import connector_with
from conformance.mutants.serving import served
from jwo.cli import app
from jwo.errors import run
from jwo.profile_template import TEMPLATE

Done = subprocess.CompletedProcess[str]


class Jwo(Protocol):
    """Runs `jwo` with arguments and returns the finished process."""

    def __call__(self, *arguments: str, cwd: Path | None = None, columns: int = 160) -> Done: ...


@pytest.fixture
def jwo(tmp_path: Path) -> Jwo:
    def run_process(*arguments: str, cwd: Path | None = None, columns: int = 160) -> Done:
        command = [sys.executable, "-m", "jwo", *arguments]
        environment = {**os.environ, "COLUMNS": str(columns)}
        return subprocess.run(
            command, capture_output=True, text=True, timeout=110, check=False, cwd=cwd or tmp_path, env=environment
        )

    return run_process


@pytest.fixture
def jwo_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Jwo:
    """Run the command line in this process, for short commands: to start a process takes longer than they do."""

    def run_here(*arguments: str, cwd: Path | None = None, columns: int = 160) -> Done:
        monkeypatch.chdir(cwd or tmp_path)
        monkeypatch.setenv("COLUMNS", str(columns))
        monkeypatch.setattr(sys, "argv", ["jwo", *arguments])
        before = signal.getsignal(signal.SIGTERM)
        try:
            with pytest.raises(SystemExit) as ended:
                run(app)
        finally:
            signal.signal(signal.SIGTERM, before)
        shown = capfd.readouterr()
        return Done(arguments, int(ended.value.code or 0), shown.out, shown.err)

    return run_here


@pytest.fixture
def mutant() -> Iterator[Callable[[str], str]]:
    """Serve the small connector, with or without a fault, and return its address."""
    with ExitStack() as stack:
        yield lambda fault: stack.enter_context(served(connector_with(fault)))


@pytest.fixture
def profile(tmp_path: Path) -> Callable[[str], Path]:
    """Write the profile of `jwo init` for an address."""

    def write(url: str) -> Path:
        path = tmp_path / "jwo.toml"
        path.write_text(TEMPLATE.format(url=url), encoding="utf-8")
        return path

    return write
