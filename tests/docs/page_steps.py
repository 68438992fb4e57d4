"""Reads the steps of a page, files and commands in their order, and runs them as a reader would.

A comment before a block says what a reader sees: `<!-- exits 1 -->`, `<!-- slow -->`, `<!-- not run: why -->`.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

BIN = Path(sys.executable).parent
_BLOCK = re.compile(
    r"(?:^<!-- (?P<note>[^\n]+) -->\n)?^```(?P<language>[a-z]+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_WITHIN_S = 100


class Block(NamedTuple):
    """A fenced block: its language, its title, its text, and the comment before it."""

    language: str
    title: str
    text: str
    note: str

    @property
    def exit_code(self) -> int:
        """The exit code of the block's last command."""
        return int(self.note.removeprefix("exits ")) if self.note.startswith("exits ") else 0


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of a page in these languages, or all."""
    found = _BLOCK.finditer(page.read_text("utf-8"))
    made = [Block(each["language"], each["title"] or "", each["text"], each["note"] or "") for each in found]
    return [block for block in made if not languages or block.language in languages]


def commands(block: Block) -> Iterator[list[str]]:
    """List the words of each command line of a block, without comments, prompts and the outputs of a console."""
    lines = block.text.replace("\\\n", " ").splitlines()
    if block.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    for line in lines:
        if words := shlex.split(line, comments=True):
            yield words


def run(block: Block, folder: Path, replaced: dict[str, str] | None = None) -> str:
    """Run a block's commands with a shell in a folder, check the last exit code, and return what they print."""
    text = with_replacements(block.text, replaced or {})
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    done = subprocess.run(
        ["bash", "-c", text],  # noqa: S607 - the shell of the reader
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_WITHIN_S,
        check=False,
    )
    assert done.returncode == block.exit_code, f"{text}\n{done.stdout}{done.stderr}"
    return done.stdout + done.stderr


def with_replacements(text: str, replaced: dict[str, str]) -> str:
    """Return a text with the page's addresses replaced by those of the test."""
    for old, new in replaced.items():
        text = text.replace(old, new)
    return text


def assert_shown(expected: Block, output: str, replaced: dict[str, str]) -> None:
    """Check that each line of a block of output is in what a command printed; `…` stands for any text."""
    for line in with_replacements(expected.text, replaced).splitlines():
        pattern = ".*".join(re.escape(" ".join(part.split())) for part in line.split("…"))
        assert re.search(pattern, " ".join(output.split())), f"{line!r} is not in\n{output}"
