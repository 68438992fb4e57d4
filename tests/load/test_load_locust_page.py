"""Locust's own web page starts load tests."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

from conformance.mutants.gallery import connector_with
from tests.load.short_runs import ROOT


def test_locusts_own_web_page_starts_several_runs(serve: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    words = ("-m", "locust", "-f", str(ROOT / "load" / "locustfile.py"), "--web-host", "127.0.0.1", "--web-port", port)
    process = subprocess.Popen([sys.executable, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as page:
            for number, fault in enumerate(("", "answers_purchases_with_200")):
                _run_from(page, serve(connector_with(fault)), tmp_path / str(number))
    finally:
        process.kill()
        process.wait()

    reports = [json.loads((tmp_path / name / "load.json").read_text()) for name in ("0", "1")]
    assert [set(report["findings"]) for report in reports] == [set(), {"wrong code"}]
    assert [report["counts"]["answered"] for report in reports] == [30, 30]


def _run_from(page: httpx.Client, url: str, out: Path) -> None:
    form = {"user_count": 1, "spawn_rate": 1, "host": url, "rate": 50, "duration": 0.6, "load_out": str(out)}
    _until(lambda: bool(page.post("/swarm", data=form).json()["success"]))
    _until((out / "junit.xml").exists)


def _until(holds: Callable[[], bool], within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if holds():
                return
        time.sleep(0.05)
    raise AssertionError("the page did not start or end the run in time")
