"""A process that is tied to its starter ends with it, however the starter ends; other processes do not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from jwo_toolkit.lifeline import PARENT_VARIABLE, STARTER_VARIABLE, end_with_starter, tied

STARTER = Path(__file__).with_name("starter.py")


def is_gone(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_gone(processes: list[psutil.Process], within_s: float = 20.0) -> list[psutil.Process]:
    """Return the processes that still run after some time."""
    end = time.monotonic() + within_s
    while (left := [each for each in processes if not is_gone(each)]) and time.monotonic() < end:
        time.sleep(0.02)
    return left


@pytest.mark.parametrize(
    ("way", "count"),
    [
        ("command", 1),
        ("shell", 1),
        ("fork", 2),
        ("grandchild", 2),
        ("foreign", 3),
        ("named parent", 1),
        ("forkserver", 1),
        ("spawn", 1),
    ],
)
def test_nothing_remains_of_a_killed_starter(tmp_path: Path, way: str, count: int) -> None:
    with subprocess.Popen([sys.executable, str(STARTER), f"start {way}", str(tmp_path)]) as starter:
        end = time.monotonic() + 30
        while len(list(tmp_path.iterdir())) < count and time.monotonic() < end:
            time.sleep(0.02)
        started = psutil.Process(starter.pid).children(recursive=True)
        starter.kill()

    left = wait_until_gone(started)
    for each in left:
        each.kill()
    assert len(list(tmp_path.iterdir())) == count
    assert started
    assert left == []


def test_process_without_a_tie_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(STARTER_VARIABLE, raising=False)
    monkeypatch.delenv(PARENT_VARIABLE, raising=False)
    monkeypatch.setattr("jwo_toolkit.lifeline.start_new_thread", lambda *_: pytest.fail("a thread was started"))
    end_with_starter()


@pytest.mark.parametrize("value", ["", "7", "0:1", "999:5", "x:y"])
def test_descriptor_that_is_another_file_is_not_read(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(STARTER_VARIABLE, value)
    monkeypatch.setattr("jwo_toolkit.lifeline.start_new_thread", lambda *_: pytest.fail("a thread was started"))
    end_with_starter()
    assert STARTER_VARIABLE not in os.environ


def test_tie_keeps_the_given_environment() -> None:
    tie = tied({"A": "1"}, 9)
    assert tie["env"]["A"] == "1"
    assert set(tie["env"]) == {"A", STARTER_VARIABLE}
    assert tie["pass_fds"][1:] == (9,)
