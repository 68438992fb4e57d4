"""Early ends of a command: none of them exits with 1, which means findings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from jwo import cli


@pytest.mark.parametrize(
    ("error", "text"),
    [(EOFError("stream ended"), "EOFError: stream ended"), (BrokenPipeError(32, "Broken pipe"), "Broken pipe")],
)
def test_early_end_of_a_data_stream_is_a_failure_of_the_kit(
    error: Exception, text: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    commands = typer.Typer(cls=cli.app.info.cls, pretty_exceptions_enable=False)
    commands.command()(fail)
    commands.callback()(lambda: None)
    monkeypatch.setattr(cli, "app", commands)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr(sys, "argv", ["jwo", "fail"])

    with pytest.raises(SystemExit) as ended:
        cli.main()

    assert ended.value.code == 3
    assert f"jwo: a bug in the kit, please report it: {type(error).__name__}" in (shown := capsys.readouterr().err)
    assert text in shown


def test_closed_output_ends_the_command_quietly(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "jwo", "cases"], stdout=writer, stderr=subprocess.PIPE, check=False, cwd=tmp_path
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (141, b"")
