"""A runner of pipelines: runs their shell steps, with stand-ins for commands that need a network or minutes."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.docs.page_steps import BIN

Done = subprocess.CompletedProcess[str]
_REAL = f'exec {sys.executable} "$@"'
STAND_INS = {
    "pip": 'printf "%s\\n" "$@" >>"$INSTALLED"',
    "python": f'[ "$2" = pip ] || {_REAL}\nshift 2\nexec pip "$@"',
    "python3": f'[ "$2" = venv ] || {_REAL}\nmkdir -p "$3"\ncp -r "$STAND_INS" "$3/bin"',
    "jwo": f'[ "$1" != certify ] || set -- "$@" --only CP-2\nexec {BIN}/jwo "$@"',
}
"""`python3 -m venv` copies the stand-ins, pip writes its arguments into a file, and `jwo certify` runs one case."""


class Runner:
    """Runs shell steps in a workspace whose path has blanks."""

    def __init__(self, folder: Path) -> None:
        self.workspace = folder / "a workspace"
        self.temporary = folder / "temporary files"
        stand_ins = folder / "stand-ins"
        for path in (self.workspace, self.temporary, stand_ins):
            path.mkdir()
        for name, text in STAND_INS.items():
            (stand_ins / name).write_text(f"#!/bin/sh\n{text}\n", "utf-8")
            (stand_ins / name).chmod(0o755)
        self._installed = folder / "installed"
        self.environment = {
            **os.environ,
            "PATH": f"{stand_ins}{os.pathsep}{os.environ['PATH']}",
            "STAND_INS": str(stand_ins),
            "INSTALLED": str(self._installed),
            "RUNNER_TEMP": str(self.temporary),
            "NO_COLOR": "1",
        }

    @property
    def installed(self) -> list[str]:
        """The arguments of all calls of pip."""
        return self._installed.read_text("utf-8").splitlines()

    def run(self, script: str, *shell: str, **variables: str) -> Done:
        """Run a script with a shell, such as `sh -xe`."""
        return subprocess.run(
            [*shell, "-c", script],
            cwd=self.workspace,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=110,
            check=False,
        )


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def load_script(path: Path) -> ModuleType:
    """Import a script of `deploy/`, which is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
