"""Starts the servers and generators of the load benchmark, each in its own process."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from jwo_toolkit.launcher import launched

HERE = Path(__file__).parent
SCANS, CARTS = "/v1/identity/identity-keys", "/v1/order/purchases"
BODY = '{"requestId":"a1b2c3d4-e5f6-7890-abcd-ef1234567890","storeId":"STORE-001","padding":"' + "x" * 200 + '"}'
CLOSED = 10
"""Number of connections or users of the other generators, as in the first example of their documentation."""


class Measured(NamedTuple):
    """The figures that a generator reports."""

    requests: int
    late_share: float
    p99_ms: float


@contextmanager
def serving(*command: str, **environment: str) -> Iterator[str]:
    """Run a server that prints its address, and yield the address."""
    words = (sys.executable, *command)
    with (
        tempfile.TemporaryDirectory() as folder,
        launched("server", words, Path(folder), os.environ | environment) as server,
    ):
        yield server.url()


def kit(url: str, *flags: str, **environment: str) -> dict[str, Any]:
    """Run this kit's load test and return its load.json, with the exit code."""
    out = Path(os.environ.get("TMPDIR", "/tmp")) / f"bench-load-{os.getpid()}"  # noqa: S108 - removed below
    words = [sys.executable, "-m", "load", "--connector", url, "--out", str(out), *flags]
    done = subprocess.run(  # noqa: S603 - our own command
        words, capture_output=True, text=True, check=False, env=os.environ | environment
    )
    try:
        document = json.loads((out / "load.json").read_text("utf-8"))
    except OSError as error:
        raise SystemExit(f"the load test wrote no report:\n{done.stdout}{done.stderr}") from error
    shutil.rmtree(out)
    return dict(document) | {"exit_code": done.returncode}


def rivals() -> dict[str, str]:
    """Return the other generators and their paths; an empty path means that this machine lacks one."""
    return {
        "Locust": sys.executable,
        "wrk": shutil.which("wrk") or "",
        "hey": shutil.which("hey") or "",
        "autocannon": (shutil.which("autocannon") and shutil.which("node")) or "",  # run by node
    }


def start_rival(name: str, url: str, path: str, rate: float, duration_s: int) -> subprocess.Popen[str]:
    """Start another generator at a rate; 0 sets no limit."""
    words: list[str] = []
    clients = CLOSED if rate else 32
    environment = os.environ | {"RIVAL_PATH": path, "RIVAL_BODY": BODY, "RIVAL_RATE_EACH": str(rate / clients)}
    if name == "Locust":
        words += [sys.executable, "-m", "locust", "-f", str(HERE / "load_rivals" / "plain_locust.py"), "--headless"]
        words += [
            "--only-summary",
            "-H",
            url,
            "-u",
            str(clients),
            "-r",
            str(clients),
            "-t",
            f"{duration_s}s",
            "-s",
            "12",
        ]
    elif name == "wrk":
        words += ["wrk", "-t1", f"-c{clients}", f"-d{duration_s}s", "--timeout", "12s"]
        words += ["-s", str(HERE / "load_rivals" / "rival.lua"), url]
    elif name == "hey":
        words += ["hey", "-c", str(clients), "-z", f"{duration_s}s", "-t", "12", "-m", "POST", "-T", "application/json"]
        words += ["-d", BODY, "-o", "csv", *(["-q", str(int(rate / clients))] if rate else []), url + path]
    else:
        environment["NODE_PATH"] = _global_node_modules()
        words += [
            rivals()["autocannon"],
            str(HERE / "load_rivals" / "rival.js"),
            url,
            str(rate),
            str(clients),
            str(duration_s),
        ]
    return subprocess.Popen(  # noqa: S603 - a command made above
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    )


def _global_node_modules() -> str:
    npm = shutil.which("npm") or "npm"
    return subprocess.run([npm, "root", "-g"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - as above


def result_of(name: str, process: subprocess.Popen[str]) -> Measured:
    """Wait for another generator and return its figures."""
    text, _ = process.communicate(timeout=120)
    if name == "hey":
        times = sorted(float(row["response-time"]) for row in csv.DictReader(io.StringIO(text)))
        late = sum(1 for each in times if each > 2)
        return Measured(len(times), late / max(len(times), 1), times[int(len(times) * 0.99)] * 1000 if times else 0.0)
    line = next((line for line in text.splitlines() if line.startswith("RIVAL ")), None)
    if line is None:
        raise SystemExit(f"{name} printed no result:\n{text[-2000:]}")
    figures = json.loads(line.removeprefix("RIVAL "))
    share = figures.get("late_share", figures.get("late", 0) / max(figures["all"], 1))
    return Measured(figures["all"], share, figures["p99_ms"])
