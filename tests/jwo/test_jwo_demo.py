"""The whole `jwo certify` of the reference connector: six stages in processes, and the reports."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_reference_connector_is_certified_in_a_store_day(tmp_path: Path) -> None:
    """Certify in a folder with modules of our names, which must not replace ours in any process."""
    (tmp_path / "contract").mkdir()
    for name in ("contract/__init__.py", "queue.py"):
        (tmp_path / name).write_text("raise SystemExit('shadowed')", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-P", "-m", "jwo", "certify", "--out", "out", "--strict"],
        capture_output=True, text=True, timeout=280, check=False, cwd=tmp_path,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert [stage["name"] for stage in report["stages"]] == [
        "AWS",
        "Platform and connector",
        "Catalog",
        "Shoppers",
        "Conformance",
    ]
    assert "262 accepted, 6 rejected" in done.stdout
    assert report["counts"] == {**dict.fromkeys(report["counts"], 0), "pass": len(report["cases"])}, "a gap"
    assert len(report["cases"]) >= 344
    shown = re.findall(r" ([2-5]\d\d) after \d+ ms +(open|closed) +(opens|stays closed),", done.stdout)
    closed = {(status, default, "stays closed") for status in ("400", "401", "429") for default in ("open", "closed")}
    opened = {("200", "open", "opens"), ("200", "closed", "opens")}
    assert set(shown) == closed | opened | {("500", "open", "opens"), ("500", "closed", "stays closed")}
    client = {case["id"]: case["verdict"] for case in report["cases"] if case["api"] == "Catalog client"}
    assert len(client) >= 22
    assert set(client.values()) == {"pass"}
    assert all(f"{number}/6" in done.stdout for number in range(1, 7))


def children_of(pid: int) -> set[int]:
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid and fields[0] != "Z":
            found.add(int(status.parent.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_sigterm_leaves_no_process(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "jwo", "certify", "--out", str(tmp_path / "out")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path) as run:
        deadline = time.monotonic() + 60
        while len(children := children_of(run.pid)) < 2:
            assert time.monotonic() < deadline, "no processes were started"
            time.sleep(0.05)
        os.kill(run.pid, signal.SIGTERM)
        assert run.wait(30) == 143

    assert not any(is_alive(child) for child in children)
