"""A reader who follows a page: writes its files, starts its servers, and runs its commands, in their order."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from jwo_toolkit.lifeline import tied
from tests.docs.page_steps import BIN, Block, assert_shown, blocks, run, with_replacements

_PORT = "8080"
_SERVERS = {"server", "second terminal"}
_WITHIN_S = 30


class Reader:
    """Follows a page in a folder; the pages' port 8080 becomes `port`. Used as a context, it ends its servers."""

    def __init__(self, folder: Path, port: str = "") -> None:
        self.folder = folder
        self.port = port or _free_port()
        self._output = ""
        self._server = ExitStack()
        self._command = ""
        self.shown: list[str] = []
        """The lines of output that the page shows, which the commands did print."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()

    def follow(self, page: Path, *, with_slow: bool = False) -> None:
        """Do what each block of a page says; a block that is not run has no output either."""
        is_skipped = False
        for block in blocks(page):
            is_skipped = (block.note == "slow" and not with_slow) or (is_skipped and block.language == "text")
            if not is_skipped and not block.note.startswith("not run"):
                self._do(block)

    def _do(self, block: Block) -> None:
        if block.language == "python" or block.title.endswith(".sh"):
            (self.folder / block.title).write_text(with_replacements(block.text, {_PORT: self.port}), "utf-8")
            if self._command:
                self._serve(self._command)
        elif block.language == "toml":
            self._declare(block.text)
        elif block.title in _SERVERS:
            self._serve(block.text)
        elif block.language == "sh":
            self._output = run(block, self.folder, {_PORT: self.port})
        elif block.language == "text":
            assert_shown(block, self._output, {_PORT: self.port})
            self.shown += block.text.splitlines()

    def _declare(self, text: str) -> None:
        """Write a profile, or replace a table of the one that is there."""
        profile = self.folder / "jwo.toml"
        if "[connector]" not in text:
            table = re.escape(text.splitlines()[0])
            text, count = re.subn(rf"^{table}\n(?:[^\n]+\n)*", text, profile.read_text("utf-8"), flags=re.MULTILINE)
            assert count == 1
        profile.write_text(with_replacements(text, {_PORT: self.port}), "utf-8")

    def _serve(self, text: str) -> None:
        """Start the server of a second terminal in place of the one before, and wait until it listens."""
        self._server.close()
        self._command = text if "uvicorn" in text else ""
        line = with_replacements(text, {_PORT: self.port, " --reload": ""}).strip().splitlines()[-1]
        environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
        process = subprocess.Popen(
            ["bash", "-c", f"exec env {line}"],  # noqa: S607 - the shell of the reader
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **tied(environment),
        )
        self._server.callback(_end, process)
        deadline = time.monotonic() + _WITHIN_S
        while not _listens(int(self.port)):
            assert process.poll() is None, f"{line} ended with {process.returncode}"
            assert time.monotonic() < deadline, f"{line} does not listen"
            time.sleep(0.02)


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(_WITHIN_S)


def _listens(port: int) -> bool:
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) == 0
