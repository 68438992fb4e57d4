"""Locust's own options have a defined meaning in a load test, or are refused with the option to use instead."""

from __future__ import annotations

import json
import os
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conformance.mutants.small_connector import SmallConnector
from load.settings import SCENARIOS
from tests.load.short_runs import ROOT

LOCUST = [sys.executable, "-m", "locust", "-f", str(ROOT / "load" / "locustfile.py")]
REFUSED = {
    ("--profile", "jwo.toml"): "use --connector-profile FILE or the variable JWO_LOAD_PROFILE",
    ("--profile=jwo.toml",): "use --connector-profile FILE",
    ("--connector", "http://127.0.0.1:1"): "name its address with --host",
    ("--scenario", "gate_rush"): "name the file of the scenario with -f",
    ("--workers", "2"): "set the number of sending processes with --processes",
    ("--out", "reports"): "name the folder of the reports with --load-out",
    ("--lag-bound", "5"): "set the variable JWO_LOAD_LAG_BOUND_MS",
    ("--baseline", "load.json"): "set the variable JWO_LOAD_BASELINE",
    ("--processes", "0"): "'0' is no number of processes",
    ("--processes", "-2"): "'-2' is no number of processes",
    ("--processes", "two"): "'two' is no number of processes",
    ("--tags", "a"): "--tags cannot be used for a load test",
    ("--exclude-tags", "a"): "--exclude-tags cannot be used for a load test",
    ("--enable-rebalancing",): "--enable-rebalancing cannot be used for a load test",
    ("-t", "3s", "--duration", "4"): "--run-time says 3 s and --duration says 4 s; give one of them",
    ("--rate", "many"): "argument --rate: invalid float value",
}
ACCEPTED = {
    (): (60, ""),
    ("-t", "3s", "--headless"): (3, ""),
    ("--run-time", "1m", "--duration", "60", "--headless"): (60, ""),
    ("-t", "5", "--autostart"): (5, ""),
    ("-t", "5"): (5, "add --headless"),
    ("--duration", "2.5"): (2.5, ""),
    ("-u", "9", "-r", "3"): (60, "--users has no effect"),
    ("--stop-timeout", "30"): (60, "--stop-timeout has no effect"),
    ("--csv", "stats", "--html", "page.html", "--only-summary"): (60, ""),
    ("--processes", "-1"): (60, ""),
    ("--master", "--headless", "-t", "2"): (2, ""),
}


def test_each_option_has_a_defined_meaning() -> None:
    documented = {words[1:] for words in documented_command_lines()}
    lines = [*REFUSED, *ACCEPTED, *documented]
    environment = {name: text for name, text in os.environ.items() if not name.startswith(("LOCUST_", "JWO_LOAD_"))}
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.option_probe"],
        input="".join(json.dumps(line) + "\n" for line in lines),
        env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    found = dict(zip(lines, map(json.loads, done.stdout.splitlines()), strict=True))

    for line, says in REFUSED.items():
        assert found[line]["code"] == 2, line
        assert says in found[line]["log"], line
    for line, (duration, says) in ACCEPTED.items():
        assert (found[line]["code"], found[line]["duration"], found[line]["run_time"], found[line]["stop"]) == (
            0, duration, None, 0,
        ), line  # fmt: skip
        assert (says in found[line]["log"]) if says else not found[line]["log"], line
    assert {line: found[line]["log"] for line in documented if found[line]["code"] or found[line]["log"]} == {}


def documented_command_lines() -> list[tuple[str, ...]]:
    lines = re.findall(r"`(locust [^`]*?FILES[^`]*)`", (ROOT / "docs" / "load_with_locust.md").read_text("utf-8"))
    assert len(lines) >= 9
    return [tuple(shlex.split(line.replace("FILES", str(SCENARIOS)))) for line in lines]


@pytest.mark.slow
def test_run_time_of_the_master_alone_is_the_duration_of_all_workers(serve: Any, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    environment = os.environ | {"JWO_LOAD_LAG_BOUND_MS": "2000"}
    run = ["--host", serve(SmallConnector()), "--rate", "40", "-t", "1s", "--headless", "--load-out", str(tmp_path)]
    with ExitStack() as stack:
        start: Callable[..., Any] = lambda *words: subprocess.Popen(  # noqa: E731 - short
            [*LOCUST, *words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        for more in ([], ["-t", "9s"]):
            worker = start("--worker", "--master-port", port, *more)
            stack.callback(worker.wait)
            stack.callback(worker.kill)
        master = start("--master", "--expect-workers", "2", "--master-bind-port", port, *run)
        stack.callback(master.wait)
        stack.callback(master.kill)
        code = master.wait(60)

    report = json.loads((tmp_path / "load.json").read_text())
    assert (code, report["verdict"]["exit_code"], report["counts"]["answered"]) == (0, 0, 40)


@pytest.mark.slow
def test_config_file_of_locust_does_not_change_a_run_of_the_kit(serve: Any, tmp_path: Path) -> None:
    (tmp_path / "locust.conf").write_text("run-time = 9s\nrate = 1\nusers = 5\ntags = none\n")
    command = [sys.executable, "-P", "-m", "jwo", "load", "--connector", serve(SmallConnector()), "--out", "reports"]
    command += ["--scenario", "steady_store", "--rate", "40", "--duration", "1", "--lag-bound", "2000"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "reports" / "load.json").read_text())["counts"]["answered"] == 40
