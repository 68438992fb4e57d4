"""The tutorial of the first pass: its files, in order, lead to a connector that passes."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from docs.generator.pages import DOCS
from jwo_toolkit.lifeline import tied
from tests.docs.page_steps import Block, assert_shown, blocks, run

PAGE = DOCS / "tutorials" / "first_pass.md"
PORT = "8080"


class Reader:
    """Follows a page: writes its files, restarts the server after each, and runs its commands."""

    def __init__(self, folder: Path, port: str) -> None:
        self.folder = folder
        self.port = port
        self.output = ""
        self.passes: list[str] = []

    def follow(self, block: Block, server: ExitStack) -> None:
        """Do what one block says."""
        replaced = {PORT: self.port}
        if block.language == "python":
            (self.folder / block.title).write_text(block.text, "utf-8")
            server.close()
            server.enter_context(uvicorn(self.folder, self.port))
        elif block.language == "toml":
            profile = self.folder / "jwo.toml"
            text = re.sub(r"^\[suite\]\n[^\n]*\n", block.text, profile.read_text("utf-8"), flags=re.MULTILINE)
            assert block.text in text
            profile.write_text(text, "utf-8")
        elif block.language == "sh" and not block.title:
            self.output = run(block, self.folder, replaced)
        elif block.language == "text":
            assert_shown(block, self.output, replaced)
            self.passes += re.findall(r"\d+ cases?: \d+ pass|Conformant|Partial", block.text)


@contextmanager
def uvicorn(folder: Path, port: str) -> Iterator[None]:
    """Serve the app in a folder as the page's second terminal does."""
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", port, "--log-level", "warning"]
    with subprocess.Popen(command, cwd=folder, **tied(dict(os.environ))) as process:
        try:
            _wait_for(int(port), process)
            yield
        finally:
            process.terminate()
            process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        assert process.poll() is None, "the app did not start"
        with socket.socket() as caller:
            if caller.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the app did not start in time")


def followed(folder: Path, *, with_slow: bool) -> Reader:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        reader = Reader(folder, str(probe.getsockname()[1]))
    skipped = False
    with ExitStack() as server:
        for block in blocks(PAGE):
            skipped = (block.note == "slow" and not with_slow) or (skipped and block.language == "text")
            if not skipped and not block.note.startswith("not run"):
                reader.follow(block, server)
    return reader


def test_each_step_leads_to_the_pass_that_the_page_shows(tmp_path: Path) -> None:
    reader = followed(tmp_path, with_slow=False)

    assert reader.passes == ["2 cases: 2 pass", "4 cases: 4 pass", "4 cases: 4 pass"]
    assert {file.name for file in tmp_path.glob("*.py")} == {"app.py", "messages.py", "carts.py"}


@pytest.mark.slow
def test_the_last_run_is_conformant(tmp_path: Path) -> None:
    reader = followed(tmp_path, with_slow=True)

    assert reader.passes[-2:] == ["Partial", "Conformant"]
    assert (tmp_path / "jwo-report" / "report.html").is_file()
