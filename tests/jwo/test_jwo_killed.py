"""After `kill -9` of a command, no process that it started remains."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[2]
JWO = (sys.executable, "-P", "-m", "jwo")
MAKE = ("make", "--directory", str(ROOT), "--old-file", ".venv/.installed", "--old-file", ".venv/.installed-dev")
Kill = Callable[..., list[str]]


def descendants(root: psutil.Process) -> list[psutil.Process]:
    try:
        return [each for each in root.children(recursive=True) if each.status() != psutil.STATUS_ZOMBIE]
    except psutil.NoSuchProcess:
        return []


@pytest.fixture
def start_and_kill(tmp_path: Path) -> Iterator[Kill]:
    """Start a command, kill it when a command line below it has each of some words; return what still runs later."""
    left: list[psutil.Process] = []

    def run(command: tuple[str, ...], *words: str, settle_s: float = 0.0, **environment: str) -> list[str]:
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("JWO_", "PYTEST_"))}
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=tmp_path, env=variables | environment, stdout=log, stderr=log, start_new_session=True
            )
        root = psutil.Process(process.pid)
        end = time.monotonic() + 60
        while not all(any(word in line for line in command_lines(root)) for word in words):
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < end, command_lines(root)
            time.sleep(0.05)
        time.sleep(settle_s)
        left.extend(descendants(root))
        process.kill()
        process.wait()
        _, alive = psutil.wait_procs(left, timeout=20)
        return [" ".join(each.cmdline()) for each in alive]

    yield run
    for each in left:
        if each.is_running():
            each.kill()


def command_lines(root: psutil.Process) -> list[str]:
    lines = []
    for each in descendants(root):
        try:
            lines.append(" ".join(each.cmdline()))
        except psutil.NoSuchProcess:
            continue
    return lines


BIN = f"BIN={Path(sys.executable).parent}"
POOL = ("multiprocessing.forkserver",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((*JWO, "certify"), ("jwo connector", "jwo platform", *POOL)),
        ((*MAKE, "certify", BIN), ("jwo connector", *POOL)),
        ((*MAKE, "mutants", BIN), ("jwo platform", *POOL)),
        ((*JWO, "connector", "--workers", "2"), ("multiprocessing.spawn",)),
        ((*JWO, "shop", "--trips", "20000"), ("jwo connector",)),
    ],
    ids=["certify", "make certify", "make mutants", "connector", "shop"],
)
def test_nothing_remains(start_and_kill: Kill, command: tuple[str, ...], words: tuple[str, ...]) -> None:
    if command[0] == "make" and shutil.which("make") is None:
        pytest.skip("make is not installed")
    assert start_and_kill(command, *words, settle_s=0.5) == []


@pytest.mark.slow
def test_nothing_remains_of_a_load_test(start_and_kill: Kill, mutant: Callable[[str], str]) -> None:
    command = (*JWO, "load", "--connector", mutant(""), "--duration", "60", "--workers", "2", "--rate", "20")
    assert start_and_kill(command, "load.generator", settle_s=2.5) == []
