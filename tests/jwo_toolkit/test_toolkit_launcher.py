"""The launcher: processes that announce an address, processes that do not, and their end."""

from __future__ import annotations

import os
import pickle
import sys
import time
from pathlib import Path

import pytest

from jwo_toolkit.announcement import READY, announced_url
from jwo_toolkit.launcher import Announcement, DidNotStart, environment_without, launched

SERVES = "import sys, time; print('{line}', flush=True); time.sleep(60)"


def python(code: str) -> tuple[str, ...]:
    return sys.executable, "-c", code


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("line", ["listening on http://127.0.0.1:81", "http://127.0.0.1:81"])
def test_address_is_read_and_process_ends_with_the_block(line: str, tmp_path: Path) -> None:
    with launched("one", python(SERVES.format(line=line)), tmp_path) as started:
        assert started.url() == "http://127.0.0.1:81"
        assert is_running(started.process.pid)
    assert not is_running(started.process.pid)


def test_process_that_ends_first_is_reported_at_once_with_its_log(tmp_path: Path) -> None:
    code = "import sys; print('the port is taken', file=sys.stderr); sys.exit(3)"
    begin = time.monotonic()
    with launched("one", python(code), tmp_path) as started, pytest.raises(DidNotStart, match="port is taken"):
        started.url(within_s=20)
    assert time.monotonic() - begin < 10


def test_partial_address_of_an_ended_process_is_not_taken_for_an_address(tmp_path: Path) -> None:
    code = "import sys; sys.stdout.write('listening on http://127.0.0.1:80')"
    complaint = r"one did not start: listening on http://127\.0\.0\.1:80 … the process ended"
    with launched("one", python(code), tmp_path) as started, pytest.raises(DidNotStart, match=complaint):
        started.url()


def test_first_line_without_an_address_is_reported(tmp_path: Path) -> None:
    command, complaint = python(SERVES.format(line="hello")), "one did not start: hello"
    with launched("one", command, tmp_path) as started, pytest.raises(DidNotStart, match=complaint):
        started.url()


def test_silent_process_is_reported_after_the_limit(tmp_path: Path) -> None:
    command = python("import time; time.sleep(60)")
    with launched("one", command, tmp_path) as started, pytest.raises(DidNotStart, match="no address"):
        started.url(within_s=0.2)


def test_process_that_ignores_sigterm_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jwo_toolkit.launcher._STOP_WITHIN_S", 0.3)
    ignores_sigterm = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SERVES.format(
        line="http://h:1"
    )
    with launched("one", python(ignores_sigterm), tmp_path) as started:
        started.url()
    assert not is_running(started.process.pid)


def test_another_process_can_wait_for_the_address(tmp_path: Path) -> None:
    with launched("one", python(SERVES.format(line="http://h:1")), tmp_path) as started:
        elsewhere: Announcement = pickle.loads(pickle.dumps(started.announcement))  # noqa: S301 - made one line above
        assert elsewhere.url() == "http://h:1"


def test_process_gets_only_the_given_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.setenv("aws_region", "mine")
    remaining = environment_without("AWS_")
    assert not {"AWS_PROFILE", "aws_region"} & remaining.keys()
    assert "PATH" in remaining
    code = "import os; print('http://' + os.environ.get('AWS_PROFILE', 'none') + ':1', flush=True)"
    with launched("one", python(code), tmp_path, remaining) as started:
        assert started.url() == "http://none:1"


@pytest.mark.parametrize("line", ["", "listening on nothing", f"{READY}http://h:1 and more", "the process ended"])
def test_line_without_an_address_gives_no_url(line: str) -> None:
    assert not announced_url(line)
