"""Compares accepted uploads a second of the platform and of Prism, which validates the same OpenAPI document.

The first run installs Prism by npm into its own folder, unless Prism is on the path or named.
"""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from jwo_contract import openapi
from jwo_toolkit.launcher import launched
from platform_rig.figures import Figure, NotMeasured
from platform_rig.rig import catalog_process
from platform_rig.uploads import UPLOAD, WHOLE, items, signed

PACKAGE = "@stoplight/prism-cli@5.16.0"
HOME = Path(__file__).parents[1] / "node_modules" / ".prism"
_ROUNDS, _SECONDS, _INSTALL_WITHIN_S = 3, 3.0, 600


def measure(named: str) -> list[Figure]:
    """Compare accepted uploads a second. Prism ingests nothing, so the platform's ingestions wait until the end."""
    command, figures = prism_command(named), []
    late = {"JWO_PLATFORM_CATALOG__QUEUE_S": "600", "JWO_PLATFORM_CATALOG__PROCESS_S": "0"}
    with (
        tempfile.TemporaryDirectory() as folder,
        catalog_process(folder, late) as ours,
        prism_process(command, folder) as its,
    ):
        for count in (10, 1_000, WHOLE):
            body = items(0, count)
            plain = {"Content-Type": "application/json", "Accept": "application/json", "Authorization": "none"}
            pairs = [
                (
                    uploads_a_second(its, body, plain, _SECONDS),
                    uploads_a_second(ours, body, signed(ours + UPLOAD, body), _SECONDS),
                )
                for _ in range(_ROUNDS)
            ]
            ratio = statistics.median(mine / other for other, mine in pairs)
            figures += [
                Figure(f"Prism, uploads of {count:,} items", statistics.median(one for one, _ in pairs), "/s"),
                Figure(f"platform, uploads of {count:,} items", statistics.median(one for _, one in pairs), "/s"),
                Figure(f"ratio at {count:,} items, median of pairs", ratio, "x", least=5 if count == WHOLE else None),
            ]
    return figures


def prism_command(named: str) -> str:
    """Return the command of Prism: the named one, the one on the path, or one that npm installs now."""
    found = shutil.which(named or "prism")
    if found or named:
        if not found:
            raise NotMeasured(f"there is no command {named}; give --prism the path of Prism")
        return found or ""
    installed = HOME / "node_modules" / ".bin" / "prism"
    if not installed.exists():
        _install()
    return str(installed)


def _install() -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NotMeasured("neither prism nor npm is on the path; install Node.js, or name Prism with --prism")
    HOME.mkdir(parents=True, exist_ok=True)
    command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(HOME), PACKAGE]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=_INSTALL_WITHIN_S, check=False)  # noqa: S603 - npm, with fixed arguments
    except subprocess.TimeoutExpired as error:
        raise NotMeasured(f"npm did not install {PACKAGE} within {_INSTALL_WITHIN_S} s") from error
    if run.returncode:
        raise NotMeasured(f"npm could not install {PACKAGE}: {run.stderr.strip()[-300:]}")


def uploads_a_second(url: str, body: bytes, headers: dict[str, str], seconds: float) -> float:
    """Upload over one connection for a number of seconds; returns accepted uploads a second."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    count, started = 0, time.perf_counter()
    while time.perf_counter() < started + seconds:
        connection.request("POST", UPLOAD, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != 201:
            raise SystemExit(f"{url} answered {answer.status}: {content[:300]!r}")
        count += 1
    took = time.perf_counter() - started
    connection.close()
    return count / took


@contextmanager
def prism_process(command: str, folder: str) -> Iterator[str]:
    """Run Prism on the platform's OpenAPI document."""
    document = Path(folder) / "platform.json"
    document.write_text(json.dumps(openapi.load("platform")), "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [command, "mock", "--errors", "--port", str(port), "--host", "127.0.0.1", str(document)]
    with launched("prism", words, Path(folder)):
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError as error:
            if time.monotonic() > deadline:
                raise NotMeasured("prism did not start within a minute") from error
            time.sleep(0.1)
        else:
            return
